/**
 * CRC-64/ISO (reflected polynomial 0xD800000000000000, initial value and final xor all ones), the checksum tar-split
 * keeps for every payload (spec/layer-archive.md 3.2). Eight bytes a step with sixteen 32-bit tables: JavaScript has no
 * fast 64-bit integers, so the high and low halves are kept apart.
 */

const POLYNOMIAL_HIGH = 0xd8000000 | 0;
const SLICES = 8;

interface Tables {
  /** Low halves; entry `slice * 256 + byte`. */
  readonly low: Int32Array;
  readonly high: Int32Array;
}

let tables: Tables | undefined;

function buildTables(): Tables {
  const low = new Int32Array(SLICES * 256);
  const high = new Int32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let lo = byte;
    let hi = 0;
    for (let bit = 0; bit < 8; bit++) {
      const carry = lo & 1;
      lo = (lo >>> 1) | (hi << 31);
      hi = carry === 0 ? hi >>> 1 : (hi >>> 1) ^ POLYNOMIAL_HIGH;
    }
    low[byte] = lo;
    high[byte] = hi;
  }
  for (let index = 256; index < SLICES * 256; index++) {
    const lo = low[index - 256] ?? 0;
    const hi = high[index - 256] ?? 0;
    const step = lo & 0xff;
    low[index] = ((lo >>> 8) | (hi << 24)) ^ (low[step] ?? 0);
    high[index] = (hi >>> 8) ^ (high[step] ?? 0);
  }
  return { low, high };
}

/** Built when first needed: importing the package costs nothing. */
function sharedTables(): Tables {
  tables ??= buildTables();
  return tables;
}

const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** An incremental CRC-64/ISO. `digest` may be called at any time and does not end the sum. */
export class Crc64 {
  readonly #tables: Tables = sharedTables();
  #low = -1;
  #high = -1;

  /** Starts over, so that one object can serve many files. */
  reset(): void {
    this.#low = -1;
    this.#high = -1;
  }

  update(bytes: Uint8Array): this {
    const end = bytes.length;
    let position = 0;
    if (LITTLE_ENDIAN && end >= 16) {
      const lead = -bytes.byteOffset & 3;
      this.#bytewise(bytes, 0, lead);
      const pairs = (end - lead) >>> 3;
      this.#pairwise(new Int32Array(bytes.buffer, bytes.byteOffset + lead, pairs * 2), pairs * 2);
      position = lead + pairs * 8;
    }
    this.#bytewise(bytes, position, end);
    return this;
  }

  /** The sum so far: 8 bytes, big endian. */
  digest(): Uint8Array {
    const sum = new Uint8Array(8);
    const view = new DataView(sum.buffer);
    view.setInt32(0, ~this.#high);
    view.setInt32(4, ~this.#low);
    return sum;
  }

  #bytewise(bytes: Uint8Array, start: number, end: number): void {
    const { low, high } = this.#tables;
    let lo = this.#low;
    let hi = this.#high;
    for (let index = start; index < end; index++) {
      const slot = (lo ^ (bytes[index] as number)) & 0xff;
      lo = ((lo >>> 8) | (hi << 24)) ^ (low[slot] as number);
      hi = (hi >>> 8) ^ (high[slot] as number);
    }
    this.#low = lo;
    this.#high = hi;
  }

  #pairwise(words: Int32Array, length: number): void {
    const { low, high } = this.#tables;
    let lo = this.#low;
    let hi = this.#high;
    for (let index = 0; index < length; index += 2) {
      const a = lo ^ (words[index] as number);
      const b = hi ^ (words[index + 1] as number);
      const s7 = 1792 + (a & 0xff);
      const s6 = 1536 + ((a >>> 8) & 0xff);
      const s5 = 1280 + ((a >>> 16) & 0xff);
      const s4 = 1024 + (a >>> 24);
      const s3 = 768 + (b & 0xff);
      const s2 = 512 + ((b >>> 8) & 0xff);
      const s1 = 256 + ((b >>> 16) & 0xff);
      const s0 = b >>> 24;
      lo =
        (low[s7] as number) ^
        (low[s6] as number) ^
        (low[s5] as number) ^
        (low[s4] as number) ^
        (low[s3] as number) ^
        (low[s2] as number) ^
        (low[s1] as number) ^
        (low[s0] as number);
      hi =
        (high[s7] as number) ^
        (high[s6] as number) ^
        (high[s5] as number) ^
        (high[s4] as number) ^
        (high[s3] as number) ^
        (high[s2] as number) ^
        (high[s1] as number) ^
        (high[s0] as number);
    }
    this.#low = lo;
    this.#high = hi;
  }
}
