import { LayerStoreError } from '../errors.js';

const SIZE = /^(\d+(?:\.\d+)*) ?([kmgtp])?i?b?$/i;
const EXPONENTS = 'kmgtp';

/**
 * Bytes from text such as `10G`, `1.5 GiB`, `512kb`: units are binary (1024) whatever their spelling, as for Docker's
 * storage options (spec/drivers.md 1.8). A fraction of a byte is cut off.
 * @throws OPTION_INVALID for anything else, and above 2^53-1
 */
export function parseSize(text: string): number {
  const match = SIZE.exec(text);
  const bytes =
    match === null
      ? Number.NaN
      : Math.trunc(Number(match[1]) * 1024 ** (EXPONENTS.indexOf((match[2] ?? '').toLowerCase() || ' ') + 1));
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new LayerStoreError(
    'OPTION_INVALID',
    `${JSON.stringify(text.slice(0, 80))} is not a size; write a number and a unit, such as 512m or 10GiB`,
    { option: 'size' },
  );
}
