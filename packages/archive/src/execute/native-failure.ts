/** What the addon's tree classes throw, as errors of this library. */

import type { NativeError } from '@x/native';
import { type ErrorCode, isLayerStoreError, LayerStoreError } from '../errors.js';

interface TreeError extends Partial<NativeError> {
  /** Set where the addon refused for a reason of its own. */
  readonly kind?: string;
  readonly dest?: string;
  readonly detail?: string;
}

const REFUSALS: ReadonlyMap<
  string,
  readonly [code: ErrorCode, message: (path: string, detail: string) => string]
> = new Map([
  [
    'breakout',
    [
      'ARCHIVE_BREAKOUT',
      (path, detail) => `"${path}" would reach outside the root (${detail}); do not trust this archive`,
    ],
  ],
  [
    'invalid-link',
    [
      'ARCHIVE_INVALID_LINK',
      (path, detail) => `hard link "${path}" names "${detail}", which is not a file in the root`,
    ],
  ],
  [
    'overwrite-refused',
    [
      'ARCHIVE_OVERWRITE_REFUSED',
      (path) => `"${path}": the options forbid a directory and a non-directory to replace each other`,
    ],
  ],
  ['body-mismatch', ['ARCHIVE_BODY_MISMATCH', (path, detail) => `"${path}" got ${detail} its header says`]],
  [
    'corrupt',
    [
      'ARCHIVE_FILE_CORRUPT',
      (path, detail) =>
        `file integrity checksum failed: "${path}": ${detail}; the layer directory was changed after it was unpacked`,
    ],
  ],
]);

/**
 * Refusals by their kind; a malformed batch or plan is a fault of this library (STORE_INVARIANT); everything else is a failed
 * system call (ARCHIVE_IO with errno, syscall and path).
 */
export function nativeFailure(error: unknown): LayerStoreError {
  if (isLayerStoreError(error)) return error;
  const { kind, code, syscall, path, detail, message } = (error ?? {}) as TreeError;
  const refusal = kind === undefined ? undefined : REFUSALS.get(kind);
  const fields = {
    ...(path === undefined ? {} : { path }),
    ...(code === undefined ? {} : { errno: code }),
    ...(syscall === undefined ? {} : { syscall }),
    cause: error,
  };
  if (refusal !== undefined)
    return new LayerStoreError(refusal[0], refusal[1](path ?? '', detail ?? ''), fields);
  if (syscall === undefined || syscall === 'batch' || syscall === 'plan') {
    return new LayerStoreError(
      'STORE_INVARIANT',
      `${message ?? 'the addon failed'}; please report it`,
      fields,
    );
  }
  return new LayerStoreError('ARCHIVE_IO', `${syscall} of "${path ?? '.'}" failed: ${code ?? ''}`, fields);
}
