import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { isEqual, show } from './structure.js';

describe('equality by structure', () => {
  it.each<[unknown, unknown]>([
    [1, 1],
    [Number.NaN, Number.NaN],
    [7n, 7n],
    [undefined, undefined],
    [
      ['a', { b: [1] }],
      ['a', { b: [1] }],
    ],
    [{ a: undefined, b: 1 }, { b: 1 }],
    [Buffer.from('x'), new Uint8Array([0x78])],
    [runInNewContext('["a", { b: 1 }]'), ['a', { b: 1 }]],
  ])('%p and %p are equal', (a, b) => {
    expect(isEqual(a, b)).toBe(true);
    expect(isEqual(b, a)).toBe(true);
  });

  it.each<[unknown, unknown]>([
    [1, 2],
    [0, -0],
    [null, undefined],
    [['a'], ['b']],
    [['a'], ['a', 'b']],
    [
      ['a', 'b'],
      ['b', 'a'],
    ],
    [[], {}],
    [{ a: 1 }, { b: 1 }],
    [{ a: 1 }, { a: 1, b: 2 }],
    [Buffer.from('x'), Buffer.from('y')],
    [Buffer.from('x'), [0x78]],
  ])('%p and %p are not', (a, b) => {
    expect(isEqual(a, b)).toBe(false);
    expect(isEqual(b, a)).toBe(false);
  });

  it('shows an error by name, code and message', () => {
    expect(show(Object.assign(new Error('no such file'), { code: 'ENOENT' }))).toBe(
      'Error ENOENT: no such file',
    );
  });
});
