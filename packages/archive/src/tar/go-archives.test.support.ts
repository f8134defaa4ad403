/** Finds the test archives of Go's archive/tar, which are not part of this repository. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const PARENTS: readonly string[] = ['/usr/share', '/usr/lib', '/usr/local'];
const INSIDE = 'src/archive/tar/testdata';

/** The directory with the archives: Debian's golang-*-src puts it below /usr/share/go-*. */
export function findGoArchives(): string | undefined {
  for (const parent of PARENTS) {
    if (!existsSync(parent)) continue;
    for (const entry of readdirSync(parent)) {
      const directory = join(parent, entry, INSIDE);
      if (/^go(-[\d.]+)?$/.test(entry) && existsSync(directory)) return directory;
    }
  }
  return undefined;
}

/** The directory, or undefined after saying so; in CI a missing directory is an error. */
export function goArchivesOrSkip(): string | undefined {
  const directory = findGoArchives();
  if (directory !== undefined) return directory;
  const what = "Go's tar test archives are not installed (apt-get install golang-src)";
  if (process.env.CI === 'true') throw new Error(what);
  process.stderr.write(`SKIPPED: ${what}\n`);
  return undefined;
}
