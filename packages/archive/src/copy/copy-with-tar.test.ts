import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { changesBetween } from '../changes/changes-between.js';
import { compress } from '../compress/index.js';
import { createArchive } from '../create/create-archive.js';
import { collect, Scratch } from '../root/temporary-tree.test.support.js';
import { copyFileWithTar, copyWithTar, tarUntar, untarPath } from './copy-with-tar.js';

describe('copies that go through an archive', () => {
  let scratch: Scratch;
  beforeEach(async () => {
    scratch = new Scratch();
    scratch.tree('src', { 'd/f': { file: 'content', mode: 0o640 }, g: { file: 'g' } });
    writeFileSync(scratch.at('src.tar'), await collect(createArchive(scratch.at('src'))));
    scratch.tree('dest', { file: { file: 'a file' } });
  });
  afterEach(() => scratch[Symbol.dispose]());

  const read = (name: string): string => readFileSync(scratch.at(name), 'utf8');

  it('an archive file is unpacked, compressed or not (UntarPath)', async () => {
    await untarPath(scratch.at('src.tar'), scratch.at('dest/new'));
    expect(read('dest/new/d/f')).toBe('content');
    const gzip = await collect(compress(createArchive(scratch.at('src')), { kind: 'gzip' }));
    writeFileSync(scratch.at('src.tar.gz'), gzip);
    await untarPath(scratch.at('src.tar.gz'), scratch.at('unzipped'));
    expect(await changesBetween(scratch.at('unzipped'), scratch.at('src'))).toEqual([]);
  });

  it('a destination below a file is refused (UntarPathWithInvalidDest)', async () => {
    const unpacking = untarPath(scratch.at('src.tar'), scratch.at('dest/file/below'));
    await expect(unpacking).rejects.toMatchObject({ code: 'ARCHIVE_IO', errno: 'ENOTDIR' });
  });

  it('a missing archive is refused before anything is made (UntarPathWithInvalidSrc)', async () => {
    await expect(untarPath(scratch.at('none.tar'), scratch.at('dest/new'))).rejects.toMatchObject({
      errno: 'ENOENT',
    });
    expect(existsSync(scratch.at('dest/new'))).toBe(false);
  });

  it('a destination that is a file is refused and kept (UntarPathWithDestinationFile)', async () => {
    await expect(untarPath(scratch.at('src.tar'), scratch.at('dest/file'))).rejects.toMatchObject({
      code: 'ARCHIVE_IO',
    });
    expect(read('dest/file')).toBe('a file');
  });

  it('an existing directory is replaced by a file of its name (UntarPathWithDestinationSrcFileAsFolder)', async () => {
    mkdirSync(scratch.at('dest/g'));
    await untarPath(scratch.at('src.tar'), scratch.at('dest'));
    expect(read('dest/g')).toBe('g');
  });

  it('a missing source is refused (CopyWithTarInvalidSrc, CopyFileWithTarInvalidSrc)', async () => {
    for (const copy of [copyWithTar, copyFileWithTar]) {
      await expect(copy(scratch.at('none'), scratch.at('dest/x'))).rejects.toMatchObject({ errno: 'ENOENT' });
    }
    expect(existsSync(scratch.at('dest/x'))).toBe(false);
  });

  it('a missing destination is made (CopyWithTarInexistentDestWillCreateIt)', async () => {
    await copyWithTar(scratch.at('src'), scratch.at('made/deep'));
    expect(await changesBetween(scratch.at('made/deep'), scratch.at('src'))).toEqual([]);
  });

  it('a file is copied as a file (CopyWithTarSrcFile)', async () => {
    await copyWithTar(scratch.at('src/d/f'), scratch.at('dest/copied'));
    expect(read('dest/copied')).toBe('content');
    expect(statSync(scratch.at('dest/copied')).mode & 0o777).toBe(0o640);
  });

  it('a directory is copied with its content (CopyWithTarSrcFolder, ChrootCopyWithTar, ChrootTarUntar)', async () => {
    mkdirSync(scratch.at('dest/d'));
    await copyWithTar(scratch.at('src'), scratch.at('dest/d'));
    await tarUntar(scratch.at('src'), scratch.at('dest/e'));
    for (const name of ['dest/d', 'dest/e']) {
      expect(await changesBetween(scratch.at(name), scratch.at('src'))).toEqual([]);
    }
  });

  it('missing parents of a file are made (CopyFileWithTarInexistentDestWillCreateIt)', async () => {
    await copyFileWithTar(scratch.at('src/g'), scratch.at('deep/er/copied'));
    expect(read('deep/er/copied')).toBe('g');
    expect(statSync(scratch.at('deep')).mode & 0o777).toBe(0o700);
  });

  it('a directory is not a file (CopyFileWithTarSrcFolder)', async () => {
    await expect(copyFileWithTar(scratch.at('src'), scratch.at('dest/x'))).rejects.toMatchObject({
      code: 'ARCHIVE_COPY_CONFLICT',
    });
  });

  it('a trailing slash means into the directory (CopyFileWithTarSrcFile, ChrootCopyFileWithTar)', async () => {
    await copyFileWithTar(scratch.at('src/g'), `${scratch.at('dest')}/`);
    expect(read('dest/g')).toBe('g');
  });
});
