import { GATHER_BEGIN, GATHER_END } from './gather.js';

const CHECKSUM_BYTES = 8;

/** Reads the records of a gather plan one after the other; the fields describe the one {@link next} stopped at. */
export class GatherRecords {
  begins = false;
  ends = false;
  outOffset = 0;
  length = 0;
  /** Of the whole file; with `begins` only. */
  fileSize = 0;
  readonly #plan: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #pathStart = 0;
  #pathEnd = 0;

  constructor(plan: Uint8Array) {
    this.#plan = plan;
    this.#view = new DataView(plan.buffer, plan.byteOffset, plan.byteLength);
  }

  /** False at the end of the plan. */
  next(): boolean {
    if (this.#at >= this.#plan.length) return false;
    const view = this.#view;
    const flags = view.getUint8(this.#at);
    this.begins = (flags & GATHER_BEGIN) !== 0;
    this.ends = (flags & GATHER_END) !== 0;
    this.outOffset = view.getUint32(this.#at + 1, true);
    this.length = view.getUint32(this.#at + 5, true);
    const pathLength = view.getUint16(this.#at + 9, true);
    this.#at += 11;
    if (this.begins) {
      this.fileSize = view.getUint32(this.#at, true) + view.getUint32(this.#at + 4, true) * 2 ** 32;
      this.#pathStart = this.#at + 8;
      this.#pathEnd = this.#pathStart + pathLength;
      this.#at = this.#pathEnd;
    }
    if (this.ends) this.#at += CHECKSUM_BYTES;
    return true;
  }

  /** Path of the file, a view of the plan; with `begins` only. */
  path(): Uint8Array {
    return this.#plan.subarray(this.#pathStart, this.#pathEnd);
  }

  /** The CRC-64 expected, a view of the plan; with `ends` only. */
  checksum(): Uint8Array {
    return this.#plan.subarray(this.#at - CHECKSUM_BYTES, this.#at);
  }
}
