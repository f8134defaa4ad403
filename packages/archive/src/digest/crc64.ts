/**
 * CRC-64/ISO (reflected polynomial 0xD800000000000000, initial value and final xor all ones), the checksum tar-split
 * keeps for every payload (spec/layer-archive.md 3.2). JavaScript has no fast 64-bit integers, so the high and low halves of
 * the register are kept apart.
 *
 * Eight bytes are taken at a time without tables of their values: the polynomial is x^64 + x^4 + x^3 + x + 1, so moving the
 * register on by 64 places is multiplying it by x^4 + x^3 + x + 1, three shifts and four exclusive ors. What that carries out
 * of the register, at most four places, is taken back the same way, and depends on its last four bits only.
 */

const POLYNOMIAL_HIGH = 0xd8000000 | 0;

/** The register after one byte, as high and low halves, by the byte. */
interface ByteTables {
  readonly low: Int32Array;
  readonly high: Int32Array;
}

let byteTables: ByteTables | undefined;

function buildByteTables(): ByteTables {
  const low = new Int32Array(256);
  const high = new Int32Array(256);
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
  return { low, high };
}

/** Built when first needed: importing the package costs nothing. */
function sharedByteTables(): ByteTables {
  byteTables ??= buildByteTables();
  return byteTables;
}

/**
 * By the last four bits of the register: what the multiplication carries out of it, taken back into the high half. Bit 31 is
 * the coefficient of x^0, the register's bit 0 that of x^63.
 */
const CARRIED: Int32Array = Int32Array.from({ length: 16 }, (_, last) => {
  // Coefficient of x^(64 + k) in bit k.
  const out = (power: number): number => {
    let carried = 0;
    for (let bit = 0; bit < power; bit++) if ((last >> bit) & 1) carried |= 1 << (power - 1 - bit);
    return carried;
  };
  const carried = out(1) ^ out(3) ^ out(4);
  const reduced = carried ^ (carried << 1) ^ (carried << 3) ^ (carried << 4);
  let high = 0;
  for (let power = 0; power < 8; power++) if ((reduced >> power) & 1) high |= 1 << (31 - power);
  return high;
});

const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** An incremental CRC-64/ISO. `digest` may be called at any time and does not end the sum. */
export class Crc64 {
  readonly #tables: ByteTables = sharedByteTables();
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
    let lo = this.#low;
    let hi = this.#high;
    for (let index = 0; index < length; index += 2) {
      const a = lo ^ (words[index] as number);
      const b = hi ^ (words[index + 1] as number);
      lo = a ^ ((a >>> 1) | (b << 31)) ^ ((a >>> 3) | (b << 29)) ^ ((a >>> 4) | (b << 28));
      hi = b ^ (b >>> 1) ^ (b >>> 3) ^ (b >>> 4) ^ (CARRIED[a & 15] as number);
    }
    this.#low = lo;
    this.#high = hi;
  }
}
