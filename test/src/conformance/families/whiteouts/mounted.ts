import {
  type Applier,
  directory,
  file,
  holdsOnly,
  removed,
  renamed,
  symbolicLink,
  tree,
} from '../../appliers/index.js';
import type { Check } from '../../check.js';
import { expectEqual, expectSameMembers, expectSameTree } from '../../expectation.js';
import { edit, shownChanges, verify } from '../../fixtures/layers.js';
import { bytesOf, entryNames, sourceOf } from '../../layer-bytes.js';
import { createLower, LOWER, topWithout } from './lower.js';

interface Scenario {
  readonly name: string;
  /** Done in the mounted layer, in this order. */
  readonly edits: readonly Applier[];
  /** What is there then, where the edits themselves do not say it. */
  readonly expected: Applier;
  readonly changes: readonly string[];
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a deleted file is a deletion',
    edits: [removed('d/a')],
    expected: tree(removed('d/a'), holdsOnly('d', 'b', 'sub'), LOWER.d),
    changes: ['C /d', 'D /d/a'],
  },
  {
    name: 'a deleted directory is one deletion',
    edits: [removed('d')],
    expected: tree(removed('d'), topWithout('d')),
    changes: ['D /d'],
  },
  {
    name: 'a deleted symbolic link is a deletion, and its target stays',
    edits: [removed('link')],
    expected: tree(removed('link'), file('d/a', 'lower a')),
    changes: ['D /link'],
  },
  {
    name: 'one deleted name of a file is a deletion, and the other name stays',
    edits: [removed('other')],
    expected: tree(removed('other'), file('one', 'two names')),
    changes: ['D /other'],
  },
  {
    name: 'a directory that was deleted and made again has only what is new',
    edits: [removed('d'), directory('d'), file('d/new', 'upper')],
    expected: tree(holdsOnly('d', 'new'), file('d/new', 'upper')),
    changes: ['A /d/new', 'C /d', 'D /d/a', 'D /d/b', 'D /d/sub'],
  },
  {
    name: 'a directory that was deleted and made again can have some of its names again',
    edits: [removed('d'), file('d/a', 'upper a'), file('d/sub/x', 'upper x')],
    expected: tree(holdsOnly('d', 'a', 'sub'), holdsOnly('d/sub', 'x'), file('d/sub/x', 'upper x')),
    changes: ['C /d', 'C /d/a', 'C /d/sub', 'C /d/sub/x', 'D /d/b', 'D /d/sub/y'],
  },
  {
    name: 'an emptied directory is still there',
    edits: [removed('e/f')],
    expected: tree(directory('e'), holdsOnly('e')),
    changes: ['C /e', 'D /e/f'],
  },
  {
    name: 'a directory in the place of a file, and a file in that of a directory, are modifications',
    edits: [removed('top'), file('top/inner', 'upper'), removed('e'), file('e', 'now a file')],
    expected: tree(holdsOnly('top', 'inner'), file('e', 'now a file')),
    changes: ['A /top/inner', 'C /e', 'C /top'],
  },
  {
    name: 'a symbolic link in the place of a directory is a modification',
    edits: [removed('e'), symbolicLink('e', 'd')],
    expected: tree(symbolicLink('e', 'd'), file('d/a', 'lower a')),
    changes: ['C /e'],
  },
  {
    name: 'a renamed file is a deletion and an addition',
    edits: [renamed('d/a', 'e/moved')],
    expected: tree(removed('d/a'), file('e/moved', 'lower a')),
    changes: ['A /e/moved', 'C /d', 'C /e', 'D /d/a'],
  },
  {
    name: 'a file renamed over another is a modification and a deletion',
    edits: [renamed('top', 'e/f')],
    expected: tree(removed('top'), file('e/f', 'lower top')),
    changes: ['C /e', 'C /e/f', 'D /top'],
  },
  {
    name: 'what was made and deleted in the same layer leaves no trace',
    edits: [file('new/f', 'brief'), removed('new'), file('brief', 'x'), removed('brief')],
    expected: topWithout(),
    changes: [],
  },
];

/** Deletions made in a mounted layer, as changes, in a diff, and as unpacked from there. */
export const MOUNT_CHECKS: readonly Check[] = SCENARIOS.map(
  ({ name, edits, expected, changes }): Check => ({
    family: 'whiteouts',
    name: `in a mounted layer ${name}`,
    run: async ({ driver, vfs, reopen }) => {
      await createLower(driver);
      await driver.createReadWrite('container', 'lower');
      await edit(driver, 'container', ...edits);
      await verify(driver, 'container', expected);
      expectEqual(shownChanges(await driver.changes('container', 'lower')), [...changes].sort(), 'changes');
      const diff = await bytesOf(driver.diff('container', 'lower'));
      expectWhiteouts(diff, changes);
      const again = await reopen();
      await again.create('sibling', 'lower');
      await again.applyDiff('sibling', 'lower', sourceOf(diff));
      const reference = await vfs();
      await createLower(reference);
      await reference.create('sibling', 'lower');
      await reference.applyDiff('sibling', 'lower', sourceOf(diff));
      const cut = { precision: 'seconds', times: 'files', rootEntry: false } as const;
      await again.withMount('container', async (container) => {
        await again.withMount('sibling', (same) =>
          expectSameTree(same, container, 'a sibling made of the diff', cut),
        );
        await reference.withMount('sibling', (same) =>
          expectSameTree(same, container, 'vfs with the diff', cut),
        );
      });
    },
  }),
);

const OPAQUE = '.wh..wh..opq';

/** Every deletion is a whiteout in the diff, unless its directory is opaque there. */
function expectWhiteouts(diff: Uint8Array, changes: readonly string[]): void {
  const names = entryNames(diff);
  const opaque = new Set(
    names.filter((name) => name.endsWith(OPAQUE)).map((name) => name.slice(0, -OPAQUE.length)),
  );
  const deleted = changes
    .filter((change) => change.startsWith('D '))
    .map((change) => change.slice('D /'.length));
  const expected = deleted.filter((path) => !opaque.has(path.slice(0, path.lastIndexOf('/') + 1)));
  const whiteouts = names.filter((name) => /(^|\/)\.wh\.[^/]+$/.test(name) && !name.endsWith(OPAQUE));
  const found = whiteouts.map((name) => name.replace(/(^|\/)\.wh\.([^/]+)$/, '$1$2'));
  expectSameMembers(found, expected, 'whiteouts in the diff');
}
