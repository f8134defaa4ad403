import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BOTH_WAYS, IS_ROOT, type Node, plant, Scratch } from '../root/temporary-tree.test.support.js';
import { formatChange } from './change.js';
import { changesBetween } from './changes-between.js';
import { changesFromUpper, type UpperOptions } from './changes-from-upper.js';

const WHITEOUT = { file: '', mode: 0o444 } as const;

describe.each(BOTH_WAYS)('changesFromUpper $way', ({ portable }) => {
  let scratch: Scratch;
  beforeEach(() => {
    scratch = new Scratch();
  });
  afterEach(() => scratch[Symbol.dispose]());

  const changes = async (layers: readonly string[], options: UpperOptions = {}): Promise<string[]> => {
    const paths = layers.map((layer) => scratch.at(layer));
    return (await changesFromUpper(paths, scratch.at('rw'), { portable, ...options })).map(formatChange);
  };

  it('a branch with changes of every kind gives them, its bookkeeping left out (ChangesWithChanges)', async () => {
    scratch.tree('layer', {
      'dir1/file1-1': { file: 'a' },
      'dir1/file1-2': { file: 'b' },
      'dir1/subfolder/f': { file: 'c' },
      'dir2/f': { file: 'd' },
    });
    scratch.tree('rw', {
      '.wh..wh.aufs': { file: '' },
      '.wh..wh.plnk/1': { file: '' },
      'dir1/.wh.file1-2': WHITEOUT,
      'dir1/file1-1': { file: 'changed' },
      'dir1/subfolder/newFile': { file: '' },
    });
    expect(await changes(['layer'])).toEqual([
      'C /dir1',
      'C /dir1/file1-1',
      'D /dir1/file1-2',
      'C /dir1/subfolder',
      'A /dir1/subfolder/newFile',
    ]);
  });

  it('a recorded mode counts where records do', async () => {
    const layer = scratch.tree('layer', { d: { dir: true }, f: { file: 'x' } });
    execFileSync('cp', ['-a', layer, scratch.at('rw')]);
    const record = (tree: string, name: string, value: string): void => {
      execFileSync('setfattr', ['-n', 'user.layerstore.owner', '-v', value, `${scratch.at(tree)}/${name}`]);
    };
    for (const tree of ['layer', 'rw']) record(tree, 'd', '0:0:0755');
    for (const tree of ['layer', 'rw']) record(tree, 'f', '0:0:0644');
    expect(await changes(['layer'], { recordedOwners: true, semantics: 'tree' })).toEqual([]);
    record('rw', 'd', '0:0:0555');
    record('rw', 'f', '7:0:0644');
    expect(await changes(['layer'], { recordedOwners: true, semantics: 'tree' })).toEqual(['C /d', 'C /f']);
    expect(await changes(['layer'], { recordedOwners: true })).toEqual(['C /d', 'C /f']);
    expect(await changes(['layer'], { semantics: 'tree' })).toEqual([]);
    expect(await changes(['layer'])).toEqual(['C /f']);
  });

  it('the parents of an added file are listed; a modified file stands alone (ChangesWithChangesGH13590)', async () => {
    const layer = scratch.tree('layer', { 'dir1/dir2/dir3/file.txt': { file: 'hello' } });
    execFileSync('cp', ['-a', layer, scratch.at('rw')]);
    rmSync(`${scratch.at('rw')}/dir1/dir2/dir3/file.txt`);
    plant(scratch.at('rw'), { 'dir1/dir2/dir3/file1.txt': { file: 'hello' } });
    expect(await changes(['layer'])).toEqual([
      'C /dir1',
      'C /dir1/dir2',
      'C /dir1/dir2/dir3',
      'A /dir1/dir2/dir3/file1.txt',
    ]);
    rmSync(scratch.at('rw'), { recursive: true });
    execFileSync('cp', ['-a', layer, scratch.at('rw')]);
    writeFileSync(`${scratch.at('rw')}/dir1/dir2/dir3/file.txt`, 'bye');
    expect(await changes(['layer'])).toEqual(['C /dir1/dir2/dir3/file.txt']);
  });

  it('an empty branch has no changes (ChangesWithNoChanges)', async () => {
    scratch.tree('layer', { f: { file: 'x' } });
    scratch.tree('rw');
    expect(await changes(['layer'])).toEqual([]);
  });

  it('what a layer between deleted or hid is added, not modified', async () => {
    scratch.tree('base', { 'd/gone': { file: 'x' }, 'hidden/old': { file: 'x' }, 'deleted/x': { file: '' } });
    scratch.tree('middle', {
      'd/.wh.gone': WHITEOUT,
      'hidden/.wh..wh..opq': WHITEOUT,
      'hidden/new': { file: '' },
      '.wh.deleted': WHITEOUT,
    });
    scratch.tree('rw', {
      'd/gone': { file: 'again' },
      'hidden/old': { file: 'again' },
      'deleted/x': { file: '' },
    });
    expect(await changes(['middle', 'base'])).toEqual([
      'C /d',
      'A /d/gone',
      'A /deleted',
      'A /deleted/x',
      'C /hidden',
      'A /hidden/old',
    ]);
  });

  it('an opaque directory deletes what it does not have itself, at any depth', async () => {
    scratch.tree('layer', { 'd/a': { file: '' }, 'd/b': { file: '' }, 'd/s/deep': { file: '' } });
    scratch.tree('rw', { 'd/.wh..wh..opq': WHITEOUT, 'd/b': { file: 'new' }, 'd/s/other': { file: '' } });
    expect(await changes(['layer'], { semantics: 'tree' })).toEqual([
      'C /d',
      'D /d/a',
      'C /d/b',
      'C /d/s',
      'D /d/s/deep',
      'A /d/s/other',
    ]);
  });

  it('links in a layer are not followed to the host', async () => {
    plant(scratch.path, { 'host/f': { file: '' } });
    scratch.tree('layer', { link: { symlink: scratch.at('host') } });
    scratch.tree('rw', { 'link/f': { file: '' } });
    expect(await changes(['layer'])).toEqual(['C /link', 'A /link/f']);
  });

  /** What the layers show when merged, for the same comparison the slow way. */
  const NODES: Readonly<Record<string, Node>> = {
    same: { file: 'same' },
    changed: { file: 'before' },
    deleted: { file: 'x' },
    'dir/kept': { file: 'k' },
    'dir/deleted': { file: 'x' },
    'opaque/old': { file: 'o' },
    'opaque/sub/old': { file: 'o' },
    'to-file/x': { file: 'x' },
    'to-dir': { file: 'x' },
  };

  (IS_ROOT ? it : it.skip)('an overlay branch gives what comparing the merged trees gives', async () => {
    scratch.tree('layer', NODES);
    const rw = scratch.tree('rw', {
      same: { file: 'same' },
      changed: { file: 'after!' },
      deleted: { device: ['c', 0, 0] },
      'dir/deleted': { device: ['c', 0, 0] },
      'dir/added': { file: '' },
      'opaque/sub/new': { file: '' },
      'to-file': { file: 'now a file' },
      'to-dir/y': { file: '' },
      'never-was': { device: ['c', 0, 0] },
    });
    execFileSync('setfattr', ['-n', 'trusted.overlay.opaque', '-v', 'y', `${rw}/opaque`]);
    scratch.tree('merged', {
      same: { file: 'same' },
      changed: { file: 'after!' },
      'dir/kept': { file: 'k' },
      'dir/added': { file: '' },
      'opaque/sub/new': { file: '' },
      'to-file': { file: 'now a file' },
      'to-dir/y': { file: '' },
    });
    const merged = await changesBetween(scratch.at('merged'), scratch.at('layer'), { portable });
    expect(await changes(['layer'], { whiteoutFormat: 'overlay', semantics: 'tree' })).toEqual(
      merged.map(formatChange),
    );
    expect(merged.length).toBeGreaterThan(10);
  });
});
