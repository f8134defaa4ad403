import { errnoOf, isLayerStoreError, LayerStoreError } from '@x/archive';

/** True for the error an aborted AbortSignal gives by default; such errors pass through unwrapped. */
export function isAbortError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'AbortError';
}

/** Turns whatever a driver threw into a coded error; coded errors and aborts pass unchanged. */
export function driverFailure(
  driver: { readonly name: string; readonly home: string },
  operation: string,
  id: string | undefined,
  error: unknown,
): unknown {
  if (isLayerStoreError(error) || isAbortError(error)) return error;
  const errno = errnoOf(error);
  const { syscall, path } = (error ?? {}) as { syscall?: unknown; path?: unknown };
  const subject = id === undefined ? driver.home : `layer ${id}`;
  return new LayerStoreError(
    'DRIVER_FAILED',
    `the ${driver.name} driver failed in ${operation} of ${subject}${errno === undefined ? '' : `: ${errno}`}`,
    {
      driver: driver.name,
      cause: error,
      ...(id === undefined ? {} : { cacheId: id }),
      ...(errno === undefined ? {} : { errno }),
      ...(typeof syscall === 'string' ? { syscall } : {}),
      ...(typeof path === 'string' ? { path } : {}),
    },
  );
}
