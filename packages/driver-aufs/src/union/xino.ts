import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { invalidOption } from '@x/archive';
import { fileSystemOf } from '@x/layer-store/driver-kit';

/** Docker's place: aufs keeps inode numbers there, which a disk would slow down and aufs itself cannot hold. */
const SHARED_MEMORY = '/dev/shm';
const FILE_NAME = 'aufs.xino';
const HASH_LENGTH = 16;

/** Where the xino files of a home begin, unless an option says: in shared memory, or else in the home. */
export async function defaultXino(home: string): Promise<string> {
  const there = await stat(SHARED_MEMORY).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  return there ? join(SHARED_MEMORY, FILE_NAME) : join(home, `.${FILE_NAME}`);
}

/**
 * The directory of the xino files must be there, and not on aufs, which cannot hold them.
 * @throws OPTION_INVALID
 */
export async function checkXino(base: string): Promise<void> {
  const directory = dirname(base);
  const stats = await stat(directory).catch(() => undefined);
  const fit = stats?.isDirectory() === true && (await fileSystemOf(directory)).name !== 'aufs';
  if (!fit) invalidOption('AufsDriver', 'xino', 'in a directory that is there and not on aufs', base);
}

/** A file for one mount point only: aufs does not notice when two unions share one. */
export function xinoFor(base: string, mountPoint: string): string {
  return `${base}-${createHash('sha256').update(mountPoint).digest('hex').slice(0, HASH_LENGTH)}`;
}

/** The file whose lock keeps all mounts of all processes one after the other. */
export function xinoLock(base: string): string {
  return `${base}.lock`;
}
