import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Driver } from '@x/layer-store';
import type { Check } from '../../check.js';
import { expectCode, expectEqual, expectSameMembers, expectTrue } from '../../expectation.js';
import { randomContent } from '../../fixtures/layers.js';
import { bytesOf, layerEntry, layerOf } from '../../layer-bytes.js';
import { mountedPaths } from '../mounts/mounted-paths.js';
import { settled } from './many-layers.js';

const family = 'concurrency';
/** More than a stream can have read ahead. Bytes. */
const LARGE = 6 * 1024 * 1024;

/** Calls that come while a long operation is under way. */
export const WHILE_READING_CHECKS: readonly Check[] = [
  {
    family,
    name: 'a diff is whole while its layers are used, and others are made on the same parent',
    run: async ({ driver, home }) => {
      await makeLarge(driver);
      const alone = await bytesOf(driver.diff('large', 'basis'));
      const before = await mountedPaths(home);
      const reading = readSlowly(driver, 'large', 'basis');
      const meanwhile = Array.from({ length: 8 }, async (_, number) => {
        await driver.withMount('large', async () => undefined);
        await driver.withMount('basis', async () => undefined);
        await driver.createReadWrite(`other-${number}`, 'large');
        await driver.withMount(`other-${number}`, (root) => writeFile(path.join(root, 'edit'), 'edit'));
        await driver.remove(`other-${number}`);
      });
      await settled([...meanwhile, reading]);
      expectTrue((await reading).equals(alone), 'the diff is the same as when nothing else happens');
      expectEqual(await mountedPaths(home), before, 'mounts afterwards');
    },
  },
  {
    family,
    name: 'several diffs of one layer at once are the same',
    run: async ({ driver }) => {
      await makeLarge(driver);
      const [first, ...others] = await Promise.all(
        Array.from({ length: 4 }, () => readSlowly(driver, 'large', 'basis')),
      );
      for (const other of others) expectTrue(first?.equals(other) === true, 'each diff has the same bytes');
    },
  },
  {
    family,
    name: 'a layer, and the one it is compared with, cannot be removed while its diff is read; closed in the middle, it can',
    run: async ({ driver, home }) => {
      await makeLarge(driver);
      const before = await mountedPaths(home);
      const diff = driver.diff('large', 'basis');
      const reading = diff[Symbol.asyncIterator]();
      await reading.next();
      await expectCode('DRIVER_BUSY', 'remove of a layer whose diff is read', () => driver.remove('large'));
      await expectCode('DRIVER_BUSY', 'remove of the layer a diff is to', () => driver.remove('basis'));
      await diff.close();
      expectEqual(await mountedPaths(home), before, 'mounts after the diff was closed');
      await driver.remove('large');
      await driver.remove('basis');
      expectEqual(await driver.list(), [], 'layers');
    },
  },
  {
    family,
    name: 'a parent that is removed while a child is made: the removal is refused, or the child is',
    run: async ({ driver }) => {
      await makeLarge(driver);
      const [made, removed] = await Promise.allSettled([
        driver.create('child', 'large'),
        driver.remove('large'),
      ]);
      expectTrue(made.status === 'rejected' || removed.status === 'rejected', 'one of the two was refused');
      const left = [
        'basis',
        ...(removed.status === 'rejected' ? ['large'] : []),
        ...(made.status === 'fulfilled' ? ['child'] : []),
      ];
      expectSameMembers(await driver.list(), left, 'layers');
      for (const id of left) await driver.withMount(id, async () => undefined);
    },
  },
];

async function makeLarge(driver: Driver): Promise<void> {
  await driver.create('basis');
  await driver.applyDiff('basis', undefined, await layerOf(layerEntry.file('small', 'small')));
  await driver.create('large', 'basis');
  const content = randomContent(LARGE, 1);
  await driver.applyDiff('large', 'basis', await layerOf(layerEntry.file('large', content)));
}

/** One chunk each time others have had their turn. */
async function readSlowly(driver: Driver, id: string, parent: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of driver.diff(id, parent)) {
    chunks.push(Buffer.from(chunk));
    await new Promise(setImmediate);
  }
  return Buffer.concat(chunks);
}
