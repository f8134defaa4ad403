import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { AufsBranch, BranchPermission } from '../mount/branch.js';
import { fillMergedView } from './merged-view.js';
import { snapshotTree } from './tree-snapshot.js';
import { editsBetween, writeBack } from './write-back.js';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'aufs-merged-'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

/** Path → content; a path that ends in `/` is a directory. */
type Files = Readonly<Record<string, string>>;

function plant(name: string, files: Files): string {
  const root = join(base, name);
  mkdirSync(root, { recursive: true });
  for (const [path, body] of Object.entries(files)) {
    const full = join(root, path);
    mkdirSync(path.endsWith('/') ? full : join(full, '..'), { recursive: true });
    if (!path.endsWith('/')) writeFileSync(full, body);
  }
  return root;
}

/** A union of branches, top first. */
function union(...layers: readonly (Files | readonly [Files, BranchPermission])[]): AufsBranch[] {
  return layers.map((layer, index): AufsBranch => {
    const [files, permission]: readonly [Files, BranchPermission] = isPair(layer)
      ? layer
      : [layer, index === 0 ? 'rw' : 'ro+wh'];
    return { path: plant(`branch-${index}`, files), permission };
  });
}

function isPair(
  layer: Files | readonly [Files, BranchPermission],
): layer is readonly [Files, BranchPermission] {
  return Array.isArray(layer);
}

function merge(branches: readonly AufsBranch[], name = 'merged'): string {
  const target = join(base, name);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target);
  fillMergedView(target, branches);
  return target;
}

function paths(root: string, at = ''): string[] {
  return readdirSync(join(root, at)).flatMap((name) => {
    const inner = at === '' ? name : `${at}/${name}`;
    return lstatSync(join(root, inner)).isDirectory() ? [`${inner}/`, ...paths(root, inner)] : [inner];
  });
}

/** Merges, lets `edit` at the result, and writes back what it did. */
function edit(branches: readonly AufsBranch[], change: (root: string) => void): void {
  const merged = merge(branches);
  const before = snapshotTree(merged);
  change(merged);
  writeBack(merged, branches, editsBetween(before, snapshotTree(merged)));
}

/** What is in the top branch after that. */
function edited(branches: readonly AufsBranch[], change: (root: string) => void): string[] {
  edit(branches, change);
  return paths(branches[0]?.path ?? '').sort();
}

