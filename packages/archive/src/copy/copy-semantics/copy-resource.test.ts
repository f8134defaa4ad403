import { existsSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { listArchive } from '../../create/archive-listing.test.support.js';
import { plant, Scratch } from '../../root/temporary-tree.test.support.js';
import { writeTar } from '../../tar/index.js';
import { copyInfoDestinationPath } from './copy-info.js';
import { copyResource } from './copy-resource.js';
import { rebaseArchiveEntries, rebaseEntryName } from './rebase-archive.js';
import { preserveTrailingDotOrSeparator, splitPathDirEntry } from './trailing-path.js';

describe('copyResource follows the rules of docker cp', () => {
  let scratch: Scratch;
  const long = 'long'.repeat(40);
  beforeEach(() => {
    scratch = new Scratch();
    scratch.tree('src', {
      file1: { file: 'one' },
      file2: { file: 'two' },
      'dir1/in1': { file: 'in one' },
      'dir2/in2': { file: 'in two' },
      linkToFile: { symlink: 'file1' },
      linkToDir: { symlink: 'dir1' },
    });
    scratch.tree('dst', { file: { file: 'old' }, 'dir/other': { file: '' } });
  });
  afterEach(() => scratch[Symbol.dispose]());

  const copy = (source: string, destination: string, followLink = false): Promise<void> =>
    copyResource(`${scratch.path}/src/${source}`, `${scratch.path}/dst/${destination}`, { followLink });
  const read = (name: string): string => readFileSync(`${scratch.path}/dst/${name}`, 'utf8');

  const FILES = [
    ['', false, 'file1'],
    ['FSym', true, 'linkToFile'],
  ] as const;
  const DIRECTORIES = [
    ['', false, 'dir1'],
    ['FSym', true, 'linkToDir'],
  ] as const;

  it.each(FILES)('A: a file to a new name makes that file (CopyCaseA%s)', async (_, follow, source) => {
    await copy(source, 'new', follow);
    expect(read('new')).toBe('one');
  });

  it.each(FILES)('B: a file to a missing directory is an error (CopyCaseB%s)', async (_, follow, source) => {
    await expect(copy(source, 'new/', follow)).rejects.toMatchObject({ code: 'ARCHIVE_COPY_CONFLICT' });
    expect(existsSync(scratch.at('dst/new'))).toBe(false);
  });

  it.each(FILES)('C: a file to a file replaces it (CopyCaseC%s)', async (_, follow, source) => {
    await copy(source, 'file', follow);
    expect(read('file')).toBe('one');
  });

  it.each(FILES)('D: a file to a directory goes into it (CopyCaseD%s)', async (_, follow, source) => {
    await copy(source, 'dir', follow);
    await copy(source, 'dir/', follow);
    expect(read(`dir/${source}`)).toBe('one');
  });

  it.each(DIRECTORIES)(
    'E: a directory to a new name makes that directory (CopyCaseE%s)',
    async (_, follow, source) => {
      await copy(source, 'new', follow);
      expect(read('new/in1')).toBe('in one');
      await copy(source, 'newer/', follow);
      expect(read('newer/in1')).toBe('in one');
    },
  );

  it.each(DIRECTORIES)('F: a directory to a file is an error (CopyCaseF%s)', async (_, follow, source) => {
    await expect(copy(source, 'file', follow)).rejects.toMatchObject({ code: 'ARCHIVE_COPY_CONFLICT' });
    expect(read('file')).toBe('old');
  });

  it.each(DIRECTORIES)(
    'G: a directory to a directory goes into it (CopyCaseG%s)',
    async (_, follow, source) => {
      await copy(source, 'dir', follow);
      expect(read(`dir/${source}/in1`)).toBe('in one');
    },
  );

  it.each(DIRECTORIES)(
    'H: the content of a directory to a new name makes that directory (CopyCaseH%s)',
    async (_, follow, source) => {
      await copy(`${source}/.`, 'new', follow);
      expect(read('new/in1')).toBe('in one');
    },
  );

  it.each(DIRECTORIES)(
    'I: the content of a directory to a file is an error (CopyCaseI%s)',
    async (_, follow, source) => {
      await expect(copy(`${source}/.`, 'file', follow)).rejects.toMatchObject({
        code: 'ARCHIVE_COPY_CONFLICT',
      });
    },
  );

  it.each(DIRECTORIES)(
    'J: the content of a directory to a directory goes into it (CopyCaseJ%s)',
    async (_, follow, source) => {
      await copy(`${source}/.`, 'dir', follow);
      expect(read('dir/in1')).toBe('in one');
      expect(existsSync(scratch.at('dst/dir/other'))).toBe(true);
    },
  );

  it('a source that is missing is an error (CopyErrSrcNotExists)', async () => {
    await expect(copy('none', 'new')).rejects.toMatchObject({ code: 'ARCHIVE_IO', errno: 'ENOENT' });
  });

  it('a file named as a directory is an error (CopyErrSrcNotDir)', async () => {
    await expect(copy('file1/', 'new')).rejects.toMatchObject({ errno: 'ENOTDIR' });
  });

  it('a missing parent of the destination is an error (CopyErrDstParentNotExists)', async () => {
    for (const source of ['file1', 'dir1']) {
      await expect(copy(source, 'none/new')).rejects.toMatchObject({ code: 'ARCHIVE_IO', errno: 'ENOENT' });
    }
  });

  it('a destination file named as a directory is an error (CopyErrDstNotDir)', async () => {
    for (const source of ['file1', 'dir1']) {
      await expect(copy(source, 'file/')).rejects.toMatchObject({
        code: 'ARCHIVE_COPY_CONFLICT',
        errno: 'ENOTDIR',
      });
    }
  });

  it('a name of more than a hundred bytes arrives (CopyLongDstFilename)', async () => {
    await copy('file1', long);
    expect(read(long)).toBe('one');
  });

  it('destination links are followed, ten at most (CopyInfoDestinationPathSymlink)', async () => {
    const at = (name: string): string => scratch.at(`dst/${name}`);
    plant(scratch.at('dst'), {
      toFile: { symlink: 'file' },
      toDir: { symlink: at('dir') },
      chain: { symlink: 'toFile' },
      toMissing: { symlink: 'dir/missing' },
      toNowhere: { symlink: 'none/missing' },
      loop: { symlink: 'loop' },
      'dir/up': { symlink: '../file' },
    });
    const found = { exists: true, isDirectory: false, rebaseName: '' };
    expect(await copyInfoDestinationPath(at('toFile'))).toEqual({ ...found, path: at('file') });
    expect(await copyInfoDestinationPath(at('toDir'))).toEqual({
      ...found,
      path: at('dir'),
      isDirectory: true,
    });
    expect(await copyInfoDestinationPath(at('chain'))).toEqual({ ...found, path: at('file') });
    expect(await copyInfoDestinationPath(at('dir/up'))).toEqual({ ...found, path: at('file') });
    expect(await copyInfoDestinationPath(at('toMissing'))).toEqual({
      ...found,
      path: at('dir/missing'),
      exists: false,
    });
    await expect(copyInfoDestinationPath(at('toNowhere'))).rejects.toMatchObject({ errno: 'ENOENT' });
    await expect(copyInfoDestinationPath(at('loop'))).rejects.toMatchObject({ errno: 'ELOOP' });
  });
});

describe('names in a renamed archive', () => {
  it.each([
    ['old', 'old', 'new', 'new'],
    ['old/', 'old', 'new', 'new/'],
    ['old/a', 'old', 'new', 'new/a'],
    ['old/a/old/b', 'old', 'new', 'new/a/old/b'],
    ['a/old/b', 'old', 'new', 'a/old/b'],
    ['older', 'old', 'new', 'older'],
    ['older/a', 'old', 'new', 'older/a'],
    ['bold/a', 'old', 'new', 'bold/a'],
    ['old.txt', 'old', 'new', 'old.txt'],
    ['./a', '.', 'new', 'new/a'],
    ['./', '.', 'new', 'new/'],
    ['.', '.', 'new', 'new'],
    ['.hidden', '.', 'new', '.hidden'],
    ['..data', '.', 'new', '..data'],
    ['/a', '/', 'new', 'new/a'],
    ['a', '/', 'new', 'new/a'],
    ['a/b', '', 'new', 'new/a/b'],
    ['d/e/f', 'd/e', 'x', 'x/f'],
    ['old/a', 'old', 'new/deep', 'new/deep/a'],
  ])('%j with %j as %j is %j (RebaseArchiveEntriesPlatformPaths)', (name, oldBase, newBase, expected) => {
    expect(rebaseEntryName(name, oldBase, newBase)).toBe(expected);
  });

  it('targets of hard links follow, texts of symbolic links stay, and content passes', async () => {
    const bytes = (text: string): Uint8Array => Buffer.from(text);
    const source = writeTar([
      { header: { kind: 'file', name: bytes('old/f'), size: 3 }, body: bytes('abc') },
      { header: { kind: 'hardlink', name: bytes('old/g'), linkName: bytes('old/f') } },
      { header: { kind: 'symlink', name: bytes('old/s'), linkName: bytes('old/f') } },
    ]);
    const name = 'n'.repeat(200);
    const entries = await listArchive(rebaseArchiveEntries(source, 'old', name));
    expect(entries.map((entry) => [entry.name, entry.linkName, entry.content.toString()])).toEqual([
      [`${name}/f`, '', 'abc'],
      [`${name}/g`, `${name}/f`, ''],
      [`${name}/s`, 'old/f', ''],
    ]);
  });
});

describe('trailing separators', () => {
  it.each([
    ['/a/b', '/a', 'b'],
    ['/a/b/', '/a', 'b'],
    ['/a/b/.', '/a/b', '.'],
    ['/a/../b', '/', 'b'],
    ['a', '.', 'a'],
    ['.', '.', '.'],
  ])('%j is %j and %j', (path, directory, base) => {
    expect(splitPathDirEntry(path)).toEqual({ directory, base });
  });

  it.each([
    ['/a', '/a', '/a'],
    ['/a', '/a/', '/a/'],
    ['/a', '/a/.', '/a/.'],
    ['/', '/.', '/.'],
    ['/a/.', '/a/.', '/a/.'],
  ])('%j cleaned from %j is %j', (cleaned, original, expected) => {
    expect(preserveTrailingDotOrSeparator(cleaned, original)).toBe(expected);
  });
});
