/**
 * Numbers in tar header fields: octal text, or GNU base-256 (two's complement, big endian, marked by the high bit of the
 * first byte). Values are JavaScript numbers, so anything outside ±(2^53 - 1) is reported and never rounded.
 */
import { SPACE } from './layout.js';

const ZERO = 0x30;
const TWO_32 = 2 ** 32;

/**
 * Octal text with NULs and spaces around it, up to the first NUL; an empty field is 0.
 * @returns NaN when there is anything but octal digits
 */
export function parseOctal(bytes: Uint8Array, at: number, length: number): number {
  let start = at;
  const end = at + length;
  while (start < end && (bytes[start] === 0 || bytes[start] === SPACE)) start++;
  let value = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0;
    if (byte >= ZERO && byte < ZERO + 8) value = value * 8 + (byte - ZERO);
    else if (byte === 0) return value;
    else return byte === SPACE && onlyFillFrom(bytes, i, end) ? value : Number.NaN;
  }
  return value;
}

function onlyFillFrom(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 0 && bytes[i] !== SPACE) return false;
  return true;
}

/**
 * A base-256 field of at least 8 bytes.
 * @returns NaN when the value does not fit 64 bits, ±Infinity when it does but is outside ±(2^53 - 1)
 */
function parseBase256(bytes: Uint8Array, at: number, length: number): number {
  const invert = ((bytes[at] ?? 0) & 0x40) === 0 ? 0 : 0xff;
  const digit = (i: number): number => ((bytes[at + i] ?? 0) ^ invert) & (i === 0 ? 0x7f : 0xff);
  let high = 0;
  let low = 0;
  for (let i = 0; i < length - 8; i++) if (digit(i) !== 0) return Number.NaN;
  for (let i = length - 8; i < length - 4; i++) high = high * 256 + digit(i);
  for (let i = length - 4; i < length; i++) low = low * 256 + digit(i);
  if (high >= TWO_32 / 2) return Number.NaN;
  const magnitude = high * TWO_32 + low;
  const value = invert === 0 ? magnitude : -magnitude - 1;
  if (Number.isSafeInteger(value)) return value;
  return value > 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
}

/**
 * A numeric header field of 8 or 12 bytes, octal or base-256.
 * @returns NaN when malformed or over 64 bits, ±Infinity when outside ±(2^53 - 1)
 */
export function parseNumeric(bytes: Uint8Array, at: number, length: number): number {
  return (bytes[at] ?? 0) >= 0x80 ? parseBase256(bytes, at, length) : parseOctal(bytes, at, length);
}

/** True when `value` can be written as octal digits and a NUL in `length` bytes. */
export function fitsInOctal(length: number, value: number): boolean {
  return value >= 0 && value < 8 ** (length - 1);
}

/** True when `value` can be written as base-256 in `length` bytes. */
export function fitsInBase256(length: number, value: number): boolean {
  const bound = 256 ** (length - 1);
  return value >= -bound && value < bound;
}

/** Writes octal digits filled with zeros and a NUL; a value that does not fit is written as zero. */
export function formatOctal(bytes: Uint8Array, at: number, length: number, value: number): void {
  let rest = fitsInOctal(length, value) ? value : 0;
  for (let i = length - 2; i >= 0; i--) {
    bytes[at + i] = ZERO + (rest % 8);
    rest = Math.floor(rest / 8);
  }
  bytes[at + length - 1] = 0;
}

/** Writes octal when the value fits, base-256 when that fits, else zero. */
export function formatNumeric(bytes: Uint8Array, at: number, length: number, value: number): void {
  if (fitsInOctal(length, value) || !fitsInBase256(length, value)) {
    formatOctal(bytes, at, length, value);
    return;
  }
  let rest = value;
  for (let i = length - 1; i >= 0; i--) {
    const digit = ((rest % 256) + 256) % 256;
    bytes[at + i] = digit;
    rest = (rest - digit) / 256;
  }
  bytes[at] = (bytes[at] ?? 0) | 0x80;
}
