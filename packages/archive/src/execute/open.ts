/** Which executor and gatherer this process uses: the addon's where it is loaded, else the worker-thread ones. */

import { loadNative } from '@x/native';
import type { Gatherer, OpenGatherer } from './gather.js';
import { openNativeExecutor } from './native-executor.js';
import { openNativeGatherer } from './native-gatherer.js';
import type { ExecutorOptions, ExtractExecutor, OpenExtractExecutor } from './operation.js';

/**
 * Opens an executor on `root`, an existing directory that is not a symbolic link; `portable: true` passes the addon by.
 * Fails with ARCHIVE_IO when the root cannot be opened.
 */
export const openExtractExecutor: OpenExtractExecutor = async (
  root: string,
  { portable, ...options }: ExecutorOptions & { readonly portable?: boolean },
): Promise<ExtractExecutor> => {
  const native = portable === true ? undefined : loadNative();
  if (native?.available === true) return openNativeExecutor(native.calls, root, options);
  // Imported where needed: programs with the addon never load the worker.
  const { openPortableExecutor } = await import('./portable-executor.js');
  return await openPortableExecutor(root, options);
};

/**
 * Opens a gatherer on one or more roots, in order of preference; `portable: true` passes the addon by. Fails with ARCHIVE_IO
 * when a root is not a directory.
 */
export const openGatherer: OpenGatherer = async (
  roots: readonly string[],
  options: { readonly portable?: boolean } = {},
): Promise<Gatherer> => {
  const native = options.portable === true ? undefined : loadNative();
  if (native?.available === true) return openNativeGatherer(native.calls, roots);
  const { openPortableGatherer } = await import('./portable-gatherer.js');
  return await openPortableGatherer(roots);
};
