import { describe, expect, it } from '@jest/globals';
import type { DriverId } from '@x/layer-store';
import { formatLower, formatLowerIds, parseLower, parseLowerIds } from './lower-list.js';
import { newShortLink } from './short-link.js';

describe('a lower file', () => {
  it('has Docker’s text', () => {
    const [a, b] = [newShortLink(), newShortLink()];
    expect(formatLower([a, b])).toBe(`l/${a}:l/${b}`);
    expect(parseLower(formatLower([a, b]))).toEqual([a, b]);
    expect(parseLower(`${formatLower([a])}\n`)).toEqual([a]);
  });

  it.each(['', ':', 'l/', `l/${'A'.repeat(25)}`, `${'A'.repeat(26)}`, `l/${'A'.repeat(26)}:`, 'l/../../etc'])(
    'is damaged as %j',
    (text) => {
      expect(parseLower(text)).toBeUndefined();
    },
  );
});

describe('a lower-ids file', () => {
  it('is ids, a line each', () => {
    const ids = ['a', 'b-init'] as DriverId[];
    expect(formatLowerIds(ids)).toBe('a\nb-init\n');
    expect(parseLowerIds('a\nb-init\n')).toEqual(ids);
  });

  it.each(['', '\n', 'a', 'a\nb', 'a\n\nb\n', '../x\n', 'a/b\n', '\0\0\0'])('is damaged as %j', (text) => {
    expect(parseLowerIds(text)).toBeUndefined();
  });
});
