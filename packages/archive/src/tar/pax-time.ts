/** Times in pax records: decimal seconds since the epoch with an optional fraction (POSIX.1-2001, pax `mtime`). */
import { parseDecimal } from './decimal.js';
import type { TarTime } from './entry.js';

const POINT = 0x2e;
const ZERO = 0x30;
const MINUS = 0x2d;
const NANOSECONDS = 1_000_000_000;
const FRACTION_DIGITS = 9;

/**
 * Digits after the ninth are dropped. The sign covers the fraction: `-1.25` is 1.25 s before the epoch.
 * @returns undefined when malformed or outside ±(2^53 - 1) seconds
 */
export function parsePaxTime(bytes: Uint8Array): TarTime | undefined {
  let point = 0;
  while (point < bytes.length && bytes[point] !== POINT) point++;
  const seconds = parseDecimal(bytes, 0, point);
  if (!Number.isSafeInteger(seconds)) return undefined;
  if (point >= bytes.length - 1) return { seconds, nanoseconds: 0 };
  let nanoseconds = 0;
  for (let i = point + 1; i < bytes.length; i++) {
    const digit = (bytes[i] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    if (i <= point + FRACTION_DIGITS) nanoseconds = nanoseconds * 10 + digit;
  }
  for (let digits = bytes.length - point - 1; digits < FRACTION_DIGITS; digits++) nanoseconds *= 10;
  if (bytes[0] !== MINUS || nanoseconds === 0) return { seconds, nanoseconds };
  return { seconds: seconds - 1, nanoseconds: NANOSECONDS - nanoseconds };
}

/** The shortest decimal text of a time: no fraction when there are no nanoseconds, no trailing zeros. */
export function formatPaxTime(time: TarTime): string {
  if (time.nanoseconds === 0) return `${time.seconds}`;
  const negative = time.seconds < 0;
  const seconds = negative ? -time.seconds - 1 : time.seconds;
  const nanoseconds = negative ? NANOSECONDS - time.nanoseconds : time.nanoseconds;
  const fraction = `${nanoseconds}`.padStart(FRACTION_DIGITS, '0').replace(/0+$/, '');
  return `${negative ? '-' : ''}${seconds}.${fraction}`;
}
