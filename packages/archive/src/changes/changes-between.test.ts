import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { copyTree } from '../copy/copy-tree.js';
import { exportChanges } from '../create/export-changes.js';
import { applyLayer } from '../extract/apply-layer.js';
import { BOTH_WAYS, IS_ROOT, plant, Scratch, TREE_TIME } from '../root/temporary-tree.test.support.js';
import { compareChanges, formatChange } from './change.js';
import { changesBetween } from './changes-between.js';
import type { CompareOptions } from './compare-options.js';

const asRoot = IS_ROOT ? it : it.skip;

describe('Change', () => {
  it('is shown as letter and path (ChangeString)', () => {
    const path = Buffer.from('/foo/é');
    expect((['modify', 'add', 'delete'] as const).map((kind) => formatChange({ kind, path }))).toEqual([
      'C /foo/é',
      'A /foo/é',
      'D /foo/é',
    ]);
    expect(formatChange({ kind: 'add', path: Buffer.from([0x2f, 0xff]) })).toBe('A /ÿ');
  });

  it('is ordered by the bytes of its path', () => {
    const change = (path: string) => ({ kind: 'add' as const, path: Buffer.from(path) });
    const sorted = ['/a/b', '/a.txt', '/a', '/é', '/z'].map(change).sort(compareChanges);
    expect(sorted.map(({ path }) => Buffer.from(path).toString())).toEqual([
      '/a',
      '/a.txt',
      '/a/b',
      '/z',
      '/é',
    ]);
  });
});

/** Docker's sample tree: files, directories and links of every sort. */
const SAMPLE = {
  file1: { file: 'file1\n', mode: 0o600 },
  file2: { file: 'file2\n', mode: 0o666 },
  file3: { file: 'file3\n', mode: 0o404 },
  file4: { file: 'file4\n' },
  file5: { file: 'file5\n' },
  file6: { file: 'file6\n' },
  file7: { file: 'file7\n' },
  'dir1/file1-1': { file: 'file1-1\n' },
  'dir1/file1-2': { file: 'file1-2\n' },
  'dir2/file2-1': { file: 'file2-1\n' },
  'dir3/file3-1': { file: 'file3-1\n' },
  'dir4/file3-1': { file: 'file4-1\n' },
  symlink1: { symlink: 'target1' },
  symlink2: { symlink: 'target2' },
  symlink3: { symlink: 'target3' },
  symlinkdir: { symlink: '/dir1' },
} as const;

