/** Where helper programs may come from. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The only directories helpers are looked for in. Not `PATH`: what runs with our privileges must not depend on the
 * caller's environment, and must never come out of an image tree (CVE-2014-9357).
 */
export const PROGRAM_DIRECTORIES: readonly string[] = ['/usr/local/bin', '/usr/bin', '/bin'];

/** Where programs for the administrator are as well: file systems, device mapper, mounts. */
export const SYSTEM_PROGRAM_DIRECTORIES: readonly string[] = [
  '/usr/local/sbin',
  '/usr/sbin',
  '/sbin',
  ...PROGRAM_DIRECTORIES,
];

const WRITABLE_BY_ANYONE = 0o002;

/** The absolute path of an executable regular file called `name`, not writable by everybody; `undefined` if there is none. */
export async function findProgram(
  name: string,
  directories: readonly string[] = PROGRAM_DIRECTORIES,
): Promise<string | undefined> {
  for (const directory of directories) {
    const path = join(directory, name);
    try {
      const found = await stat(path);
      if (!found.isFile() || (found.mode & WRITABLE_BY_ANYONE) !== 0) continue;
      await access(path, constants.X_OK);
      return path;
    } catch {
      // Not here or not usable: the next directory decides.
    }
  }
  return undefined;
}
