/** Checksums on their way to the main thread: one growing byte array, because a message copies objects one by one. */

/** fileIndex (u32, little endian) and CRC-64 (8 bytes, big endian). */
export const CHECKSUM_RECORD_BYTES = 12;
const INITIAL_RECORDS = 256;

export class ChecksumLog {
  #bytes = new Uint8Array(INITIAL_RECORDS * CHECKSUM_RECORD_BYTES);
  #length = 0;

  add(fileIndex: number, crc: Uint8Array): void {
    if (this.#length === this.#bytes.length) {
      const grown = new Uint8Array(this.#bytes.length * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    new DataView(this.#bytes.buffer).setUint32(this.#length, fileIndex, true);
    this.#bytes.set(crc, this.#length + 4);
    this.#length += CHECKSUM_RECORD_BYTES;
  }

  /** The records since the last call. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }
}
