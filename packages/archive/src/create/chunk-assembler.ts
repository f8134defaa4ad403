/** Collects headers and small files into chunks worth handing on: a chunk per header would drown in stream overhead. */

/** 1 MiB, what the consumers of this project read and hash at a time. */
export const CHUNK_LENGTH: number = 1024 * 1024;
/** A last chunk below this is copied, so that a small archive does not pin a whole chunk. */
const TRIM_BELOW = CHUNK_LENGTH / 4;

/** Chunks are handed out for good: each is new memory that the consumer may keep. */
export class ChunkAssembler {
  #current: Buffer = Buffer.allocUnsafeSlow(CHUNK_LENGTH);
  #length = 0;
  readonly #full: Uint8Array[] = [];

  /** The chunk being filled; bytes from `position` on are free. */
  get buffer(): Buffer {
    return this.#current;
  }

  get position(): number {
    return this.#length;
  }

  get room(): number {
    return CHUNK_LENGTH - this.#length;
  }

  /** Counts bytes that the caller has written at `position`. */
  advance(length: number): void {
    this.#length += length;
    if (this.#length === CHUNK_LENGTH) this.seal();
  }

  append(bytes: Uint8Array): void {
    let from = 0;
    while (from < bytes.length) {
      const length = Math.min(this.room, bytes.length - from);
      this.#current.set(length === bytes.length ? bytes : bytes.subarray(from, from + length), this.#length);
      from += length;
      this.advance(length);
    }
  }

  zeros(count: number): void {
    let left = count;
    while (left > 0) {
      const length = Math.min(this.room, left);
      this.#current.fill(0, this.#length, this.#length + length);
      left -= length;
      this.advance(length);
    }
  }

  /** Ends the chunk being filled, so that the next `CHUNK_LENGTH` bytes are contiguous. */
  seal(): void {
    if (this.#length === 0) return;
    this.#full.push(this.#current.subarray(0, this.#length));
    this.#current = Buffer.allocUnsafeSlow(CHUNK_LENGTH);
    this.#length = 0;
  }

  /** True when a chunk waits to be taken. */
  get ready(): boolean {
    return this.#full.length > 0;
  }

  /** The oldest full chunk. */
  take(): Uint8Array | undefined {
    return this.#full.shift();
  }

  /** What is left, when everything full has been taken. */
  rest(): Uint8Array | undefined {
    if (this.#length === 0) return undefined;
    const rest = this.#current.subarray(0, this.#length);
    this.#length = 0;
    return rest.length < TRIM_BELOW ? Buffer.from(rest) : rest;
  }
}
