import { open } from 'node:fs/promises';
import path from 'node:path';
import { attributes, file, holdsOnly, removed, tree } from '../../appliers/index.js';
import type { Check } from '../../check.js';
import { expectEqual } from '../../expectation.js';
import { edit, verify } from '../../fixtures/layers.js';

const family = 'mounts';

/** What is written to one layer is seen in that layer only, and lasts. */
export const ISOLATION_CHECKS: readonly Check[] = [
  {
    family,
    name: 'siblings in use at once have their own content each, and their parent keeps its own',
    run: async ({ driver }) => {
      const parent = tree(file('d/f', 'parent'), file('d/gone', 'parent'), file('d/mode', 'parent'));
      await driver.create('parent');
      await edit(driver, 'parent', parent);
      const siblings = ['a', 'b', 'c'];
      for (const id of siblings) await driver.createReadWrite(id, 'parent');
      const roots = await Promise.all(siblings.map((id) => driver.get(id)));
      const own = (id: string) =>
        tree(
          file('d/f', `of ${id}`),
          removed('d/gone'),
          attributes('d/mode', { mode: 0o600 }),
          file(`d/${id}`, id),
        );
      for (const [index, id] of siblings.entries()) await own(id).apply(roots[index] ?? '');
      for (const [index, id] of siblings.entries()) {
        await own(id).check(roots[index] ?? '');
        await holdsOnly('d', 'f', 'mode', id).check(roots[index] ?? '');
      }
      await verify(driver, 'parent', parent, holdsOnly('d', 'f', 'gone', 'mode'));
      for (const id of siblings) await driver.put(id);
    },
  },
  {
    family,
    name: 'a parent in use does not hinder its children, and the other way round',
    run: async ({ driver }) => {
      await driver.create('parent');
      await edit(driver, 'parent', file('f', 'parent'));
      const parent = await driver.get('parent');
      await driver.create('child', 'parent');
      const child = await driver.get('child');
      await driver.createReadWrite('container', 'child');
      const container = await driver.get('container');
      await file('f', 'container').apply(container);
      await file('f', 'parent').check(child);
      await file('f', 'parent').check(parent);
      await driver.put('parent');
      await file('f', 'parent').check(child);
      await driver.put('child');
      await file('f', 'container').check(container);
      await driver.put('container');
    },
  },
  {
    family,
    name: 'what is written lasts over put and get, and over a new opening',
    run: async ({ driver, reopen }) => {
      await driver.create('basis');
      await edit(driver, 'basis', file('lower', 'basis'), file('gone', 'basis'));
      await driver.createReadWrite('container', 'basis');
      const written = tree(file('new/file', 'written'), file('lower', 'changed'), removed('gone'));
      await edit(driver, 'container', written);
      await verify(driver, 'container', written);
      await verify(await reopen(), 'container', written);
    },
  },
  {
    family,
    name: 'appending to a file of the layer below keeps what it had',
    run: async ({ driver }) => {
      const lines = 'line\n'.repeat(20_000);
      await driver.create('basis');
      await edit(driver, 'basis', file('log', lines));
      await driver.createReadWrite('container', 'basis');
      await driver.withMount('container', async (root) => {
        const log = await open(path.join(root, 'log'), 'a');
        try {
          await log.write('last\n');
          expectEqual((await log.stat()).size, lines.length + 5, 'size of the open file');
        } finally {
          await log.close();
        }
        await file('log', `${lines}last\n`).check(root);
      });
      await verify(driver, 'basis', file('log', lines));
    },
  },
  {
    family,
    name: 'removing a layer leaves its siblings and its parent as they are',
    run: async ({ driver, reopen }) => {
      await driver.create('basis');
      await edit(driver, 'basis', file('f', 'basis'));
      for (const id of ['a', 'b']) {
        await driver.create(id, 'basis');
        await edit(driver, id, file(id, id));
      }
      await driver.remove('a');
      await verify(driver, 'b', file('f', 'basis'), file('b', 'b'));
      await verify(await reopen(), 'b', file('f', 'basis'), file('b', 'b'));
    },
  },
];
