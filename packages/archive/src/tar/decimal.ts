/** Decimal integers in pax values and sparse maps, straight from bytes. */

const ZERO = 0x30;
const MINUS = 0x2d;
const PLUS = 0x2b;
/** 2^63 has 19 digits; more significant digits than that fit no 64-bit integer. */
const MAX_DIGITS = 19;

/**
 * Digits with an optional sign, nothing around them.
 * @returns NaN when malformed or certain to be over 64 bits, ±Infinity when outside ±(2^53 - 1)
 */
export function parseDecimal(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  const sign = bytes[start];
  let at = sign === MINUS || sign === PLUS ? start + 1 : start;
  if (at >= end) return Number.NaN;
  while (at < end - 1 && bytes[at] === ZERO) at++;
  if (end - at > MAX_DIGITS) return Number.NaN;
  let value = 0;
  for (let i = at; i < end; i++) {
    const digit = (bytes[i] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  if (!Number.isSafeInteger(value))
    return sign === MINUS ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  // `0 - 0` is 0 where `-0` would be negative zero.
  return sign === MINUS ? 0 - value : value;
}
