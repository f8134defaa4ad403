import { readdirSync, statSync, utimesSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isLayerStoreError } from '../errors.js';
import { RootDirectory } from './root-directory.js';
import { BOTH_WAYS, collect, plant, Scratch } from './temporary-tree.test.support.js';

describe.each(BOTH_WAYS)('RootDirectory $way', ({ portable }) => {
  let scratch: Scratch;
  beforeEach(() => {
    scratch = new Scratch();
  });
  afterEach(() => scratch[Symbol.dispose]());

  const open = (name: string): RootDirectory => RootDirectory.open(scratch.at(name), { portable });

  it('resolves links of ancestors inside the root, absolute and climbing ones too', async () => {
    plant(scratch.path, { 'etc/secret': { file: 'outside' } });
    scratch.tree('root', {
      'etc/secret': { file: 'inside' },
      'a/absolute': { symlink: '/etc' },
      'a/climbing': { symlink: '../../../../etc' },
      'a/hops': { symlink: 'absolute' },
    });
    await using root = open('root');
    for (const path of [
      'a/absolute/secret',
      'a/climbing/secret',
      'a/hops/secret',
      '../../etc/secret',
      '/etc/secret',
    ]) {
      expect((await collect(root.readFile(path))).toString()).toBe('inside');
    }
  });

  it('does not follow the last component', async () => {
    scratch.tree('root', { target: { file: 'x' }, link: { symlink: 'target' } });
    await using root = open('root');
    expect(root.lstat('link').mode & 0o170000).toBe(0o120000);
    expect(root.readlink('link').toString()).toBe('target');
    expect(() => root.openFile('link')).toThrow(expect.objectContaining({ code: 'ARCHIVE_IO' }));
  });

  it('takes `.` and `..` as steps, the latter never above the root', async () => {
    scratch.tree('root', { 'd/e/f': { file: '' } });
    await using root = open('root');
    const top = root.lstat('').ino;
    for (const path of ['.', '/', '..', 'd/..', 'd/e/../..', 'd/../../..'])
      expect(root.lstat(path).ino).toBe(top);
    expect(root.lstat('d/e/..').ino).toBe(root.lstat('d').ino);
  });

  it('ends a cycle of links', async () => {
    scratch.tree('root', { a: { symlink: 'b' }, b: { symlink: 'a' } });
    await using root = open('root');
    expect(() => root.lstat('a/x')).toThrow(expect.objectContaining({ code: 'ARCHIVE_IO', errno: 'ELOOP' }));
  });

  it('gives nanoseconds, 64-bit inode numbers and device numbers as the kernel does', async () => {
    const path = scratch.tree('root', { f: { file: 'abc', mode: 0o4750 } });
    utimesSync(`${path}/f`, 1_500_000_000, 1_500_000_000.25);
    const expected = statSync(`${path}/f`, { bigint: true });
    await using root = open('root');
    const stat = root.lstat('f');
    expect(stat).toMatchObject({ ino: expected.ino, dev: expected.dev, size: 3, mode: 0o104750, nlink: 1 });
    expect(stat.mtimeNs).toBe(expected.mtimeNs);
    await using dev = RootDirectory.open('/dev', { portable });
    expect(dev.lstat('null')).toMatchObject({ rdevMajor: 1, rdevMinor: 3 });
  });

  it('lists names bytewise and keeps bytes that are not UTF-8', async () => {
    const path = scratch.tree('root', { b: { file: '' }, 'a.txt': { file: '' }, a: { dir: true } });
    const odd = Buffer.concat([Buffer.from(`${path}/`), Buffer.from([0xff, 0x41])]);
    const { writeFileSync } = await import('node:fs');
    writeFileSync(odd, 'odd');
    await using root = open('root');
    expect(root.readdir('').map(({ name }) => name)).toEqual(['a', 'a.txt', 'b', '\xffA']);
    expect((await collect(root.readFile(Buffer.from([0xff, 0x41])))).toString()).toBe('odd');
  });

  it('opens FIFOs neither for reading nor for waiting, and names what it refused', async () => {
    scratch.tree('root', { pipe: { fifo: true } });
    await using root = open('root');
    expect(() => root.openFile('pipe')).toThrow(
      expect.objectContaining({ code: 'ARCHIVE_IO', path: 'pipe' }),
    );
    try {
      root.lstat('missing');
    } catch (error) {
      expect(isLayerStoreError(error, 'ARCHIVE_IO')).toBe(true);
      expect(error).toMatchObject({ errno: 'ENOENT', path: 'missing' });
    }
    expect.assertions(3);
  });

  it('leaves no descriptor open, whatever fails', async () => {
    scratch.tree('root', { 'd/f': { file: 'x' }, a: { symlink: 'a' } });
    const before = readdirSync('/proc/self/fd').length;
    {
      await using root = open('root');
      root.lstat('d/f');
      root.readdir('d');
      for (const path of ['a/x', 'none/x', 'd/f/x']) expect(() => root.lstat(path)).toThrow();
      for await (const chunk of root.readFile('d/f')) {
        expect(chunk.length).toBe(1);
        break;
      }
    }
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });
});
