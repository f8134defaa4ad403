import { Buffer } from 'node:buffer';
import { LayerStoreError } from '../errors.js';
import { GATHER_BEGIN, GATHER_END } from './gather.js';

const FIRST_SIZE = 64 * 1024;
/** flags, outOffset, length, pathLength, fileSize, checksum: a record without its path. */
const LARGEST_RECORD = 1 + 4 + 4 + 2 + 8 + 8;
const PATH_LIMIT = 0xffff;

/** Which range of an output buffer comes from which file: the plan a `Gatherer` carries out. */
export class GatherPlan {
  #bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_SIZE);
  #length = 0;

  get empty(): boolean {
    return this.#length === 0;
  }

  /** The plan so far; valid until the next call of any other method. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  reset(): void {
    this.#length = 0;
  }

  /**
   * The next `length` bytes of a file go to `outOffset`. `begin` when they are its first, `crc` when they are its last.
   * Fails with ARCHIVE_INVALID_NAME for a path no system call takes.
   */
  read(
    outOffset: number,
    length: number,
    begin: { readonly path: Uint8Array; readonly size: number } | undefined,
    crc: Uint8Array | undefined,
  ): void {
    const pathLength = begin === undefined ? 0 : begin.path.length;
    if (pathLength > PATH_LIMIT) {
      throw new LayerStoreError('ARCHIVE_INVALID_NAME', `an entry name has ${pathLength} bytes`);
    }
    this.#grow(LARGEST_RECORD + pathLength);
    const bytes = this.#bytes;
    let at = this.#length;
    bytes[at] = (begin === undefined ? 0 : GATHER_BEGIN) | (crc === undefined ? 0 : GATHER_END);
    at = bytes.writeUInt32LE(outOffset, at + 1);
    at = bytes.writeUInt32LE(length, at);
    at = bytes.writeUInt16LE(pathLength, at);
    if (begin !== undefined) {
      at = bytes.writeUInt32LE(begin.size % 2 ** 32, at);
      at = bytes.writeUInt32LE(Math.floor(begin.size / 2 ** 32), at);
      bytes.set(begin.path, at);
      at += pathLength;
    }
    if (crc !== undefined) {
      bytes.set(crc, at);
      at += 8;
    }
    this.#length = at;
  }

  #grow(room: number): void {
    if (this.#length + room <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#length + room));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
