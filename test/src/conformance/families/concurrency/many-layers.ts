import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isLayerStoreError } from '@x/archive';
import type { Check } from '../../check.js';
import { expectEqual, expectSameMembers, expectTrue } from '../../expectation.js';
import { shownChanges } from '../../fixtures/layers.js';
import { bytesOf, layerEntry, layerOf, sourceOf } from '../../layer-bytes.js';
import { mountedPaths } from '../mounts/mounted-paths.js';

const family = 'concurrency';
const MANY = 24;

/** Calls for different layers, and for one, at the same time. */
export const MANY_LAYERS_CHECKS: readonly Check[] = [
  {
    family,
    name: 'many layers on one parent are made, used, compared and removed at once',
    run: async ({ driver, home }) => {
      await driver.create('basis');
      await driver.applyDiff('basis', undefined, await layerOf(layerEntry.file('below', 'below')));
      const before = await mountedPaths(home);
      const lives = Array.from({ length: MANY }, async (_, number) => {
        const id = `layer-${number}`;
        await driver.createReadWrite(id, 'basis');
        const root = await driver.get(id);
        await writeFile(path.join(root, id), id);
        const changes = shownChanges(await driver.changes(id, 'basis'));
        expectEqual(changes, [`A /${id}`], `changes of ${id}`);
        await driver.put(id);
        const diff = await bytesOf(driver.diff(id, 'basis'));
        await driver.create(`copy-${number}`, 'basis');
        await driver.applyDiff(`copy-${number}`, 'basis', sourceOf(diff));
        expectEqual(
          shownChanges(await driver.changes(`copy-${number}`, 'basis')),
          changes,
          `changes of the copy`,
        );
        await driver.remove(id);
        await driver.remove(`copy-${number}`);
      });
      await settled(lives);
      expectEqual(await driver.list(), ['basis'], 'layers that are left');
      expectEqual(await mountedPaths(home), before, 'mounts that are left');
      expectEqual(shownChanges(await driver.changes('basis')), ['A /below'], 'content of the parent');
      await driver.remove('basis');
    },
  },
  {
    family,
    name: 'of many that make the same layer one does, the others are told that it exists',
    run: async ({ driver }) => {
      await driver.create('basis');
      const results = await Promise.allSettled(
        Array.from({ length: MANY }, () => driver.create('same', 'basis')),
      );
      const refused = results.filter((result) => result.status === 'rejected');
      expectEqual(refused.length, MANY - 1, 'number of calls that were refused');
      for (const { reason } of refused) {
        expectTrue(
          isLayerStoreError(reason, 'DRIVER_ID_EXISTS'),
          `refused with DRIVER_ID_EXISTS, not ${reason}`,
        );
      }
      expectSameMembers(await driver.list(), ['basis', 'same'], 'layers');
    },
  },
  {
    family,
    name: 'many uses of one layer at once give the same path, which lasts until the last of them ends',
    run: async ({ driver, home }) => {
      await driver.create('basis');
      await driver.createReadWrite('shared', 'basis');
      const before = await mountedPaths(home);
      const paths = await Promise.all(Array.from({ length: MANY }, () => driver.get('shared')));
      const [root = ''] = paths;
      expectEqual(new Set(paths).size, 1, 'number of different paths');
      // All but one are given up while others come and go.
      const comings = Array.from({ length: MANY }, (_, number) =>
        driver.withMount('shared', (path_) => writeFile(path.join(path_, `file-${number}`), '')),
      );
      await settled([...comings, ...Array.from({ length: MANY - 1 }, () => driver.put('shared'))]);
      await writeFile(path.join(root, 'last'), '');
      await driver.put('shared');
      expectEqual(await mountedPaths(home), before, 'mounts after the last put');
      expectEqual(
        (await driver.changes('shared', 'basis')).length,
        MANY + 1,
        'number of files that were written',
      );
      await driver.remove('shared');
    },
  },
  {
    family,
    name: 'of many that remove the same layer all succeed, and it is gone',
    run: async ({ driver }) => {
      await driver.create('basis');
      await driver.create('same', 'basis');
      await settled(Array.from({ length: MANY }, () => driver.remove('same')));
      expectEqual(await driver.list(), ['basis'], 'layers');
      await driver.create('same', 'basis');
    },
  },
];

/** Waits for all, also when one fails; then the first failure is thrown. */
export async function settled(work: readonly Promise<unknown>[]): Promise<void> {
  const [first] = (await Promise.allSettled(work)).filter((result) => result.status === 'rejected');
  if (first !== undefined) throw first.reason;
}