describe('the merged view', () => {
  it('shows each name from the first branch that has it, directories merged', () => {
    const root = merge(
      union({ 'd/a': 'top', x: 'top' }, { 'd/a': 'below', 'd/b': 'below', x: 'below', y: 'below' }),
    );
    expect(paths(root)).toEqual(['d/', 'd/a', 'd/b', 'x', 'y']);
    expect(readFileSync(join(root, 'd/a'), 'utf8')).toBe('top');
    expect(readFileSync(join(root, 'd/b'), 'utf8')).toBe('below');
  });

  it('honours whiteouts and opaque marks of every branch for those below it, and hides them', () => {
    const branches = union(
      { 'o/.wh..wh..opq': '', 'o/new': '' },
      { '.wh.gone': '', 'd/.wh.f': '', 'o/middle': '' },
      { gone: '', 'd/f': '', 'd/g': '', 'o/old': '', 'o/sub/old': '' },
    );
    expect(paths(merge(branches))).toEqual(['d/', 'd/g', 'o/', 'o/new']);
  });

  it('a name made again above a whiteout shows, without what it had', () => {
    const branches = union({ 'd/new': '' }, { '.wh.d': '' }, { 'd/old': '' });
    expect(paths(merge(branches))).toEqual(['d/', 'd/new']);
  });

  it('a file hides the directory below it, for the branches above it too', () => {
    const branches = union({ 'd/top': '' }, { d: 'a file' }, { 'd/old': '' });
    expect(paths(merge(branches))).toEqual(['d/', 'd/top']);
    expect(readFileSync(join(merge(branches.slice(1)), 'd'), 'utf8')).toBe('a file');
  });

  it('without +wh what a branch deletes shows again', () => {
    const branches = union({}, [{ '.wh.f': '', 'd/.wh..wh..opq': '' }, 'ro'], { f: '', 'd/g': '' });
    expect(paths(merge(branches)).sort()).toEqual(['d/', 'd/g', 'f']);
  });

  it("aufs's own files do not show, and are no whiteouts", () => {
    const branches = union({ '.wh..wh.aufs': '', '.wh..wh.plnk/1.2': '' }, { '.wh.aufs': 'no mark', f: '' });
    expect(paths(merge(branches))).toEqual(['f']);
    const opaque = union({ '.wh..wh..opq': '' }, { f: '' });
    expect(paths(merge(opaque))).toEqual([]);
  });

  it('keeps links, modes and times; a directory looks like its topmost', () => {
    const branches = union({ 'd/x': '' }, { 'd/one': 'linked', f: '' });
    const lower = branches[1]?.path ?? '';
    linkSync(join(lower, 'd/one'), join(lower, 'd/two'));
    symlinkSync('/nowhere', join(lower, 'link'));
    chmodSync(join(lower, 'f'), 0o4711);
    utimesSync(join(lower, 'f'), 1000, 2000.5);
    chmodSync(join(branches[0]?.path ?? '', 'd'), 0o700);
    const root = merge(branches);
    expect(lstatSync(join(root, 'd/one')).ino).toBe(lstatSync(join(root, 'd/two')).ino);
    expect(lstatSync(join(root, 'f'))).toMatchObject({ mode: 0o104711, mtimeMs: 2_000_500 });
    expect(lstatSync(join(root, 'd')).mode & 0o777).toBe(0o700);
    expect(lstatSync(join(root, 'link')).isSymbolicLink()).toBe(true);
    // A write does not reach the branch.
    writeFileSync(join(root, 'd/one'), 'changed');
    expect(readFileSync(join(lower, 'd/one'), 'utf8')).toBe('linked');
  });
});

