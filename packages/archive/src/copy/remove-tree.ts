/** Removes a directory tree, whatever is in it. */
import { rm } from 'node:fs/promises';
import { loadNative } from '@x/native';
import { errnoOf } from '../errors.js';
import { assertPath } from '../options/validate.js';
import { nameOfText } from '../root/byte-name.js';
import { ioError } from '../root/io-error.js';
import { clearInodeFlags } from './inode-flags.js';
import { nativeRemoveTree } from './native-tree-calls.js';

/** As often as spec/drivers.md 1.13 retries a busy path, 20 ms apart and growing. */
const BUSY_RETRIES = 10;
const BUSY_DELAY_MS = 20;

export interface RemoveTreeOptions {
  /** Do without the native addon. Default false. */
  readonly portable?: boolean;
}

/**
 * Removes `path` and all below it, following nothing. Missing is fine. Immutable and append-only flags are cleared where
 * they are in the way.
 * @throws OPTION_INVALID, ARCHIVE_IO; EBUSY names a mount point in the tree
 */
export async function removeTree(path: string, options: RemoveTreeOptions = {}): Promise<void> {
  assertPath('removeTree', 'path', path);
  const native = loadNative();
  if (native.available && options.portable !== true) return await nativeRemoveTree(native.calls, path);
  const remove = (): Promise<void> =>
    rm(path, { recursive: true, force: true, maxRetries: BUSY_RETRIES, retryDelay: BUSY_DELAY_MS });
  try {
    await remove();
  } catch (error) {
    if (errnoOf(error) !== 'EPERM' || !(await clearInodeFlags(path)))
      throw ioError(error, 'remove', nameOfText(path));
    try {
      await remove();
    } catch (second) {
      throw ioError(second, 'remove', nameOfText(path));
    }
  }
}
