/** Turns failed system calls into coded errors that name what was being done and to which path. */
import { errnoOf, isLayerStoreError, LayerStoreError } from '../errors.js';
import { displayName } from './byte-name.js';

/**
 * @param doing what was attempted, for the message: `read`, `list`, `open the root`
 * @param path latin-1 path of the object
 * @returns an ARCHIVE_IO error with errno, syscall and path; a coded error is handed back as it is
 */
export function ioError(error: unknown, doing: string, path: string): LayerStoreError {
  if (isLayerStoreError(error)) return error;
  const errno = errnoOf(error);
  const syscall = syscallOf(error);
  return new LayerStoreError(
    'ARCHIVE_IO',
    `cannot ${doing} "${displayName(path)}": ${errno ?? String(error)}`,
    {
      cause: error,
      path: displayName(path),
      ...(errno === undefined ? {} : { errno }),
      ...(syscall === undefined ? {} : { syscall }),
    },
  );
}

/** True when the object is simply not there (any more). */
export function isMissing(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'ENOENT' || errno === 'ENOTDIR';
}

function syscallOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('syscall' in error)) return undefined;
  return typeof error.syscall === 'string' ? error.syscall : undefined;
}
