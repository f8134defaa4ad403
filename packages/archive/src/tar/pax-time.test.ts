import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import { formatPaxTime, parsePaxTime } from './pax-time.js';

const parse = (text: string): readonly [number, number] | undefined => {
  const time = parsePaxTime(Buffer.from(text, 'latin1'));
  return time === undefined ? undefined : [time.seconds, time.nanoseconds];
};

describe('pax times', () => {
  it.each([
    ['0', 0, 0],
    ['1350244992', 1350244992, 0],
    ['1350244992.', 1350244992, 0],
    ['1350244992.3', 1350244992, 300_000_000],
    ['1350244992.0239601089', 1350244992, 23_960_108],
    ['1350244992.999999999999', 1350244992, 999_999_999],
    ['-1', -1, 0],
    ['-1.', -1, 0],
    ['-1.5', -2, 500_000_000],
    ['-0.000000001', -1, 999_999_999],
    ['-1.000000000', -1, 0],
    ['+7.25', 7, 250_000_000],
    ['000012.5', 12, 500_000_000],
    ['9007199254740991', Number.MAX_SAFE_INTEGER, 0],
  ])('%s is %d s and %d ns (ParsePAXTime)', (text, seconds, nanoseconds) => {
    expect(parse(text)).toEqual([seconds, nanoseconds]);
  });

  it.each([
    '',
    '.',
    '.5',
    '-',
    '+',
    '-.5',
    '1.2.3',
    '1.-2',
    '1,5',
    ' 1',
    '1 ',
    '0x10',
    '1e3',
    '1.5s',
    '\x005',
    '9007199254740992',
    '99999999999999999999',
  ])('%j is refused (ParsePAXTime)', (text) => {
    expect(parse(text)).toBeUndefined();
  });

  it.each([
    [1350244992, 0, '1350244992'],
    [1350244992, 300_000_000, '1350244992.3'],
    [1350244992, 23_960_100, '1350244992.0239601'],
    [1350244992, 1, '1350244992.000000001'],
    [0, 0, '0'],
    [0, 5, '0.000000005'],
    [-1, 0, '-1'],
    [-1, 999_999_999, '-0.000000001'],
    [-2, 500_000_000, '-1.5'],
    [-1_000_001, 750_000_000, '-1000000.25'],
  ])('%d s and %d ns is written %s and read back (FormatPAXTime)', (seconds, nanoseconds, text) => {
    expect(formatPaxTime({ seconds, nanoseconds })).toBe(text);
    expect(parse(text)).toEqual([seconds, nanoseconds]);
  });
});
