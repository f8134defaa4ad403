import { posix } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isLayerStoreError } from '../errors.js';
import { cleanName, depthOf, directoryOf, duplicateKey, isIndirect } from './entry-name.js';
import { NameSet } from './name-set.js';
import { roleOf, whiteoutTarget } from './whiteout-name.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const clean = (name: string): string => Buffer.from(cleanName(bytes(name))).toString('latin1');

function code(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return isLayerStoreError(error) ? error.code : String(error);
  }
  return 'ok';
}

/** Names made of the pieces that matter. */
const names = fc
  .array(fc.constantFrom('a', 'bb', '.', '..', '', '/', '...', '..x', '\xff'), { maxLength: 9 })
  .map((parts) => parts.join('/'));

describe('cleanName', () => {
  it.each([
    ['a/b', 'a/b'],
    ['./a/b/', 'a/b'],
    ['/abs', 'abs'],
    ['//a//b/./c', 'a/b/c'],
    ['a/../b', 'b'],
    ['.', ''],
    ['./', ''],
    ['/', ''],
    ['', ''],
    ['a/..', ''],
    ['..a', '..a'],
    ['...', '...'],
    ['./././a', 'a'],
  ])('%j is %j', (name, expected) => {
    expect(clean(name)).toBe(expected);
  });

  it.each(['..', '../a', 'a/../..', '/..', './..', 'a/b/../../../c'])('%j is a breakout', (name) => {
    expect(code(() => cleanName(bytes(name)))).toBe('ARCHIVE_BREAKOUT');
  });

  it('refuses NUL and what the kernel would not take', () => {
    for (const name of ['a\0b', 'x/../a\0', 'c'.repeat(256), `a/../${'c'.repeat(256)}`, 'ab/'.repeat(1366)]) {
      expect(code(() => cleanName(bytes(name)))).toBe('ARCHIVE_INVALID_NAME');
    }
    expect(clean('c'.repeat(255))).toHaveLength(255);
    expect(clean(`${'ab/'.repeat(1364)}abc`)).toHaveLength(4095);
    expect(code(() => cleanName(bytes(`${'ab/'.repeat(1364)}abcd`)))).toBe('ARCHIVE_INVALID_NAME');
  });

  it('agrees with posix.normalize, and says breakout exactly where that leaves the root', () => {
    fc.assert(
      fc.property(names, (name) => {
        const normal = posix.normalize(name.replace(/^\/+/, '')).replace(/\/$/, '');
        if (normal === '..' || normal.startsWith('../')) {
          expect(code(() => cleanName(bytes(name)))).toBe('ARCHIVE_BREAKOUT');
        } else expect(clean(name)).toBe(normal === '.' ? '' : normal);
      }),
    );
  });
});

describe('names of duplicates', () => {
  const key = (name: string): string => Buffer.from(duplicateKey(bytes(name))).toString('latin1');

  it('are clean and keep what climbs', () => {
    expect(['a', './a', 'a/', 'b/../a'].map(key)).toEqual(['a', 'a', 'a', 'a']);
    expect([key('../foo'), key('a/../../foo'), key('/../foo')]).toEqual(['../foo', '../foo', 'foo']);
  });

  it('are found again in a set of any size, none by mistake', () => {
    const set = new NameSet();
    for (let index = 0; index < 50_000; index++)
      expect(set.add(bytes(`dir${index % 100}/file-${index}`))).toBe(true);
    for (let index = 0; index < 50_000; index += 7) {
      expect(set.add(bytes(`dir${index % 100}/file-${index}`))).toBe(false);
    }
    expect(set.size).toBe(50_000);
    expect(set.add(bytes('dir0/file-0'), 1)).toBe(true);
    expect([set.add(bytes('')), set.add(bytes(''), 1), set.add(bytes(''))]).toEqual([true, true, false]);
  });
});

describe('parts of a clean name', () => {
  it('directory and depth', () => {
    expect(
      [bytes('a/b/c'), bytes('a'), bytes('')].map((name) => Buffer.from(directoryOf(name)).toString()),
    ).toEqual(['a/b', '', '']);
    expect([bytes('a/b/c'), bytes('a'), bytes('')].map(depthOf)).toEqual([3, 1, 0]);
  });

  it('indirect names are those with .. or a slash at the end', () => {
    expect(['a/../b', '..', 'b/', 'a/b/..'].map((name) => isIndirect(bytes(name)))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(['a/b', '..a', 'a../b', '/a', ''].map((name) => isIndirect(bytes(name)))).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});

describe('whiteout names', () => {
  it.each([
    ['a/.wh.b', 'whiteout', 'a/b'],
    ['.wh.b', 'whiteout', 'b'],
    ['.wh..b', 'whiteout', '.b'],
    ['.wh.... ', 'whiteout', '... '],
    ['d/.wh..wh.foo', 'whiteout', 'd/.wh.foo'],
    ['.wh..wh..opqx', 'whiteout', '.wh..opqx'],
  ])('%j is a %s of %j', (name, role, target) => {
    expect(roleOf(bytes(name))).toBe(role);
    expect(Buffer.from(whiteoutTarget(bytes(name))).toString()).toBe(target);
  });

  it('opaque, ordinary, refused', () => {
    expect(['.wh..wh..opq', 'a/.wh..wh..opq'].map((name) => roleOf(bytes(name)))).toEqual([
      'opaque',
      'opaque',
    ]);
    expect(['xwhy', 'a.wh.b', '.wh', '.whx', '.wh.d/x'].map((name) => roleOf(bytes(name)))).toEqual(
      Array(5).fill('ordinary'),
    );
    for (const name of ['.wh.', 'a/.wh..', '.wh...']) {
      expect(code(() => roleOf(bytes(name)))).toBe('ARCHIVE_INVALID_WHITEOUT');
    }
  });
});