describe('what was done in a union, written into its branch', () => {
  it('nothing, when nothing was', () => {
    expect(edited(union({ f: '' }, { 'd/g': '' }), () => {})).toEqual(['f']);
  });

  it('a changed file is copied up with its directories as they are', () => {
    const branches = union({}, { 'a/b/f': 'old', 'a/other': '' });
    chmodSync(join(branches[1]?.path ?? '', 'a/b'), 0o711);
    expect(edited(branches, (root) => writeFileSync(join(root, 'a/b/f'), 'new'))).toEqual([
      'a/',
      'a/b/',
      'a/b/f',
    ]);
    expect(lstatSync(join(branches[0]?.path ?? '', 'a/b')).mode & 0o777).toBe(0o711);
  });

  it('a change of mode alone is a change', () => {
    const branches = union({}, { f: '' });
    expect(edited(branches, (root) => chmodSync(join(root, 'f'), 0o600))).toEqual(['f']);
  });

  it('what is gone gets a whiteout only where something is below', () => {
    const branches = union({ mine: '', 'd/mine': '' }, { theirs: '', 'd/theirs': '' });
    const remove = (root: string): void => {
      for (const name of ['mine', 'theirs', 'd/mine', 'd/theirs']) rmSync(join(root, name));
    };
    expect(edited(branches, remove)).toEqual(['.wh.theirs', 'd/', 'd/.wh.theirs']);
    expect((lstatSync(join(branches[0]?.path ?? '', '.wh.theirs')).mode & 0o777).toString(8)).toBe('444');
  });

  it('a directory that takes the place of one is opaque, now or later', () => {
    const branches = union({}, { 'd/old': '' });
    const replace = (root: string): void => {
      rmSync(join(root, 'd'), { recursive: true });
      mkdirSync(join(root, 'd'));
      writeFileSync(join(root, 'd/new'), '');
    };
    expect(edited(branches, replace)).toEqual(['d/', 'd/.wh..wh..opq', 'd/new']);
    expect(edited(branches, (root) => rmSync(join(root, 'd'), { recursive: true }))).toEqual(['.wh.d']);
    expect(edited(branches, (root) => mkdirSync(join(root, 'd')))).toEqual(['d/', 'd/.wh..wh..opq']);
  });

  it('a file made again over its whiteout ends it', () => {
    const branches = union({ '.wh.f': '' }, { f: '' });
    expect(edited(branches, (root) => writeFileSync(join(root, 'f'), ''))).toEqual(['f']);
  });

  it('files and directories replace each other', () => {
    const branches = union({}, { 'd/x': '', f: '' });
    const swap = (root: string): void => {
      rmSync(join(root, 'd'), { recursive: true });
      writeFileSync(join(root, 'd'), '');
      rmSync(join(root, 'f'));
      mkdirSync(join(root, 'f'));
    };
    expect(edited(branches, swap)).toEqual(['d', 'f/', 'f/.wh..wh..opq']);
    expect(paths(merge(branches))).toEqual(['d', 'f/']);
  });

  it('a renamed file is copied up under its new name', () => {
    const branches = union({}, { f: 'x' });
    expect(edited(branches, (root) => renameSync(join(root, 'f'), join(root, 'g')))).toEqual(['.wh.f', 'g']);
  });

  it('hard links of a lower branch are copied up together', () => {
    const branches = union({}, { one: 'x' });
    const [top = '', lower = ''] = branches.map(({ path }) => path);
    linkSync(join(lower, 'one'), join(lower, 'two'));
    expect(edited(branches, (root) => writeFileSync(join(root, 'one'), 'y'))).toEqual(['one', 'two']);
    expect(lstatSync(join(top, 'one')).ino).toBe(lstatSync(join(top, 'two')).ino);
  });

  it('names that the union would not have made are not in it', () => {
    const make = (root: string): void => writeFileSync(join(root, '.wh.f'), '');
    expect(edited(union({}, { f: '' }), make)).toEqual([]);
  });

  it('names that are no text, and FIFOs, are written too', () => {
    const branches = union({}, {});
    const name = Buffer.from([0xff, 0xfe, 0x61]);
    edit(branches, (root) => {
      writeFileSync(Buffer.concat([Buffer.from(`${root}/`), name]), 'x');
      execFileSync('mkfifo', [join(root, 'fifo')]);
    });
    const found = readdirSync(branches[0]?.path ?? '', { encoding: 'buffer' });
    expect(found.map((entry) => entry.toString('latin1')).sort()).toEqual(['fifo', '\u00ff\u00fea']);
    expect(lstatSync(join(branches[0]?.path ?? '', 'fifo')).isFIFO()).toBe(true);
  });

  it('the mode of the root is that of the branch', () => {
    const branches = union({}, {});
    edit(branches, (root) => chmodSync(root, 0o700));
    expect(lstatSync(branches[0]?.path ?? '').mode & 0o777).toBe(0o700);
  });

  it('whatever was done: the branches merge to what was seen', () => {
    const names = ['a', 'b', 'a/c', 'a/d', 'b/e'];
    const edits = fc.record({
      path: fc.constantFrom(...names),
      kind: fc.constantFrom('file', 'directory', 'gone'),
    });
    const files = fc.dictionary(
      fc.constantFrom('a/c', 'a/d', 'b', 'b/e', '.wh.a', 'a/.wh.c', 'a/.wh..wh..opq'),
      fc.constant('x'),
    );
    const consistent = (tree: Files): boolean => !('b' in tree && 'b/e' in tree);
    fc.assert(
      fc.property(
        fc.array(files.filter(consistent), { minLength: 2, maxLength: 4 }),
        fc.array(fc.array(edits, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 }),
        (layers, rounds) => {
          rmSync(base, { recursive: true, force: true });
          const branches = union(...layers);
          for (const round of rounds) {
            edit(branches, (root) => {
              for (const each of round) tryEdit(root, each);
            });
            const seen = paths(join(base, 'merged'));
            expect(paths(merge(branches, 'again')).sort()).toEqual(seen.sort());
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

/** Does it if it can be done. */
function tryEdit(root: string, { path, kind }: { readonly path: string; readonly kind: string }): void {
  const full = join(root, path);
  if (lstatSync(join(full, '..'), { throwIfNoEntry: false })?.isDirectory() !== true) return;
  rmSync(full, { recursive: true, force: true });
  if (kind === 'file') writeFileSync(full, 'new');
  if (kind === 'directory') mkdirSync(full);
}
