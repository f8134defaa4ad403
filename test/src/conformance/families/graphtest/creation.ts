import path from 'node:path';
import { attributes, file, holdsOnly } from '../../appliers/index.js';
import type { Check } from '../../check.js';
import { expectEqual, expectSameMembers, expectTrue } from '../../expectation.js';
import { baseTree, edit, freshRoot, shownChanges, verify, visibleNames } from '../../fixtures/layers.js';

const family = 'graphtest';

/** Layers appear with the right content, and disappear. */
export const CREATION_CHECKS: readonly Check[] = [
  {
    family,
    name: 'an empty layer is an empty directory of mode 0755 that belongs to root (CreateEmpty)',
    run: async ({ driver, facts }) => {
      await driver.create('empty');
      expectTrue(await driver.exists('empty'), 'the layer exists');
      await driver.withMount('empty', async (root) => {
        expectTrue(path.isAbsolute(root), `get gives an absolute path, not ${root}`);
        await freshRoot(facts).check(root);
        expectEqual(await visibleNames(root), [], 'names in the layer');
      });
      await driver.remove('empty');
      expectTrue(!(await driver.exists('empty')), 'the layer is gone');
      expectEqual(await driver.list(), [], 'layers');
    },
  },
  {
    family,
    name: 'a layer keeps modes, owners and special bits, of its root too (CreateBase)',
    run: async ({ driver, facts, reopen }) => {
      await driver.createReadWrite('Base');
      await edit(driver, 'Base', baseTree(facts));
      await verify(driver, 'Base', baseTree(facts), freshRoot(facts));
      await edit(driver, 'Base', attributes('', { mode: 0o711 }));
      await verify(driver, 'Base', baseTree(facts), attributes('', { mode: 0o711 }));
      await verify(await reopen(), 'Base', baseTree(facts), attributes('', { mode: 0o711 }));
    },
  },
  {
    family,
    name: "a child has its parent's content and goes its own way (CreateSnap)",
    run: async ({ driver, facts }) => {
      await driver.createReadWrite('Base');
      await edit(driver, 'Base', baseTree(facts));
      await driver.create('Snap', 'Base');
      await verify(driver, 'Snap', baseTree(facts), freshRoot(facts));
      await edit(
        driver,
        'Snap',
        file('a subdir/new', 'only in the child'),
        file('a file', 'changed', { mode: 0o600 }),
      );
      await verify(driver, 'Base', baseTree(facts), holdsOnly('a subdir'));
      await driver.remove('Snap');
      await verify(driver, 'Base', baseTree(facts), holdsOnly('a subdir'));
      await driver.remove('Base');
      expectEqual(await driver.list(), [], 'layers');
    },
  },
  {
    family,
    name: "the mode and owner of a parent's root are those of its child's",
    run: async ({ driver, facts }) => {
      const owner = facts.root ? { owner: [7, 8] as const } : {};
      const root = attributes('', { mode: 0o1711, ...owner });
      await driver.create('parent');
      await edit(driver, 'parent', root);
      await driver.create('child', 'parent');
      await driver.createReadWrite('container', 'parent');
      await verify(driver, 'child', root);
      await verify(driver, 'container', root);
    },
  },
  {
    family,
    name: 'a copy of a layer has no changes to it, and those it has to the layer below (CreateFromTemplate)',
    run: async ({ driver, facts }) => {
      await driver.create('Base');
      await edit(driver, 'Base', baseTree(facts));
      await driver.createReadWrite('template', 'Base');
      await edit(driver, 'template', file('added', 'in the template'));
      await driver.createReadWrite('writable', 'template');
      await driver.create('read-only', 'template');
      for (const copy of ['writable', 'read-only']) {
        expectEqual(
          shownChanges(await driver.changes(copy, 'template')),
          [],
          `changes of ${copy} to its template`,
        );
        expectEqual(
          shownChanges(await driver.changes(copy, 'Base')),
          ['A /added'],
          `changes of ${copy} to Base`,
        );
      }
    },
  },
  {
    family,
    name: 'lists the layers it has and nothing else (ListLayers)',
    run: async ({ driver, reopen }) => {
      await driver.create('3');
      await driver.create('1', '3');
      await driver.createReadWrite('2', '1');
      expectSameMembers(await driver.list(), ['1', '2', '3'], 'layers');
      await driver.withMount('2', async () => {
        expectSameMembers(await driver.list(), ['1', '2', '3'], 'layers while one is in use');
      });
      await driver.remove('2');
      expectSameMembers(await driver.list(), ['1', '3'], 'layers after a removal');
      const again = await reopen();
      expectSameMembers(await again.list(), ['1', '3'], 'layers after reopening');
    },
  },
  {
    family,
    name: 'the ids of Docker and of its tests are taken',
    run: async ({ driver }) => {
      const hex = '0123456789abcdef'.repeat(4);
      for (const id of ['1', 'Base', 'Snap', 'empty', 'a.b_c-d', hex, `${hex}-init`, 'x'.repeat(200)]) {
        await driver.create(id);
        await edit(driver, id, file('f', id));
        await verify(driver, id, file('f', id));
        await driver.remove(id);
      }
    },
  },
];
