/** Where payload bytes go in the file that is being unpacked: one after the other, or into the fragments of a sparse file. */
import type { OperationBatch } from '../execute/batch-encoder.js';
import type { SparseFragment } from '../tar/entry.js';

export class PayloadWriter {
  #fragments: readonly SparseFragment[] | undefined;
  #fragment = 0;
  /** Position in the file, or in the current fragment. */
  #position = 0;

  begin(fragments: readonly SparseFragment[] | undefined): void {
    this.#fragments = fragments;
    this.#fragment = 0;
    this.#position = 0;
  }

  /** `length` bytes at `chunkOffset` of the chunk. */
  write(batch: OperationBatch, chunkOffset: number, length: number): void {
    if (this.#fragments === undefined) {
      batch.data(this.#position, chunkOffset, length);
      this.#position += length;
      return;
    }
    let from = chunkOffset;
    const end = chunkOffset + length;
    while (from < end) {
      const fragment = this.#fragments[this.#fragment];
      // The reader has checked that payload and map agree.
      if (fragment === undefined) return;
      const take = Math.min(end - from, fragment.length - this.#position);
      if (take > 0) batch.data(fragment.offset + this.#position, from, take);
      from += take;
      this.#position += take;
      if (this.#position === fragment.length) {
        this.#fragment++;
        this.#position = 0;
      }
    }
  }
}
