import { setMaxListeners } from 'node:events';
import { LayerStoreError } from '@x/archive';
import type { DiffStream } from '../driver/contract.js';
import { diffStream } from '../driver/diff-stream.js';

/** What runs in a store. Closing stops every operation with STORE_ABORTED_BY_CLOSE, and waits until all have cleaned up. */
export class Operations {
  readonly #root: string;
  readonly #running = new Set<Promise<unknown>>();
  readonly #streams = new Set<DiffStream>();
  readonly #stop = new AbortController();

  constructor(root: string) {
    this.#root = root;
    // Every operation listens while it runs, however many there are: not a leak.
    setMaxListeners(Number.POSITIVE_INFINITY, this.#stop.signal);
  }

  /** True once closing has begun. */
  get closed(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Throws STORE_CLOSED once closing has begun. */
  requireOpen(): void {
    if (!this.#stop.signal.aborted) return;
    throw new LayerStoreError('STORE_CLOSED', `the store ${this.#root} is closed: open it again`, {
      path: this.#root,
    });
  }

  /** Runs an operation with a signal that the caller's signal and the closing of the store abort. */
  async run<T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.requireOpen();
    signal?.throwIfAborted();
    const either = signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal]);
    const running = work(either).catch((error: unknown) => {
      // Whatever the abort made fail on its way, the caller is told of the abort.
      throw either.aborted ? either.reason : error;
    });
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Opens a stream that closing the store closes. */
  stream(
    signal: AbortSignal | undefined,
    produce: (signal: AbortSignal) => AsyncGenerator<Uint8Array, void, undefined>,
  ): DiffStream {
    this.requireOpen();
    const stream = diffStream(produce, {
      signal: signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal]),
      onClosed: () => this.#streams.delete(stream),
    });
    this.#streams.add(stream);
    return stream;
  }

  async close(): Promise<void> {
    this.#stop.abort(
      new LayerStoreError(
        'STORE_ABORTED_BY_CLOSE',
        `the store ${this.#root} was closed during the operation`,
        {
          path: this.#root,
        },
      ),
    );
    await Promise.allSettled([...this.#streams].map((stream) => stream.close()));
    while (this.#running.size > 0) await Promise.allSettled([...this.#running]);
  }
}
