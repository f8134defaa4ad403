import path from 'node:path';
import { LayerStoreError } from '@x/archive';
import { unmount } from '@x/layer-store/driver-kit';
import { file } from '../../appliers/index.js';
import type { Check, Workbench } from '../../check.js';
import { expectCode, expectEqual, expectTrue } from '../../expectation.js';
import { edit, randomContent, verify } from '../../fixtures/layers.js';
import { mountedPaths } from './mounted-paths.js';

const family = 'mounts';
const CONTENT = file('f', 'basis');
const ADDED = file('d/g', 'layer');

/** `get` and `put` are counted. */
export const USE_CHECKS: readonly Check[] = [
  {
    family,
    name: 'every get gives the same absolute path, and the layer is there until the last put',
    run: async (bench) => {
      const { driver, home } = bench;
      await twoLayers(bench);
      const before = await mountedPaths(home);
      const first = await driver.get('layer');
      const mounts = await mountedPaths(home);
      expectTrue(path.isAbsolute(first), `${first} is absolute`);
      for (let count = 2; count <= 4; count++)
        expectEqual(await driver.get('layer'), first, `path of get ${count}`);
      expectEqual(await mountedPaths(home), mounts, 'mounts after further gets');
      for (let left = 3; left >= 1; left--) {
        await driver.put('layer');
        await CONTENT.check(first);
        await ADDED.check(first);
        expectEqual(await mountedPaths(home), mounts, `mounts with ${left} uses left`);
      }
      await driver.put('layer');
      expectEqual(await mountedPaths(home), before, 'mounts after the last put');
      expectEqual(await driver.get('layer'), first, 'path of a get after the last put');
      await ADDED.check(first);
      await driver.put('layer');
    },
  },
  {
    family,
    name: 'put without get does no harm, before and after',
    run: async (bench) => {
      const { driver, home } = bench;
      await twoLayers(bench);
      for (let count = 0; count < 3; count++) await driver.put('layer');
      const root = await driver.get('layer');
      const mounts = await mountedPaths(home);
      await driver.get('layer');
      await driver.put('layer');
      await ADDED.check(root);
      expectEqual(await mountedPaths(home), mounts, 'mounts');
      await driver.put('layer');
      await driver.put('layer');
      await verify(driver, 'layer', CONTENT, ADDED);
      await driver.remove('layer');
    },
  },
  {
    family,
    name: 'a layer in use cannot be removed, stays whole, and can be removed afterwards',
    run: async (bench) => {
      const { driver } = bench;
      await twoLayers(bench);
      for (const id of ['layer', 'basis']) {
        const root = await driver.get(id);
        await driver.get(id);
        await expectCode('DRIVER_BUSY', `remove of ${id} with two uses`, () => driver.remove(id));
        await driver.put(id);
        await expectCode('DRIVER_BUSY', `remove of ${id} with one use`, () => driver.remove(id));
        expectTrue(await driver.exists(id), `${id} exists`);
        await CONTENT.check(root);
        await driver.put(id);
      }
      await driver.remove('layer');
      expectEqual(await driver.list(), ['basis'], 'layers');
      await driver.remove('basis');
    },
  },
  {
    family,
    name: 'a layer cannot be removed while its diff is read, nor the layer the diff is to',
    run: async ({ driver }) => {
      await driver.create('basis');
      await edit(driver, 'basis', file('f', randomContent(500_000, 1)));
      await driver.create('layer', 'basis');
      await edit(driver, 'layer', file('g', randomContent(500_000, 2)));
      const diff = driver.diff('layer', 'basis');
      const chunks = diff[Symbol.asyncIterator]();
      await chunks.next();
      await expectCode('DRIVER_BUSY', 'remove of the layer', () => driver.remove('layer'));
      await expectCode('DRIVER_BUSY', 'remove of its parent', () => driver.remove('basis'));
      await diff.close();
      await driver.remove('layer');
      await driver.remove('basis');
    },
  },
  {
    family,
    name: 'withMount gives the layer up when its work fails, and passes the failure on',
    run: async (bench) => {
      const { driver } = bench;
      await twoLayers(bench);
      await expectCode('LAYER_BROKEN', 'withMount', () =>
        driver.withMount('layer', () =>
          Promise.reject(new LayerStoreError('LAYER_BROKEN', 'thrown by the work')),
        ),
      );
      await driver.remove('layer');
    },
  },
  {
    family,
    name: 'cleanup ends every use, more than once, and deletes no layer',
    run: async (bench) => {
      const { driver, home } = bench;
      await twoLayers(bench);
      const before = await mountedPaths(home);
      await driver.get('layer');
      await driver.get('layer');
      await driver.get('basis');
      await driver.cleanup();
      await driver.cleanup();
      expectEqual(await mountedPaths(home), before, 'mounts after cleanup');
      await verify(driver, 'layer', CONTENT, ADDED);
      await driver.remove('layer');
      await driver.remove('basis');
    },
  },
  {
    family,
    name: 'a mount that somebody else has taken away is made again by the next get, and the counts stay balanced',
    needs: ['root', 'native'],
    applicable: ({ capabilities }) => (capabilities.mounts ? undefined : 'the driver mounts nothing'),
    run: async (bench) => {
      const { driver, home } = bench;
      await twoLayers(bench);
      await driver.createReadWrite('container', 'layer');
      const before = await mountedPaths(home);
      await driver.get('container');
      for (const mount of [...(await mountedPaths(home))].reverse()) {
        if (!before.includes(mount)) await unmount(mount, { lazy: true });
      }
      await driver.put('container');
      await verify(driver, 'container', CONTENT, ADDED);
      expectEqual(await mountedPaths(home), before, 'mounts in the end');
      await driver.remove('container');
    },
  },
];

async function twoLayers({ driver }: Workbench): Promise<void> {
  await driver.create('basis');
  await edit(driver, 'basis', CONTENT);
  await driver.create('layer', 'basis');
  await edit(driver, 'layer', ADDED);
}
