import type { ByteSource } from '../byte-source.js';
import { LayerStoreError } from '../errors.js';

type Pull = IteratorResult<Uint8Array, unknown>;

const DONE: Pull = { done: true, value: undefined };

/**
 * The pull side of a byte source: look ahead, abort, and a close that does not wait for a read that may never end.
 * (`for await` cannot do the last: an async generator queues `return()` behind a pending `next()`, so a stalled
 * download would keep its reader for ever.)
 */
export class SourceReader implements AsyncDisposable {
  readonly #source: ByteSource;
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: () => void;
  /** Chunks taken by {@link peek} and not handed out yet; the same objects, so that passing through copies nothing. */
  readonly #ahead: Uint8Array[] = [];
  #settle: { resolve(pull: Pull): void; reject(reason: unknown): void } | undefined;
  #pending = false;
  #ended = false;
  #closed = false;
  #bytesRead = 0;

  constructor(source: ByteSource, signal?: AbortSignal) {
    this.#source = source;
    this.#signal = signal;
    this.#iterator = source[Symbol.asyncIterator]();
    this.#onAbort = () => this.#settle?.reject(signal?.reason);
    signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Bytes handed out by {@link next} so far. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /**
   * The next non-empty chunk, or `undefined` at the end or once closed. One call at a time. Rejects with the source's
   * own error, with `signal.reason`, or with OPTION_INVALID when the source gives something that is not bytes.
   */
  async next(): Promise<Uint8Array | undefined> {
    const chunk = this.#ahead.shift() ?? (await this.#pull());
    if (chunk !== undefined) this.#bytesRead += chunk.byteLength;
    return chunk;
  }

  /** Up to `length` leading bytes without consuming them; fewer only when the source is that short. */
  async peek(length: number): Promise<Uint8Array> {
    let held = this.#ahead.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    while (held < length) {
      const chunk = await this.#pull();
      if (chunk === undefined) break;
      this.#ahead.push(chunk);
      held += chunk.byteLength;
    }
    const head = new Uint8Array(Math.min(held, length));
    let at = 0;
    for (const chunk of this.#ahead) {
      if (at === head.length) break;
      const part = chunk.subarray(0, head.length - at);
      head.set(part, at);
      at += part.byteLength;
    }
    return head;
  }

  /** The remaining chunks. Ends the reader when the loop is left. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (let chunk = await this.next(); chunk !== undefined; chunk = await this.next()) yield chunk;
    } finally {
      await this.close();
    }
  }

  /** Stops the source and a pending {@link next}. Idempotent; never rejects: the caller has an error or does not care. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#ahead.length = 0;
    this.#settle?.resolve(DONE);
    if (this.#ended) return;
    const stream = this.#source as { destroy?: unknown };
    if (typeof stream.destroy === 'function') stream.destroy();
    const closing = Promise.resolve(this.#iterator.return?.()).catch(() => undefined);
    if (!this.#pending) await closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #pull(): Promise<Uint8Array | undefined> {
    for (;;) {
      this.#signal?.throwIfAborted();
      if (this.#ended || this.#closed) return undefined;
      const { done, value } = await this.#race();
      if (done === true) {
        if (!this.#closed) this.#ended = true;
        return undefined;
      }
      if (!ArrayBuffer.isView(value)) {
        throw new LayerStoreError(
          'OPTION_INVALID',
          `The byte source gave a ${typeof value} instead of a Uint8Array; do not set an encoding or object mode on it`,
          { option: 'source' },
        );
      }
      if (value.byteLength > 0) return value;
    }
  }

  /** `next()` of the source, unless abort or close comes first. No `Promise.race`: it would retain every chunk. */
  #race(): Promise<Pull> {
    return new Promise<Pull>((resolve, reject) => {
      const settle = { resolve, reject };
      this.#settle = settle;
      this.#pending = true;
      const finish = (): void => {
        this.#pending = false;
        if (this.#settle === settle) this.#settle = undefined;
      };
      this.#iterator.next().then(
        (pull) => {
          finish();
          resolve(pull);
        },
        (reason: unknown) => {
          finish();
          this.#ended = true;
          reject(reason);
        },
      );
    });
  }
}
