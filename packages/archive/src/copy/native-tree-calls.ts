/** The addon's tree copy and removal, with its failures and warnings in this package's terms. */
import type { NativeCalls, TreeCopyWarning } from '@x/native';
import { errnoOf, isLayerStoreError, type LayerStoreError } from '../errors.js';
import { displayName, nameOfText } from '../root/byte-name.js';
import { ioError } from '../root/io-error.js';
import type { CopyTreeResult, CopyWarning, ResolvedCopyOptions } from './copy-options.js';

const WARNING_KIND: Readonly<Record<string, CopyWarning['kind']>> = { mknodat: 'device', mknod: 'device' };

/** Runs on a thread of the addon's own. @throws ARCHIVE_IO, or the signal's reason */
export async function nativeCopyTree(
  calls: NativeCalls,
  source: string,
  target: string,
  options: ResolvedCopyOptions,
): Promise<CopyTreeResult> {
  const { mode, copyOpaque, shortfalls, signal } = options;
  const cancel = new Uint8Array(new SharedArrayBuffer(1));
  const abort = (): void => {
    Atomics.store(cancel, 0, 1);
  };
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const { warnings, warningsDropped, files, directories, links, others, bytes } = await calls.copyTree(
      source,
      target,
      {
        mode,
        copyOpaque,
        xattrs: shortfalls,
        ownership: shortfalls,
        devices: shortfalls,
        cancel,
      },
    );
    for (const warning of warnings) options.onWarning(copyWarning(warning));
    if (warningsDropped > 0) {
      options.onWarning({ kind: 'ownership', path: '', message: `${warningsDropped} further warnings` });
    }
    return { files, directories, links, others, bytes };
  } catch (error) {
    if (errnoOf(error) === 'ECANCELED') signal?.throwIfAborted();
    throw treeError(error, 'copy the tree', source);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** @throws ARCHIVE_IO */
export async function nativeRemoveTree(calls: NativeCalls, path: string): Promise<void> {
  try {
    await calls.removeTree(path);
  } catch (error) {
    throw treeError(error, 'remove', path);
  }
}

function copyWarning({ syscall, errno, path, detail }: TreeCopyWarning): CopyWarning {
  const kind = WARNING_KIND[syscall] ?? (syscall.includes('xattr') ? 'xattrs' : 'ownership');
  return {
    kind,
    path: displayName(path),
    message: `${syscall}: ${errno}${detail === '' ? '' : ` (${detail})`}`,
  };
}

/** The addon names the object inside the tree; without that it is about the tree as a whole. */
function treeError(error: unknown, doing: string, path: string): LayerStoreError {
  if (isLayerStoreError(error)) return error;
  const inner = typeof error === 'object' && error !== null && 'path' in error ? error.path : undefined;
  return ioError(error, doing, typeof inner === 'string' && inner !== '' ? inner : nameOfText(path));
}
