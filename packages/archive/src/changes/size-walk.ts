/** The sum of sizes below a directory, with nothing in it that only POSIX has: what counts twice is the caller's word. */

import { PatternMatcher } from '../create/pattern-matcher.js';
import { walkTree } from '../create/tree-walk.js';
import { displayName } from '../root/byte-name.js';
import { type FileStat, isDirectory } from '../root/file-stat.js';
import { ioError, isMissing } from '../root/io-error.js';
import type { OpenDirectory } from '../root/root-directory.js';

const NOTHING_EXCLUDED = new PatternMatcher([]);

/**
 * Sizes of everything but directories, links with the length of their text. What vanishes during the walk counts nothing.
 * @param directory taken over and closed
 * @param counts whether an object is to be counted, asked once for each
 * @throws ARCHIVE_IO
 */
export function* sizeWalk(
  directory: OpenDirectory,
  counts: (stat: FileStat) => boolean,
): Generator<void, number, undefined> {
  let total = 0;
  for (const entry of walkTree(directory, '', undefined, {
    excludes: NOTHING_EXCLUDED,
    onVanished: () => {},
  })) {
    yield;
    if (entry.directory !== undefined) continue;
    try {
      const stat = entry.parent.lstat(entry.name);
      if (!isDirectory(stat) && counts(stat)) total += stat.size;
    } catch (error) {
      if (!isMissing(error)) throw ioError(error, 'stat', displayName(entry.path));
    }
  }
  return total;
}
