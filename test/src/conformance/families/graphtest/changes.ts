import { layerSource } from '@x/layer-store';
import { type Applier, directory, file, removed } from '../../appliers/index.js';
import type { Check } from '../../check.js';
import { expectEqual, expectSameTree } from '../../expectation.js';
import {
  edit,
  manyFiles,
  manyFilesPath,
  randomContent,
  shownChanges,
  verify,
} from '../../fixtures/layers.js';

const family = 'graphtest';

/** What differs between layers, and layers made of the difference. */
export const CHANGES_CHECKS: readonly Check[] = [
  ...[10, 100].map((count): Check => diffApply(count)),
  {
    family,
    name: 'changes are what was changed, over two layers (Changes, 20 files)',
    run: async ({ driver }) => {
      await driver.create('basis');
      await edit(driver, 'basis', manyFiles(20, 3));
      let parent = 'basis';
      for (const [id, seed] of [
        ['upper', 6],
        ['top', 9],
      ] as const) {
        await driver.create(id, parent);
        const { edits, changes } = changedFiles(20, seed, parent !== 'basis');
        await edit(driver, id, ...edits);
        expectEqual(shownChanges(await driver.changes(id, parent)), changes, `changes of ${id} to ${parent}`);
        expectEqual(shownChanges(await driver.changes(id, id)), [], `changes of ${id} to itself`);
        parent = id;
      }
    },
  },
  {
    family,
    name: 'without a parent everything is an addition',
    run: async ({ driver }) => {
      await driver.create('basis');
      await edit(driver, 'basis', file('d/f', 'x'), directory('e'));
      await driver.create('child', 'basis');
      await edit(driver, 'child', removed('e'), file('d/g', 'y'));
      expectEqual(shownChanges(await driver.changes('basis')), ['A /d', 'A /d/f', 'A /e'], 'changes of base');
      expectEqual(
        shownChanges(await driver.changes('child')),
        ['A /d', 'A /d/f', 'A /d/g'],
        'changes of its child',
      );
    },
  },
  {
    family,
    name: 'changes to a layer that is not the direct parent are those of the trees',
    run: async ({ driver }) => {
      await driver.create('basis');
      await edit(driver, 'basis', file('d/f', 'basis'), file('d/gone', 'basis'));
      await driver.create('middle', 'basis');
      await edit(driver, 'middle', file('d/f', 'middle!'), file('d/brief', 'middle'));
      await driver.create('top', 'middle');
      await edit(driver, 'top', removed('d/gone'), removed('d/brief'), file('d/new', 'top'));
      const expected = ['A /d/new', 'C /d', 'C /d/f', 'D /d/gone'];
      expectEqual(shownChanges(await driver.changes('top', 'basis')), expected, 'changes of top to base');
    },
  },
  ...Array.from({ length: 10 }, (_, depth): Check => echo(depth)),
];

function diffApply(count: number): Check {
  return {
    family,
    name: `a diff applied to a sibling gives the same tree, and its size (DiffApply, ${count} files)`,
    run: async ({ driver }) => {
      const before = manyFiles(count, 1);
      const after = manyFiles(count, 1000);
      await driver.create('basis');
      await edit(
        driver,
        'basis',
        before,
        file('file-remove.txt', 'remove me'),
        file('var/lib/inner/file', 'me too'),
      );
      await driver.create('upper', 'basis');
      await edit(driver, 'upper', after, removed('file-remove.txt'), removed('var/lib/inner'));
      await driver.create('sibling', 'basis');
      await using diff = driver.diff('upper', 'basis');
      const applied = await driver.applyDiff('sibling', 'basis', layerSource(diff));
      expectEqual(applied, count * 64, 'size of the applied diff');
      expectEqual(await driver.diffSize('upper', 'basis'), applied, 'diffSize to base');
      expectEqual(await driver.diffSize('upper'), applied, 'diffSize without a parent');
      await verify(driver, 'sibling', after, removed('file-remove.txt'), removed('var/lib/inner'));
      await driver.withMount('upper', (upper) =>
        driver.withMount('sibling', (sibling) =>
          expectSameTree(sibling, upper, 'the sibling is as the layer the diff is of', {
            rootEntry: false,
            precision: 'seconds',
          }),
        ),
      );
      expectEqual(shownChanges(await driver.changes('sibling', 'upper')), [], 'changes of the sibling to it');
    },
  };
}

/** graphtest's changeManyFiles: a third is rewritten, a third gets a new neighbour, a third is removed. */
function changedFiles(
  count: number,
  seed: number,
  again: boolean,
): { readonly edits: readonly Applier[]; readonly changes: readonly string[] } {
  const edits: Applier[] = [];
  const changes = new Set<string>();
  for (let index = 0; index < count; index++) {
    const path = manyFilesPath(index);
    const parent = path.slice(0, path.indexOf('/'));
    const beside = `${parent}/file-${seed}-${index}`;
    changes.add(`C /${parent}`);
    if (index % 3 === 0) {
      edits.push(file(path, randomContent(64, index + seed * 31)));
      changes.add(`C /${path}`);
    } else if (index % 3 === 1) {
      edits.push(file(beside, randomContent(64, index + seed)));
      changes.add(`A /${beside}`);
    } else {
      // The second time it is not there any more: it comes back.
      edits.push(again ? file(path, randomContent(64, seed)) : removed(path));
      changes.add(`${again ? 'A' : 'D'} /${path}`);
    }
  }
  return { edits, changes: [...changes].sort() };
}

function echo(depth: number): Check {
  return {
    family,
    name: `what is removed and made again at depth ${depth} is an addition, while all layers are in use (Echo)`,
    run: async ({ driver }) => {
      const directories = Array.from({ length: 9 }, (_, index) =>
        Array.from({ length: index + 1 }, (_unused, level) => `subdir${level + 1}`).join('/'),
      );
      const leaf = `${directories.at(-1)}/file`;
      const paths = [...directories, leaf];
      const target = paths[depth] ?? leaf;
      const above = paths.slice(0, depth).map((path) => `C /${path}`);
      const below = paths.slice(depth).map((path) => `A /${path}`);
      await driver.create('one');
      await file(leaf, 'original').apply(await driver.get('one'));
      await driver.create('two', 'one');
      await removed(target).apply(await driver.get('two'));
      await driver.create('three', 'two');
      await file(leaf, 'made again').apply(await driver.get('three'));
      const all = paths.map((path) => `A /${path}`);
      expectEqual(shownChanges(await driver.changes('one')), all.sort(), 'changes of the first layer');
      const gone = [...above, `D /${target}`];
      expectEqual(shownChanges(await driver.changes('two', 'one')), gone.sort(), 'changes of the second');
      const back = [...above, ...below];
      expectEqual(shownChanges(await driver.changes('three', 'two')), back.sort(), 'changes of the third');
      for (const id of ['one', 'two', 'three']) await driver.put(id);
    },
  };
}
