/**
 * XXH64 with seed 0 (the xxHash specification, version 0.1.1), for the content checksums of zstd frames. The bulk works
 * on pairs of 32-bit integers, because BigInt is some twenty times slower; what happens once per stream uses BigInt.
 */

const PRIME_1 = 0x9e3779b185ebca87n;
const PRIME_2 = 0xc2b2ae3d27d4eb4fn;
const PRIME_3 = 0x165667b19e3779f9n;
const PRIME_4 = 0x85ebca77c2b2ae63n;
const PRIME_5 = 0x27d4eb2f165667c5n;

const P1_HIGH = 0x9e3779b1 | 0;
const P1_LOW = 0x85ebca87 | 0;
const P2_HIGH = 0xc2b2ae3d | 0;
const P2_LOW = 0x27d4eb4f | 0;

const STRIPE_BYTES = 32;
const LANES = 4;

/** High 32 bits of the unsigned product of two 32-bit integers. */
function highProduct(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const other = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + (middle >>> 16) + (other >>> 16)) | 0;
}

const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotate = (value: bigint, bits: bigint): bigint => wrap(value << bits) | (value >> (64n - bits));
const round = (lane: bigint): bigint => wrap(rotate(wrap(lane * PRIME_2), 31n) * PRIME_1);

/** Incremental: `update` with pieces of any size, `low32` at the end. */
export class XxHash64 {
  /** High and low word of each accumulator. */
  readonly #lanes: Int32Array = Int32Array.of(
    ...[PRIME_1 + PRIME_2, PRIME_2, 0n, -PRIME_1].flatMap((lane) => [
      Number(BigInt.asIntN(32, lane >> 32n)),
      Number(BigInt.asIntN(32, lane)),
    ]),
  );
  readonly #tail = new Uint8Array(STRIPE_BYTES);
  #tailLength = 0;
  #length = 0;

  update(bytes: Uint8Array): void {
    this.#length += bytes.byteLength;
    let from = 0;
    if (this.#tailLength > 0) {
      const part = bytes.subarray(0, STRIPE_BYTES - this.#tailLength);
      this.#tail.set(part, this.#tailLength);
      this.#tailLength += part.byteLength;
      from = part.byteLength;
      if (this.#tailLength < STRIPE_BYTES) return;
      this.#stripes(this.#tail, 0, STRIPE_BYTES);
    }
    const end = bytes.byteLength - ((bytes.byteLength - from) % STRIPE_BYTES);
    this.#stripes(bytes, from, end);
    this.#tail.set(bytes.subarray(end));
    this.#tailLength = bytes.byteLength - end;
  }

  /** The low 32 bits of the hash of everything so far, unsigned. */
  low32(): number {
    return Number(this.digest() & 0xffff_ffffn);
  }

  digest(): bigint {
    let hash = wrap(this.#merged() + BigInt(this.#length));
    const tail = new DataView(this.#tail.buffer, 0, this.#tailLength);
    let at = 0;
    for (; at + 8 <= this.#tailLength; at += 8) {
      hash = wrap(rotate(hash ^ round(tail.getBigUint64(at, true)), 27n) * PRIME_1 + PRIME_4);
    }
    if (at + 4 <= this.#tailLength) {
      hash = wrap(rotate(hash ^ wrap(BigInt(tail.getUint32(at, true)) * PRIME_1), 23n) * PRIME_2 + PRIME_3);
      at += 4;
    }
    for (; at < this.#tailLength; at += 1) {
      hash = wrap(rotate(hash ^ wrap(BigInt(tail.getUint8(at)) * PRIME_5), 11n) * PRIME_1);
    }
    hash = wrap((hash ^ (hash >> 33n)) * PRIME_2);
    hash = wrap((hash ^ (hash >> 29n)) * PRIME_3);
    return hash ^ (hash >> 32n);
  }

  #merged(): bigint {
    if (this.#length < STRIPE_BYTES) return PRIME_5;
    const lanes = Array.from({ length: LANES }, (_, lane) => {
      const high = BigInt(this.#lanes[lane * 2] ?? 0);
      return wrap((high << 32n) | BigInt.asUintN(32, BigInt(this.#lanes[lane * 2 + 1] ?? 0)));
    });
    const rotations = [1n, 7n, 12n, 18n];
    const sum = lanes.reduce((total, lane, index) => total + rotate(lane, rotations[index] ?? 0n), 0n);
    return lanes.reduce((hash, lane) => wrap((hash ^ round(lane)) * PRIME_1 + PRIME_4), wrap(sum));
  }

  /** For each lane: accumulator = rotate(accumulator + input * P2, 31) * P1. */
  #stripes(bytes: Uint8Array, start: number, end: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const lanes = this.#lanes;
    for (let lane = 0; lane < LANES; lane += 1) {
      let high = lanes[lane * 2] ?? 0;
      let low = lanes[lane * 2 + 1] ?? 0;
      for (let at = start + lane * 8; at < end; at += STRIPE_BYTES) {
        const inLow = view.getInt32(at, true);
        const inHigh = view.getInt32(at + 4, true);
        const mixedLow = Math.imul(inLow, P2_LOW);
        const mixedHigh = highProduct(inLow, P2_LOW) + Math.imul(inHigh, P2_LOW) + Math.imul(inLow, P2_HIGH);
        const sum = (low >>> 0) + (mixedLow >>> 0);
        const sumLow = sum | 0;
        const sumHigh = (high + mixedHigh + (sum > 0xffff_ffff ? 1 : 0)) | 0;
        const turnedHigh = (sumHigh << 31) | (sumLow >>> 1);
        const turnedLow = (sumLow << 31) | (sumHigh >>> 1);
        low = Math.imul(turnedLow, P1_LOW);
        high =
          (highProduct(turnedLow, P1_LOW) + Math.imul(turnedHigh, P1_LOW) + Math.imul(turnedLow, P1_HIGH)) |
          0;
      }
      lanes[lane * 2] = high;
      lanes[lane * 2 + 1] = low;
    }
  }
}
