import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import { fitsInBase256, fitsInOctal, formatNumeric, formatOctal, parseNumeric } from './numeric.js';

const parse = (field: string | Buffer): number => {
  const bytes = typeof field === 'string' ? Buffer.from(field, 'latin1') : field;
  return parseNumeric(bytes, 0, bytes.length);
};
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('numeric header fields', () => {
  it.each([
    ['', 0],
    ['\0\0\0\0\0\0\0\0', 0],
    ['        ', 0],
    ['0000644\0', 0o644],
    ['   644 \0', 0o644],
    ['0000644 ', 0o644],
    ['\0 17 \0\0 ', 0o17],
    ['12345670', 0o12345670],
    ['777777777777', 8 ** 12 - 1],
    ['12\0garbage', 0o12],
    ['12 \0    ', 0o12],
    ['0000089\0', Number.NaN],
    ['12 34\0\0\0', Number.NaN],
    ['-0000001', Number.NaN],
    ['+0000001', Number.NaN],
    ['0x000012', Number.NaN],
    ['12 \0   x', Number.NaN],
  ])('octal %j is %d (ParseNumeric)', (field, value) => {
    expect(parse(field)).toBe(value);
  });

  it.each([
    ['80 00 00 00 00 00 00 00', 0],
    ['80 00 00 00 00 00 00 01', 1],
    ['80 00 00 00 07 07 07 07', 0x07070707],
    ['80 00 00 00 00 00 00 00 12 34 56 78', 0x12345678],
    ['80 00 00 00 00 00 00 01 00 00 00 00', 2 ** 32],
    ['80 00 00 00 00 1f ff ff ff ff ff ff', Number.MAX_SAFE_INTEGER],
    ['ff ff ff ff ff ff ff ff', -1],
    ['ff ff ff ff ff ff ff fe ee ee ee ee', -4581298450],
    ['ff ff ff ff ff e0 00 00 00 00 00 01', -Number.MAX_SAFE_INTEGER],
    ['c0 00 00 00 00 00 00 00', Number.NEGATIVE_INFINITY],
  ])('base-256 %s is %d (ParseNumeric)', (field, value) => {
    expect(parse(hex(field))).toBe(value);
  });

  it.each([
    ['80 00 00 00 00 20 00 00 00 00 00 00', Number.POSITIVE_INFINITY],
    ['80 00 00 00 7f ff ff ff ff ff ff ff', Number.POSITIVE_INFINITY],
    ['ff ff ff ff 80 00 00 00 00 00 00 00', Number.NEGATIVE_INFINITY],
    ['80 00 00 00 80 00 00 00 00 00 00 00', Number.NaN],
    ['ff ff ff ff 7f ff ff ff ff ff ff ff', Number.NaN],
    ['80 01 00 00 00 00 00 00 00 00 00 00', Number.NaN],
    ['ff ff ff fe ff ff ff ff ff ff ff ff', Number.NaN],
  ])('base-256 %s is told to be out of range, not rounded (ParseNumeric)', (field, value) => {
    expect(parse(hex(field))).toBe(value);
  });

  it('a field inside a larger buffer is read from its own bytes only', () => {
    expect(parseNumeric(Buffer.from('7770000644\x00777', 'latin1'), 3, 8)).toBe(0o644);
  });

  it.each([
    [8, 0, '30303030303030 00'],
    [8, 0o644, '30303030363434 00'],
    [8, 2 ** 21 - 1, '37373737373737 00'],
    [8, 2 ** 21, '8000000000200000'],
    [8, -1, 'ffffffffffffffff'],
    [8, -(2 ** 40), 'ffffff0000000000'],
    [12, 2 ** 33 - 1, '3737373737373737373737 00'],
    [12, 2 ** 33, '800000000000000200000000'],
    [12, Number.MAX_SAFE_INTEGER, '80000000001fffffffffffff'],
    [12, -Number.MAX_SAFE_INTEGER, 'ffffffffffe0000000000001'],
    [8, 2 ** 56 - 2 ** 10, '80fffffffffffc00'],
  ])('%i bytes of %d are written as %s (FormatNumeric)', (length, value, expected) => {
    const field = Buffer.alloc(length, 0xee);
    formatNumeric(field, 0, length, value);
    // 2^56 - 2^10 only shows the highest bit pattern that fits; the mark bit is in it already.
    expect(field.toString('hex')).toBe(hex(expected).toString('hex'));
  });

  it('a value that fits neither way is written as zero (FormatNumeric)', () => {
    const field = Buffer.alloc(4, 0xee);
    formatNumeric(field, 0, 4, 2 ** 30);
    expect(field.toString('latin1')).toBe('000\0');
    formatOctal(field, 0, 4, 8 ** 3);
    expect(field.toString('latin1')).toBe('000\0');
  });

  it.each([
    [8, 0, true],
    [8, 2 ** 56 - 2 ** 8, true],
    [8, 2 ** 56, false],
    [8, -(2 ** 56), true],
    [8, -(2 ** 56) - 2 ** 8, false],
    [12, Number.MAX_SAFE_INTEGER, true],
    [12, -Number.MAX_SAFE_INTEGER, true],
    [1, 0, true],
    [1, 1, false],
    [1, -1, true],
    [1, -2, false],
  ])('base-256 in %i bytes: %d → %s (FitsInBase256)', (length, value, fits) => {
    expect(fitsInBase256(length, value)).toBe(fits);
  });

  it.each([
    [8, 0, true],
    [8, -1, false],
    [8, 2 ** 21 - 1, true],
    [8, 2 ** 21, false],
    [12, 2 ** 33 - 1, true],
    [12, 2 ** 33, false],
    [1, 0, true],
    [1, 1, false],
  ])('octal in %i bytes: %d → %s (FitsInOctal)', (length, value, fits) => {
    expect(fitsInOctal(length, value)).toBe(fits);
  });
});
