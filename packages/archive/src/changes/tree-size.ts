/** How large trees and sets of changes are, each hard-linked file once. */

import { errnoOf } from '../errors.js';
import { assertBoolean, assertKnownKeys, assertPath, assertSignal } from '../options/validate.js';
import { baseName, nameOf, parentName } from '../root/byte-name.js';
import { DirectoryTrail } from '../root/directory-trail.js';
import { isDirectory } from '../root/file-stat.js';
import { ioError, isMissing } from '../root/io-error.js';
import { RootDirectory } from '../root/root-directory.js';
import type { Change } from './change.js';
import { compareChanges } from './change.js';
import { InodeSet } from './inode-set.js';
import { sizeWalk } from './size-walk.js';
import { runInTurns } from './turn-taking.js';

export interface SizeOptions {
  /** Do without the native addon. Default false. */
  readonly portable?: boolean;
  readonly signal?: AbortSignal;
}

function checkSizeOptions(where: string, root: string, options: SizeOptions): void {
  assertPath(where, 'root', root);
  assertKnownKeys(where, options, ['portable', 'signal']);
  if (options.portable !== undefined) assertBoolean(where, 'portable', options.portable);
  if (options.signal !== undefined) assertSignal(where, 'signal', options.signal);
  options.signal?.throwIfAborted();
}

/**
 * Bytes in the files below `root`; directories count nothing.
 * @throws OPTION_INVALID, OPTION_UNKNOWN, ARCHIVE_IO when the root is missing, or the signal's reason
 */
export async function treeSize(root: string, options: SizeOptions = {}): Promise<number> {
  checkSizeOptions('treeSize', root, options);
  await using tree = RootDirectory.open(root, options);
  const inodes = new InodeSet();
  return await runInTurns(
    sizeWalk(tree.directory(''), (stat) => inodes.firstSight(stat)),
    options.signal,
  );
}

/**
 * Bytes in the files that were added or modified; deletions and directories count nothing, what has vanished neither.
 * @throws OPTION_INVALID, OPTION_UNKNOWN, ARCHIVE_IO, or the signal's reason
 */
export async function changesSize(
  root: string,
  changes: readonly Change[],
  options: SizeOptions = {},
): Promise<number> {
  checkSizeOptions('changesSize', root, options);
  await using tree = RootDirectory.open(root, options);
  return await runInTurns(sumChanges(tree, changes), options.signal);
}

function* sumChanges(tree: RootDirectory, changes: readonly Change[]): Generator<void, number, undefined> {
  const inodes = new InodeSet();
  using trail = new DirectoryTrail(tree.top);
  let total = 0;
  for (const change of [...changes].sort(compareChanges)) {
    yield;
    if (change.kind === 'delete') continue;
    const path = nameOf(change.path).replace(/^\/+/, '');
    try {
      const stat = trail.enter(parentName(path)).lstat(baseName(path));
      if (!isDirectory(stat) && inodes.firstSight(stat)) total += stat.size;
    } catch (error) {
      if (!isMissing(error) && errnoOf(error) !== 'ELOOP') throw ioError(error, 'stat', path);
    }
  }
  return total;
}
