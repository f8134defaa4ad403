import { linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BOTH_WAYS, Scratch } from '../root/temporary-tree.test.support.js';
import type { Change, ChangeKind } from './change.js';
import { changesSize, treeSize } from './tree-size.js';

const change = (kind: ChangeKind, path: string): Change => ({ kind, path: Buffer.from(path) });

describe.each(BOTH_WAYS)('sizes $way', ({ portable }) => {
  let scratch: Scratch;
  let root: string;
  beforeEach(() => {
    scratch = new Scratch();
    root = scratch.tree('tree');
  });
  afterEach(() => scratch[Symbol.dispose]());

  const size = (): Promise<number> => treeSize(root, { portable });

  it('an empty directory has none (SizeEmpty)', async () => expect(await size()).toBe(0));

  it('an empty file has none (SizeEmptyFile)', async () => {
    writeFileSync(`${root}/f`, '');
    expect(await size()).toBe(0);
  });

  it('a file counts its bytes (SizeNonemptyFile)', async () => {
    writeFileSync(`${root}/f`, 'abcde');
    expect(await size()).toBe(5);
  });

  it('directories count nothing (SizeNestedDirectoryEmpty)', async () => {
    mkdirSync(`${root}/a/b`, { recursive: true });
    expect(await size()).toBe(0);
  });

  it('an empty file in a directory beside a directory counts nothing (SizeFileAndNestedDirectoryEmpty)', async () => {
    mkdirSync(`${root}/a`);
    writeFileSync(`${root}/f`, '');
    expect(await size()).toBe(0);
  });

  it('files at every depth count (SizeFileAndNestedDirectoryNonempty)', async () => {
    mkdirSync(`${root}/a`);
    writeFileSync(`${root}/f`, 'abcde');
    writeFileSync(`${root}/a/g`, 'abcde!');
    expect(await size()).toBe(11);
  });

  it('a missing root is an error (SizeNonExistingDirectory)', async () => {
    await expect(treeSize(`${root}/none`, { portable })).rejects.toMatchObject({
      code: 'ARCHIVE_IO',
      errno: 'ENOENT',
    });
  });

  it('a file with several links counts once, a symbolic link its text', async () => {
    writeFileSync(`${root}/f`, 'x'.repeat(1000));
    linkSync(`${root}/f`, `${root}/g`);
    symlinkSync('12345', `${root}/s`);
    expect(await size()).toBe(1005);
  });

  it('stops for the signal', async () => {
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    await expect(treeSize(root, { portable, signal: controller.signal })).rejects.toThrow('enough');
  });

  it('of changes, added and modified files count (ChangesSize)', async () => {
    for (const name of ['file1', 'file2', 'file3', 'unlisted'])
      writeFileSync(`${root}/${name}`, 'x'.repeat(10));
    mkdirSync(`${root}/d`);
    const list = [
      change('add', '/file1'),
      change('modify', '/file2'),
      change('modify', '/d'),
      change('delete', '/gone'),
    ];
    expect(await changesSize(root, list, { portable })).toBe(20);
  });

  it('no changes have no size (ChangesSizeWithNoChanges)', async () => {
    expect(await changesSize(root, [], { portable })).toBe(0);
  });

  it('deletions count nothing (ChangesSizeWithOnlyDeleteChanges)', async () => {
    expect(await changesSize(root, [change('delete', '/a'), change('delete', '/b')], { portable })).toBe(0);
  });

  it('links of one file count once (ChangesSizeWithHardlinks)', async () => {
    for (const name of ['file1', 'file2']) writeFileSync(`${root}/${name}`, 'x'.repeat(100));
    linkSync(`${root}/file1`, `${root}/link1`);
    linkSync(`${root}/file1`, `${root}/link2`);
    const list = ['/link2', '/file2', '/link1', '/file1'].map((path) => change('add', path));
    expect(await changesSize(root, list, { portable })).toBe(200);
  });

  it('what has vanished since counts nothing', async () => {
    writeFileSync(`${root}/f`, 'abc');
    rmSync(`${root}/f`);
    expect(await changesSize(root, [change('add', '/f'), change('add', '/f/below')], { portable })).toBe(0);
  });
});
