/** Cuts and joins what a source gives into chunks fit for one batch of work. */

/** Bytes of a batch. */
export const BATCH_BYTES: number = 2 * 1024 * 1024;
/** From here on a chunk is worth a batch of its own; below, chunks are copied together. */
const DIRECT_BYTES = 256 * 1024;

/**
 * A chunk that is returned is still used while the next `lifetime` ones are asked for: the executor writes from it while those
 * behind it are parsed. Joined chunks therefore take turns in one buffer more.
 */
export class ChunkJoiner {
  readonly #pull: () => Promise<Uint8Array | undefined>;
  readonly #buffers: (Buffer | undefined)[];
  #turn = 0;
  /** The rest of a chunk that was too big. */
  #rest: Uint8Array | undefined;

  constructor(pull: () => Promise<Uint8Array | undefined>, lifetime: number) {
    this.#pull = pull;
    this.#buffers = new Array<Buffer | undefined>(lifetime + 1).fill(undefined);
  }

  /** At most {@link BATCH_BYTES}; undefined at the end. */
  async next(): Promise<Uint8Array | undefined> {
    const first = this.#rest ?? (await this.#pull());
    this.#rest = undefined;
    if (first === undefined) return undefined;
    if (first.length >= DIRECT_BYTES) return this.#cut(first, BATCH_BYTES);
    return await this.#join(first);
  }

  async #join(first: Uint8Array): Promise<Uint8Array> {
    this.#turn = (this.#turn + 1) % this.#buffers.length;
    const buffer = this.#buffers[this.#turn] ?? Buffer.allocUnsafeSlow(BATCH_BYTES);
    this.#buffers[this.#turn] = buffer;
    buffer.set(first);
    let used = first.length;
    while (used < BATCH_BYTES) {
      const chunk = await this.#pull();
      if (chunk === undefined) break;
      const part = this.#cut(chunk, BATCH_BYTES - used);
      buffer.set(part, used);
      used += part.length;
    }
    return buffer.subarray(0, used);
  }

  #cut(chunk: Uint8Array, length: number): Uint8Array {
    if (chunk.length <= length) return chunk;
    this.#rest = chunk.subarray(length);
    return chunk.subarray(0, length);
  }
}
