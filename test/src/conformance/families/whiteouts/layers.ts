import type { TarEntryInput } from '@x/archive';
import type { Driver } from '@x/layer-store';
import { type Applier, file, holdsOnly, removed, symbolicLink, tree } from '../../appliers/index.js';
import type { Check } from '../../check.js';
import { expectEqual, expectSameTree } from '../../expectation.js';
import { shownChanges, verify } from '../../fixtures/layers.js';
import { layerBytes, layerEntry, sourceOf } from '../../layer-bytes.js';
import { createLower, LINK, LOWER, LOWER_NAMES, topWithout } from './lower.js';

const { whiteout, opaque } = layerEntry;

interface Scenario {
  readonly name: string;
  /** Layers on top of `lower`, lowest first. */
  readonly layers: readonly (readonly TarEntryInput[])[];
  readonly expected: Applier;
  /** Of the topmost layer. */
  readonly changes: readonly string[];
}

const d = layerEntry.directory('d');

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a whiteout deletes a file and nothing beside it',
    layers: [[d, whiteout('d/a')]],
    expected: tree(removed('d/a'), holdsOnly('d', 'b', 'sub'), LOWER.d, LOWER.sub, LINK, topWithout()),
    changes: ['C /d', 'D /d/a'],
  },
  {
    name: 'a whiteout needs no entry for its directory',
    layers: [[whiteout('d/sub/x')]],
    expected: tree(holdsOnly('d/sub', 'y'), holdsOnly('d', 'a', 'b', 'sub')),
    changes: ['C /d', 'C /d/sub', 'D /d/sub/x'],
  },
  {
    name: 'a whiteout deletes a directory with all it holds',
    layers: [[whiteout('d')]],
    expected: tree(removed('d'), topWithout('d'), LOWER.e, LINK),
    changes: ['D /d'],
  },
  {
    name: 'a whiteout deletes a symbolic link, not what it points to',
    layers: [[whiteout('link')]],
    expected: tree(removed('link'), file('d/a', 'lower a')),
    changes: ['D /link'],
  },
  {
    name: 'a whiteout of one name of a file leaves its other name',
    layers: [[whiteout('one')]],
    expected: tree(removed('one'), file('other', 'two names')),
    changes: ['D /one'],
  },
  {
    name: 'a whiteout of nothing is nothing',
    layers: [[whiteout('nothing'), d, whiteout('d/nothing')]],
    expected: tree(topWithout(), holdsOnly('d', 'a', 'b', 'sub')),
    changes: [],
  },
  {
    name: 'an opaque directory shows only what its layer has in it',
    layers: [[d, opaque('d'), layerEntry.file('d/new', 'upper')]],
    expected: tree(holdsOnly('d', 'new'), file('d/new', 'upper'), LOWER.e),
    changes: ['A /d/new', 'C /d', 'D /d/a', 'D /d/b', 'D /d/sub'],
  },
  {
    name: 'an opaque marker may come after what its layer has in the directory',
    layers: [[d, layerEntry.file('d/a', 'upper'), layerEntry.file('d/new', 'upper'), opaque('d')]],
    expected: tree(holdsOnly('d', 'a', 'new'), file('d/a', 'upper'), file('d/new', 'upper')),
    changes: ['A /d/new', 'C /d', 'C /d/a', 'D /d/b', 'D /d/sub'],
  },
  {
    name: 'a directory inside another can be opaque, and directories inside an opaque one start empty',
    layers: [
      [d, layerEntry.directory('d/sub'), opaque('d/sub'), layerEntry.directory('d/sub/deep')],
      [
        layerEntry.directory('d'),
        opaque('d'),
        layerEntry.directory('d/sub'),
        layerEntry.file('d/sub/z', 'upper'),
      ],
    ],
    expected: tree(holdsOnly('d', 'sub'), holdsOnly('d/sub', 'z')),
    changes: ['A /d/sub/z', 'C /d', 'C /d/sub', 'D /d/a', 'D /d/b', 'D /d/sub/deep'],
  },
  {
    name: 'a directory that is new can be opaque',
    layers: [[layerEntry.directory('new'), opaque('new'), layerEntry.file('new/f', 'upper')]],
    expected: tree(holdsOnly('new', 'f'), holdsOnly('', ...LOWER_NAMES, 'new')),
    changes: ['A /new', 'A /new/f'],
  },
  {
    name: 'an opaque root hides everything below',
    layers: [[opaque(''), layerEntry.file('only', 'upper')]],
    expected: tree(holdsOnly('', 'only'), file('only', 'upper')),
    changes: ['A /only', ...LOWER_NAMES.map((name) => `D /${name}`)],
  },
  {
    name: 'a layer may delete a file and bring it again',
    layers: [[d, whiteout('d/a'), layerEntry.file('d/a', 'upper')]],
    expected: tree(file('d/a', 'upper'), holdsOnly('d', 'a', 'b', 'sub')),
    changes: ['C /d', 'C /d/a'],
  },
  {
    name: 'a layer may delete a directory and bring it again, without what was in it',
    layers: [[whiteout('d'), d, layerEntry.file('d/new', 'upper')]],
    expected: tree(holdsOnly('d', 'new'), file('d/new', 'upper')),
    changes: ['A /d/new', 'C /d', 'D /d/a', 'D /d/b', 'D /d/sub'],
  },
  {
    name: 'a directory takes the place of a file, and a file that of a directory',
    layers: [
      [
        layerEntry.directory('top'),
        layerEntry.file('top/inner', 'upper'),
        layerEntry.file('e', 'now a file'),
      ],
    ],
    expected: tree(file('top/inner', 'upper'), holdsOnly('top', 'inner'), file('e', 'now a file')),
    changes: ['A /top/inner', 'C /e', 'C /top'],
  },
  {
    name: 'a symbolic link takes the place of a directory, and nothing goes through it',
    layers: [[layerEntry.symbolicLink('e', 'd')], [whiteout('link'), layerEntry.file('top', 'upper')]],
    expected: tree(
      symbolicLink('e', 'd'),
      holdsOnly('d', 'a', 'b', 'sub'),
      removed('link'),
      file('top', 'upper'),
    ),
    changes: ['C /top', 'D /link'],
  },
  {
    name: 'what one layer deletes the next brings again, new',
    layers: [
      [d, whiteout('d/sub'), whiteout('d/a')],
      [d, layerEntry.directory('d/sub'), layerEntry.file('d/a', 'third')],
    ],
    expected: tree(holdsOnly('d/sub'), file('d/a', 'third'), holdsOnly('d', 'a', 'b', 'sub')),
    changes: ['A /d/a', 'A /d/sub', 'C /d'],
  },
  {
    name: 'a directory that a layer in between deleted does not come back with its content',
    layers: [[whiteout('d')], [layerEntry.file('top', 'x')], [d, layerEntry.file('d/z', 'fourth')]],
    expected: tree(holdsOnly('d', 'z'), file('d/z', 'fourth')),
    changes: ['A /d', 'A /d/z'],
  },
  {
    name: 'the bookkeeping of aufs in a layer is not unpacked',
    layers: [
      [
        layerEntry.file('.wh..wh.aufs', '', { mode: 0o444 }),
        layerEntry.directory('.wh..wh.plnk', { mode: 0o700 }),
        layerEntry.directory('.wh..wh.orph', { mode: 0o700 }),
        layerEntry.file('top', 'upper'),
      ],
    ],
    expected: tree(topWithout(), file('top', 'upper')),
    changes: ['C /top'],
  },
];

