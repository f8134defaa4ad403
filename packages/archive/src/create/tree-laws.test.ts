/** What holds for every tree: archived and unpacked it is the same; a diff, applied, gives the newer tree. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import { formatChange } from '../changes/change.js';
import { changesBetween } from '../changes/changes-between.js';
import { copyTree } from '../copy/copy-tree.js';
import { applyLayer } from '../extract/apply-layer.js';
import { untar } from '../extract/untar.js';
import {
  BOTH_WAYS,
  collect,
  IS_ROOT,
  type Node,
  plant,
  Scratch,
  TREE_TIME,
} from '../root/temporary-tree.test.support.js';
import { createArchive } from './create-archive.js';
import { exportChanges } from './export-changes.js';

const RUNS = 25;

const segment = fc.constantFrom('a', 'b', 'c', 'é', 'a.txt', 'n'.repeat(110));
const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const mtime = fc.integer({ min: 0, max: 4_000_000 }).map((seconds) => TREE_TIME + seconds);
const owner = IS_ROOT ? fc.tuple(fc.nat(70_000), fc.nat(3_000_000)) : fc.constant(undefined);
const mode = fc.constantFrom(0o600, 0o644, 0o755, 0o4755, 0o1777);

const node: fc.Arbitrary<Node> = fc.oneof(
  { weight: 5, arbitrary: file() },
  { weight: 2, arbitrary: fc.record({ dir: fc.constant(true as const), mode }) },
  { weight: 1, arbitrary: fc.record({ symlink: fc.constantFrom('a', '/b/c', '../../x', 'é') }) },
  { weight: 1, arbitrary: fc.constant({ fifo: true as const }) },
);

function file(): fc.Arbitrary<Node> {
  return fc
    .record({ size: fc.constantFrom(0, 1, 511, 512, 513, 200_000), mode, mtime, owner })
    .map(({ size, owner: ids, ...rest }) => ({
      file: Buffer.alloc(size, 'z'),
      ...rest,
      ...(ids === undefined ? {} : { owner: ids }),
    }));
}

/** Only descriptions whose paths are not below one another's files; links name a file of the tree. */
const tree: fc.Arbitrary<Record<string, Node>> = fc
  .tuple(fc.dictionary(path, node, { maxKeys: 8 }), fc.boolean())
  .map(([nodes, linked]) => {
    const kept: Record<string, Node> = {};
    for (const [name, value] of Object.entries(nodes).sort(([a], [b]) => (a < b ? -1 : 1))) {
      const blocked = Object.entries(kept).some(
        ([other, made]) => name.startsWith(`${other}/`) && !('dir' in made),
      );
      if (!blocked) kept[name] = value;
    }
    const first = Object.entries(kept).find(([, value]) => 'file' in value)?.[0];
    if (linked && first !== undefined) kept['~link'] = { link: first };
    return kept;
  });

async function expectSame(newer: string, older: string, portable: boolean): Promise<void> {
  const list = await changesBetween(newer, older, { portable, contentCheck: 'always' });
  if (list.length > 0) throw new Error(list.map(formatChange).join(', '));
}

describe.each(BOTH_WAYS)('for every tree, $way,', ({ portable }) => {
  it('its archive unpacks to the same tree, and archives to the same bytes again', async () => {
    await fc.assert(
      fc.asyncProperty(tree, async (nodes) => {
        using scratch = new Scratch();
        const root = scratch.tree('in', nodes);
        const out = scratch.tree('out');
        await untar(createArchive(root, { portable }), out);
        await expectSame(out, root, portable);
        const [first, second] = [
          await collect(createArchive(root, { portable })),
          await collect(createArchive(out, { portable })),
        ];
        if (!first.equals(second)) throw new Error('the copy of the tree has another archive');
      }),
      { numRuns: RUNS },
    );
  });

  it('its copy is the same tree', async () => {
    await fc.assert(
      fc.asyncProperty(tree, async (nodes) => {
        using scratch = new Scratch();
        const root = scratch.tree('in', nodes);
        await copyTree(root, scratch.at('out'), { portable });
        await expectSame(scratch.at('out'), root, portable);
      }),
      { numRuns: RUNS },
    );
  });

  it('what changed it, exported and applied to a copy of it, gives the changed tree', async () => {
    await fc.assert(
      fc.asyncProperty(tree, tree, fc.infiniteStream(fc.boolean()), async (before, after, coin) => {
        using scratch = new Scratch();
        const older = scratch.tree('older', before);
        const newer = scratch.at('newer');
        execFileSync('cp', ['-a', older, newer]);
        mutate(newer, before, after, coin);
        const list = await changesBetween(newer, older, { portable });
        await applyLayer(exportChanges(newer, list, { portable }), older);
        await expectSame(older, newer, portable);
      }),
      { numRuns: RUNS },
    );
  });
});

/** Removes about half of what was there and puts some of another tree in. */
function mutate(
  root: string,
  before: Readonly<Record<string, Node>>,
  after: Readonly<Record<string, Node>>,
  coin: Iterable<boolean>,
): void {
  const toss = coin[Symbol.iterator]();
  const heads = (): boolean => toss.next().value === true;
  for (const name of Object.keys(before))
    if (heads()) rmSync(`${root}/${name}`, { recursive: true, force: true });
  for (const [name, value] of Object.entries(after)) {
    if ('link' in value || heads()) continue;
    for (let slash = name.indexOf('/'); slash !== -1; slash = name.indexOf('/', slash + 1))
      clear(`${root}/${name.slice(0, slash)}`);
    rmSync(`${root}/${name}`, { recursive: true, force: true });
    plant(root, { [name]: value });
  }
}

/** A path that has to become a directory must not be anything else. */
function clear(path: string): void {
  try {
    rmSync(mkdtempSync(`${path}/probe-`), { recursive: true });
  } catch {
    rmSync(path, { recursive: true, force: true });
  }
}
