import type { ByteSource } from '../byte-source.js';
import { SourceReader } from '../compress/source-reader.js';
import type { TarHeader } from '../tar/entry.js';
import type { TarLimits } from '../tar/limits.js';
import { TarReader } from '../tar/reader.js';

/** What the synchronous tar reader reports, as values. Bytes are valid until the event after is asked for. */
export type TarEvent =
  | { readonly type: 'raw'; readonly bytes: Uint8Array }
  | { readonly type: 'header'; readonly header: TarHeader }
  | { readonly type: 'payload'; readonly bytes: Uint8Array }
  | { readonly type: 'end' };

/**
 * Turns the push of the tar reader into a pull: at most one chunk of the source is taken apart at a time. Events that
 * come before damage in the same chunk are still given before the error.
 */
export class TarEvents implements AsyncDisposable {
  readonly #source: SourceReader;
  readonly #reader: TarReader;
  #queue: TarEvent[] = [];
  #at = 0;
  #failure: { readonly reason: unknown } | undefined;
  #ended = false;

  constructor(source: ByteSource, limits: TarLimits = {}, signal?: AbortSignal) {
    this.#reader = new TarReader(
      {
        // The reader may hand out a buffer of its own that it uses again, so these few bytes are copied.
        raw: (bytes, start, end) => this.#queue.push({ type: 'raw', bytes: bytes.slice(start, end) }),
        header: (header) => this.#queue.push({ type: 'header', header }),
        payload: (bytes, start, end) =>
          this.#queue.push({ type: 'payload', bytes: bytes.subarray(start, end) }),
        entryEnd: () => this.#queue.push({ type: 'end' }),
      },
      limits,
    );
    this.#source = new SourceReader(source, signal);
  }

  /** The next event; `undefined` at the end of the archive. @throws the reader's and the source's errors */
  async next(): Promise<TarEvent | undefined> {
    for (;;) {
      const event = this.#queue[this.#at];
      if (event !== undefined) {
        this.#at += 1;
        return event;
      }
      if (this.#failure !== undefined) throw this.#failure.reason;
      if (this.#ended) return undefined;
      this.#queue = [];
      this.#at = 0;
      const chunk = await this.#source.next();
      try {
        if (chunk === undefined) {
          this.#ended = true;
          this.#reader.end();
        } else this.#reader.write(chunk);
      } catch (reason) {
        this.#failure = { reason };
      }
    }
  }

  /** Closes the source. Idempotent. */
  async close(): Promise<void> {
    this.#queue = [];
    this.#at = 0;
    this.#ended = true;
    await this.#source.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