/** Layers that delete, unpacked by `applyDiff`. */
export const LAYER_CHECKS: readonly Check[] = SCENARIOS.map(
  ({ name, layers, expected, changes }): Check => ({
    family: 'whiteouts',
    name,
    run: async ({ driver, vfs }) => {
      const top = await unpack(driver, layers);
      await verify(driver, top, expected);
      const parent = layers.length === 1 ? 'lower' : `layer-${layers.length - 1}`;
      expectEqual(
        shownChanges(await driver.changes(top, parent)),
        [...changes].sort(),
        'changes of the layer',
      );
      await driver.createReadWrite('container', top);
      await verify(driver, 'container', expected);
      expectEqual(shownChanges(await driver.changes('container', top)), [], 'changes of a layer made on it');
      const reference = await vfs();
      await unpack(reference, layers);
      await driver.withMount(top, (actual) =>
        reference.withMount(top, (same) =>
          expectSameTree(actual, same, 'the layer is as on vfs', { times: 'files', rootEntry: false }),
        ),
      );
    },
  }),
);

/** `lower` and the layers on it; gives the id of the top. */
async function unpack(driver: Driver, layers: Scenario['layers']): Promise<string> {
  await createLower(driver);
  let parent = 'lower';
  for (const [index, entries] of layers.entries()) {
    const id = `layer-${index + 1}`;
    await driver.create(id, parent);
    await driver.applyDiff(id, parent, sourceOf(await layerBytes(...entries)));
    parent = id;
  }
  return parent;
}
