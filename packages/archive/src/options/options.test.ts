import { describe, expect, it } from '@jest/globals';
import { formatSize } from './format-size.js';
import { parseKeyValue } from './key-value.js';
import { parseBoolean } from './parse-boolean.js';
import { parseSize } from './parse-size.js';
import {
  assertAsyncIterable,
  assertBytes,
  assertInteger,
  assertKnownKeys,
  assertOneOf,
  assertPath,
  assertSignal,
  assertString,
} from './validate.js';

const invalid = expect.objectContaining({ code: 'OPTION_INVALID' });

describe('parseSize', () => {
  it.each([
    ['0', 0],
    ['32', 32],
    ['32b', 32],
    ['32B', 32],
    ['32k', 32_768],
    ['32K', 32_768],
    ['32kb', 32_768],
    ['32KiB', 32_768],
    ['32Mb', 32 * 1024 ** 2],
    ['10 GiB', 10 * 1024 ** 3],
    ['3T', 3 * 1024 ** 4],
    ['2p', 2 * 1024 ** 5],
    ['1.5k', 1536],
    ['0.3', 0],
    ['10i', 10],
  ])('reads %s as %d bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(['', 'k', ' 1', '1  k', '-1', '+1', '1.2.3', '.5', '1e3', '10x', '32bb', '9000000000g', '16p'])(
    'refuses "%s"',
    (text) => {
      expect(() => parseSize(text)).toThrow(invalid);
    },
  );
});

describe('formatSize', () => {
  it.each([
    [0, '0B'],
    [999, '999B'],
    [1000, '1kB'],
    [1024, '1.024kB'],
    [65_536, '65.54kB'],
    [1_000_000, '1MB'],
    [1_048_576, '1.049MB'],
    [999_999, '1000kB'],
    [2_000_000_000_000, '2TB'],
    [123_456_789_012, '123.5GB'],
    [Number.MAX_SAFE_INTEGER, '9.007PB'],
  ])('prints %d as %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });

  it('puts a blank before the unit on request', () => {
    expect(formatSize(65_536, true)).toBe('65.54 kB');
  });
});

describe('parseBoolean', () => {
  it('knows the six spellings of each, and nothing else', () => {
    expect(['1', 't', 'T', 'TRUE', 'true', 'True'].map(parseBoolean)).toEqual(Array(6).fill(true));
    expect(['0', 'f', 'F', 'FALSE', 'false', 'False'].map(parseBoolean)).toEqual(Array(6).fill(false));
    expect(['', 'yes', 'tRUE', ' 1', 'on'].map(parseBoolean)).toEqual(Array(5).fill(undefined));
  });
});

describe('parseKeyValue', () => {
  it('splits at the first equals sign, trims and lowers the key', () => {
    expect(parseKeyValue(' DM.BaseSize = 10G ')).toEqual({ key: 'dm.basesize', value: '10G' });
    expect(parseKeyValue('opt=a=b')).toEqual({ key: 'opt', value: 'a=b' });
    expect(parseKeyValue('opt=')).toEqual({ key: 'opt', value: '' });
  });

  it.each(['opt', '', '=x', ' = '])('refuses "%s"', (text) => {
    expect(() => parseKeyValue(text)).toThrow(invalid);
  });
});

describe('option checks', () => {
  it('refuse unknown keys by name and say which there are', () => {
    expect(() => assertKnownKeys('open', { root: '/', rooot: '/' }, ['root', 'signal'])).toThrow(
      expect.objectContaining({
        code: 'OPTION_UNKNOWN',
        option: 'rooot',
        message: 'open: unknown option "rooot"; known are root, signal',
      }),
    );
    expect(() => assertKnownKeys('open', JSON.parse('{"__proto__":1}'), ['root'])).toThrow(
      expect.objectContaining({ code: 'OPTION_UNKNOWN' }),
    );
    expect(() => assertKnownKeys('open', { root: undefined }, ['root'])).not.toThrow();
    for (const value of [null, 1, 'x', []]) expect(() => assertKnownKeys('open', value, [])).toThrow(invalid);
  });

  it('keep a rejected value short in the message', () => {
    expect(() => assertOneOf('f', 'kind', 'x'.repeat(100_000), ['a'])).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^.{1,200}$/) }),
    );
  });

  it('accept what fits and refuse what does not', () => {
    expect(() => assertInteger('f', 'n', 5, 5, 5)).not.toThrow();
    for (const value of [4, 6, 5.5, Number.NaN, '5', 2 ** 53])
      expect(() => assertInteger('f', 'n', value, 5, 5)).toThrow(invalid);
    expect(() => assertString('f', 's', '', true)).not.toThrow();
    expect(() => assertString('f', 's', '')).toThrow(invalid);
    expect(() => assertPath('f', 'p', '/a\0b')).toThrow(invalid);
    expect(() => assertPath('f', 'p', '/a b')).not.toThrow();
    expect(() => assertSignal('f', 'signal', new AbortController().signal)).not.toThrow();
    expect(() => assertSignal('f', 'signal', { aborted: false })).toThrow(invalid);
    expect(() => assertBytes('f', 'b', Buffer.alloc(1))).not.toThrow();
    expect(() => assertBytes('f', 'b', new Uint16Array(1))).toThrow(invalid);
    expect(() => assertAsyncIterable('f', 's', [])).toThrow(invalid);
  });
});