describe.each(BOTH_WAYS)('changesBetween $way', ({ portable }) => {
  let scratch: Scratch;
  beforeEach(() => {
    scratch = new Scratch();
  });
  afterEach(() => scratch[Symbol.dispose]());

  const changes = async (options: CompareOptions = {}): Promise<string[]> =>
    (await changesBetween(scratch.at('new'), scratch.at('old'), { portable, ...options })).map(formatChange);
  const copied = (nodes: Parameters<Scratch['tree']>[1]): string => {
    const old = scratch.tree('old', nodes);
    execFileSync('cp', ['-a', old, scratch.at('new')]);
    return scratch.at('new');
  };

  it('a copy has no changes (ChangesDirsEmpty, ChangesWithNoChanges)', async () => {
    copied(SAMPLE);
    expect(await changes()).toEqual([]);
  });

  it('every kind of mutation gives exactly its changes (ChangesDirsMutated)', async () => {
    const root = copied(SAMPLE);
    rmSync(`${root}/file1`);
    rmSync(`${root}/dir1`, { recursive: true });
    rmSync(`${root}/symlink1`);
    writeFileSync(`${root}/file2`, 'fileNN\n');
    unlinkSync(`${root}/file3`);
    writeFileSync(`${root}/file3`, 'fileMM\n', { mode: 0o404 });
    utimesSync(`${root}/file4`, TREE_TIME, TREE_TIME + 10);
    mkdirSync(`${root}/file5-gone`);
    rmSync(`${root}/file5`);
    renameSync(`${root}/file5-gone`, `${root}/file5`);
    writeFileSync(`${root}/filenew`, 'filenew\n');
    mkdirSync(`${root}/dirnew`);
    symlinkSync('targetnew', `${root}/symlinknew`);
    unlinkSync(`${root}/symlink2`);
    symlinkSync('target2change', `${root}/symlink2`);
    rmSync(`${root}/dir2`, { recursive: true });
    writeFileSync(`${root}/dir2`, 'dirname\n');
    utimesSync(`${root}/dir3`, TREE_TIME, TREE_TIME + 100);
    chmodSync(`${root}/dir4`, 0o700);
    expect(await changes()).toEqual([
      'D /dir1',
      'C /dir2',
      'C /dir4',
      'A /dirnew',
      'D /file1',
      'C /file2',
      'C /file3',
      'C /file4',
      'C /file5',
      'A /filenew',
      'D /symlink1',
      'C /symlink2',
      'A /symlinknew',
    ]);
  });

  it('every directory above a change is listed before it, the root never', async () => {
    const root = copied({ 'a/b/c/f': { file: 'x' }, 'a/z': { file: 'z' } });
    writeFileSync(`${root}/a/b/c/f`, 'longer');
    mkdirSync(`${root}/n/m`, { recursive: true });
    rmSync(`${root}/a/z`);
    expect(await changes()).toEqual(['C /a', 'C /a/b', 'C /a/b/c', 'C /a/b/c/f', 'D /a/z', 'A /n', 'A /n/m']);
  });

  it('everything is an addition where there is no older tree', async () => {
    scratch.tree('new', { 'd/f': { file: '' }, s: { symlink: 'd' } });
    const list = await changesBetween(scratch.at('new'), undefined, { portable });
    expect(list.map(formatChange)).toEqual(['A /d', 'A /d/f', 'A /s']);
  });

  it('a file of the same size and time with other content is found, and so is a link', async () => {
    const root = copied({ f: { file: 'aaaa' }, g: { file: 'bbbb' }, l: { symlink: 'aaaa' } });
    writeFileSync(`${root}/f`, 'AAAA');
    utimesSync(`${root}/f`, TREE_TIME, TREE_TIME);
    rmSync(`${root}/l`);
    plant(root, { l: { symlink: 'bbbb' } });
    writeFileSync(`${root}/g`, 'longer');
    utimesSync(`${root}/g`, TREE_TIME, TREE_TIME);
    expect(await changes()).toEqual(['C /f', 'C /g', 'C /l']);
    expect(await changes({ contentCheck: 'never' })).toEqual(['C /g', 'C /l']);
  });

  it('an edit hidden by setting the exact time back is found by the snapshot time, or by always reading', async () => {
    const root = copied({});
    for (const tree of [scratch.at('old'), root]) {
      writeFileSync(`${tree}/f`, tree === root ? 'AAAA' : 'aaaa');
      utimesSync(`${tree}/f`, TREE_TIME, TREE_TIME + 0.5);
    }
    const created = statSync(`${root}/f`, { bigint: true }).ctimeNs;
    expect(await changes()).toEqual([]);
    expect(await changes({ contentCheck: 'always' })).toEqual(['C /f']);
    expect(await changes({ snapshotTime: created - 1n })).toEqual(['C /f']);
    // A snapshot taken well after the last touch is proof that the trees were the same then.
    expect(await changes({ snapshotTime: created + 60_000_000_000n })).toEqual([]);
  });

  it('times are compared to the second where one side has no more', async () => {
    const root = copied({ f: { file: 'x' }, g: { file: 'x' } });
    utimesSync(`${root}/f`, TREE_TIME, TREE_TIME + 0.5);
    utimesSync(`${root}/g`, TREE_TIME, TREE_TIME + 1);
    expect(await changes()).toEqual(['C /g']);
  });

  asRoot('owner, mode, device and attributes count, link counts and directory times do not', async () => {
    const root = copied({
      owner: { file: '', owner: [1, 1] },
      mode: { file: '', mode: 0o600 },
      device: { device: ['c', 5, 1] },
      attribute: { file: '' },
      ignored: { file: '' },
      linked: { file: '' },
      'd/f': { file: '' },
    });
    execFileSync('chown', ['2:1', `${root}/owner`]);
    chmodSync(`${root}/mode`, 0o601);
    rmSync(`${root}/device`);
    plant(root, { device: { device: ['c', 5, 2] } });
    execFileSync('setfattr', ['-n', 'user.x', '-v', '1', `${root}/attribute`]);
    execFileSync('setfattr', ['-n', 'trusted.x', '-v', '1', `${root}/ignored`]);
    linkSync(`${root}/linked`, `${root}/linked-too`);
    utimesSync(`${root}/d`, 1, 1);
    expect(await changes()).toEqual(['C /attribute', 'C /device', 'A /linked-too', 'C /mode', 'C /owner']);
    expect(await changes({ xattrs: ['trusted.*'] })).toContain('C /ignored');
  });

  asRoot('sockets and block devices are not taken for directories', async () => {
    const root = copied({ block: { device: ['b', 7, 0] } });
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(`${root}/socket`, resolve));
    try {
      utimesSync(`${root}/block`, TREE_TIME, TREE_TIME + 5);
      expect(await changes()).toEqual(['C /block', 'A /socket']);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  asRoot('what is mounted in a tree is not looked at, files included, and its siblings are', async () => {
    const root = copied({ 'm/x': { file: 'x' }, 'file-mount': { file: 'x' }, sibling: { file: 'x' } });
    scratch.tree('other', { y: { file: 'y' } });
    execFileSync('mount', ['--bind', scratch.at('other'), `${root}/m`]);
    execFileSync('mount', ['--bind', `${scratch.at('other')}/y`, `${root}/file-mount`]);
    try {
      writeFileSync(`${root}/sibling`, 'changed');
      expect(await changes()).toEqual(['C /sibling']);
    } finally {
      execFileSync('umount', [`${root}/m`, `${root}/file-mount`]);
    }
  });

  it('stops for the signal and leaves no descriptor', async () => {
    const root = scratch.tree('new');
    for (let index = 0; index < 600; index++) mkdirSync(`${root}/d${index}/e`, { recursive: true });
    const before = readdirSync('/proc/self/fd').length;
    const controller = new AbortController();
    const running = changesBetween(root, undefined, { portable, signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });

  it('a missing tree is an error that names it', async () => {
    scratch.tree('new');
    await expect(changes()).rejects.toMatchObject({
      code: 'ARCHIVE_IO',
      errno: 'ENOENT',
      path: scratch.at('old'),
    });
  });

  it('exported and applied, changes make the older tree the newer one (ApplyLayer)', async () => {
    const root = copied(SAMPLE);
    rmSync(`${root}/dir1`, { recursive: true });
    writeFileSync(`${root}/file2`, 'other');
    mkdirSync(`${root}/dirnew`);
    linkSync(`${root}/file4`, `${root}/dirnew/link`);
    rmSync(`${root}/dir2`, { recursive: true });
    writeFileSync(`${root}/dir2`, 'was a directory');
    const list = await changesBetween(root, scratch.at('old'), { portable });
    await applyLayer(exportChanges(root, list, { portable }), scratch.at('old'));
    expect(await changes()).toEqual([]);
  });
});

describe('changesBetween on trees that share files', () => {
  it('finds an exchanged link of a tree of hard links, and reads nothing that is shared', async () => {
    using scratch = new Scratch();
    scratch.tree('old', SAMPLE);
    await copyTree(scratch.at('old'), scratch.at('new'), { mode: 'hardlink' });
    const root = scratch.at('new');
    expect(statSync(`${root}/file1`).ino).toBe(statSync(`${scratch.at('old')}/file1`).ino);
    rmSync(`${root}/file5`);
    plant(root, { file5: { file: 'FILE5\n' } });
    const list = await changesBetween(root, scratch.at('old'));
    expect(list.map(formatChange)).toEqual(['C /file5']);
    expect(readFileSync(`${scratch.at('old')}/file5`, 'utf8')).toBe('file5\n');
  });
});
