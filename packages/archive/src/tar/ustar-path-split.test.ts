import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import { textOf } from './read-tar.test.support.js';
import { splitUstarPath } from './ustar-path-split.js';

const n = (length: number): string => 'n'.repeat(length);

describe('ustar path split', () => {
  it.each([
    [`${n(50)}/${n(60)}`, n(50), n(60)],
    [`${n(155)}/${n(100)}`, n(155), n(100)],
    [`/${n(60)}/${n(60)}`, `/${n(60)}`, n(60)],
    [`${n(60)}/${n(60)}/`, n(60), `${n(60)}/`],
    [`${n(60)}//${n(60)}`, `${n(60)}/`, n(60)],
    [`${n(40)}/${n(40)}/${n(40)}`, `${n(40)}/${n(40)}`, n(40)],
    [`${n(100)}/${n(98)}/x`, `${n(100)}/${n(98)}`.slice(0, 100), `${n(98)}/x`],
  ])('%s', (path, prefix, name) => {
    const found = splitUstarPath(Buffer.from(path, 'latin1'));
    expect([textOf(found?.prefix), textOf(found?.name)]).toEqual([prefix, name]);
  });

  it.each([
    '',
    'abc',
    n(100),
    n(101),
    `/${n(100)}`,
    `/${n(101)}`,
    `${n(100)}/`,
    `${n(156)}/${n(10)}`,
    `${n(10)}/${n(101)}`,
    `${n(155)}/${n(101)}`,
    `${n(60)}/caf\xe9${n(60)}`,
    `${n(60)}/\0${n(60)}`,
    `/${n(155)}/`,
  ])('%j is not split', (path) => {
    expect(splitUstarPath(Buffer.from(path, 'latin1'))).toBeUndefined();
  });

  it('every split gives the path back when joined (SplitUSTARPath)', () => {
    for (let length = 90; length < 270; length++) {
      for (const slashes of [1, 7, 50, 99]) {
        const path = Array.from({ length }, (_, i) => (i > 0 && i % slashes === 0 ? '/' : 'x')).join('');
        const found = splitUstarPath(Buffer.from(path));
        if (found === undefined) continue;
        expect(`${textOf(found.prefix)}/${textOf(found.name)}`).toBe(path);
        expect(found.prefix.length).toBeLessThanOrEqual(155);
        expect(found.name.length).toBeLessThanOrEqual(100);
      }
    }
  });
});
