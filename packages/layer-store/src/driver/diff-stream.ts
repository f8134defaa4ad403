import type { DiffStream } from './contract.js';

/**
 * Makes a {@link DiffStream} of a generator function. The generator acquires on its first step and lets go in a
 * `finally`; `close` aborts the signal it was given, waits until it has come to rest, and lets its `finally` run.
 */
export function diffStream(
  produce: (signal: AbortSignal) => AsyncGenerator<Uint8Array, void, undefined>,
  options: { readonly signal?: AbortSignal; readonly onClosed?: () => void } = {},
): DiffStream {
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const generator = produce(signal);
  let settled = false;
  const settle = (): void => {
    if (settled) return;
    settled = true;
    options.onClosed?.();
  };
  let pending: Promise<unknown> = Promise.resolve();
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= (async () => {
      if (!settled) stop.abort(new DOMException('the diff stream was closed', 'AbortError'));
      await pending.catch(() => undefined);
      try {
        await generator.return();
      } finally {
        settle();
      }
    })();
    return closing;
  };
  const iterator: AsyncIterator<Uint8Array, void, undefined> = {
    next: async () => {
      const step = generator.next();
      pending = step;
      try {
        const result = await step;
        if (result.done === true) settle();
        return result;
      } catch (error) {
        settle();
        throw error;
      }
    },
    return: async () => {
      await close();
      return { done: true, value: undefined };
    },
  };
  return { [Symbol.asyncIterator]: () => iterator, close, [Symbol.asyncDispose]: close };
}
