import { describe, expect, it } from '@jest/globals';
import type { DriverId } from '@x/layer-store';
import { formatParents, isLayerName, parseParents } from './parents-list.js';

describe('lists of ancestors', () => {
  it('are an id a line, the nearest first, and empty without a parent', () => {
    expect(formatParents([])).toBe('');
    expect(formatParents(['b', 'a'] as DriverId[])).toBe('b\na\n');
    expect(parseParents('', '/x')).toEqual([]);
    expect(parseParents('b\na\n', '/x')).toEqual(['b', 'a']);
    expect(parseParents('b\na', '/x')).toEqual(['b', 'a']);
  });

  it.each([
    ['a path', '../../etc\n'],
    ['an empty line', 'a\n\nb\n'],
    ['NUL bytes, as a power cut leaves them', '\0\0\0\0'],
    ['an id twice', 'a\nb\na\n'],
    ['an id that is too long', 'a'.repeat(201)],
    ['the name of a doomed directory', 'a-removing\n'],
  ])('with %s are damaged', (_what, text) => {
    expect(() => parseParents(text, '/home/layers/x')).toThrow(
      expect.objectContaining({ code: 'DRIVER_STATE_DAMAGED', path: '/home/layers/x' }),
    );
  });

  it('tell names of layers from others', () => {
    for (const name of ['a', 'A-1_.x', 'f'.repeat(64)]) expect(isLayerName(name)).toBe(true);
    for (const name of ['', '.lock', 'x-removing', 'lost+found', 'a b'])
      expect(isLayerName(name)).toBe(false);
  });
});
