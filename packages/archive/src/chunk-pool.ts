import { Buffer } from 'node:buffer';

/**
 * Buffers of one size that readers may hand back. A reader that does not keeps what it was given, and the pool makes
 * another one: memory that V8 has to find and free costs more than everything else that is done with a chunk.
 */
export class ChunkPool {
  readonly #size: number;
  readonly #limit: number;
  readonly #free: Buffer[] = [];
  /** Whole buffers that readers hold, by their memory. */
  readonly #lent = new WeakMap<ArrayBufferLike, Buffer>();

  /**
   * @param size bytes of each buffer
   * @param limit buffers kept while nobody uses them
   */
  constructor(size: number, limit: number) {
    this.#size = size;
    this.#limit = limit;
  }

  /** A buffer with any content. */
  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#size);
  }

  /** From now on the buffer is a reader's, who may {@link recycle} it. */
  lend(buffer: Buffer): void {
    this.#lent.set(buffer.buffer, buffer);
  }

  /** Takes back a lent buffer, or a view of its beginning. Everything else is ignored, also a second time. */
  recycle(chunk: Uint8Array): void {
    const whole = this.#lent.get(chunk.buffer);
    if (whole === undefined || chunk.byteOffset !== whole.byteOffset) return;
    this.#lent.delete(chunk.buffer);
    if (this.#free.length < this.#limit) this.#free.push(whole);
  }
}
