/** Copies a directory tree as it is on disk; unlike a trip through tar nothing of its metadata is lost. */
import { mkdirSync } from 'node:fs';
import { loadNative } from '@x/native';
import { runInTurns } from '../changes/turn-taking.js';
import { errnoOf } from '../errors.js';
import { assertPath } from '../options/validate.js';
import { nameOfText } from '../root/byte-name.js';
import { ioError } from '../root/io-error.js';
import { RootDirectory } from '../root/root-directory.js';
import { copyAttributes } from './attribute-copy.js';
import {
  type CopyTreeOptions,
  type CopyTreeResult,
  type ResolvedCopyOptions,
  resolveCopyOptions,
} from './copy-options.js';
import { nativeCopyTree } from './native-tree-calls.js';
import { PortableCopy } from './portable-copy.js';

/**
 * Copies the content and the metadata of directory `source` to `target`, which is made if it is missing and may hold other
 * things already. Clones (FICLONE), then copy_file_range, then read and write; hard links, holes, nanoseconds, owners,
 * attributes, devices and sockets are kept; spec/drivers.md 5.2.
 *
 * @throws OPTION_INVALID, OPTION_UNKNOWN, ARCHIVE_IO with errno and path, or the signal's reason; what was copied until
 *   then stays
 */
export async function copyTree(
  source: string,
  target: string,
  options: CopyTreeOptions = {},
): Promise<CopyTreeResult> {
  const where = 'copyTree';
  assertPath(where, 'source', source);
  assertPath(where, 'target', target);
  const resolved = resolveCopyOptions(where, options);
  resolved.signal?.throwIfAborted();
  const native = loadNative();
  if (native.available && !resolved.portable)
    return await nativeCopyTree(native.calls, source, target, resolved);
  return await portableCopyTree(source, target, resolved);
}

async function portableCopyTree(
  source: string,
  target: string,
  options: ResolvedCopyOptions,
): Promise<CopyTreeResult> {
  await using from = RootDirectory.open(source, { portable: true });
  try {
    mkdirSync(target, 0o700);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw ioError(error, 'make the directory', nameOfText(target));
  }
  await using to = RootDirectory.open(target, { portable: true });
  const result = await runInTurns(new PortableCopy(from, to, options).run(), options.signal);
  await copyAttributes(source, to, options);
  return result;
}
