import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Driver, layerSource } from '@x/layer-store';
import { file, tree } from '../appliers/index.js';
import { createChain, edit, manyFiles, randomContent } from '../fixtures/layers.js';
import { bytesOf, sourceOf } from '../layer-bytes.js';
import type { Benchmark } from './benchmark.js';

const CHAIN = 20;
const SIBLINGS = 256;
const AT_ONCE = 32;

/** The benchmarks that Docker's drivers come with (spec/drivers.md 6.2). */
export const BENCHMARKS: readonly Benchmark[] = [
  {
    name: 'exists (Exists)',
    rounds: 200,
    prepare: async ({ driver }) => {
      await driver.create('base');
      return { round: async () => void (await driver.exists('base')) };
    },
  },
  {
    name: 'get of an empty layer (GetEmpty)',
    rounds: 100,
    prepare: async ({ driver }) => {
      await driver.create('base');
      await driver.createReadWrite('layer', 'base');
      return { round: async () => void (await driver.get('layer')), afterwards: () => driver.put('layer') };
    },
  },
  {
    name: 'create, get, put and remove of a read-write layer',
    rounds: 50,
    prepare: async ({ driver }) => {
      await driver.create('base');
      await edit(driver, 'base', manyFiles(100, 3));
      return {
        round: async () => {
          await driver.createReadWrite('layer', 'base');
          await driver.get('layer');
          await driver.put('layer');
          await driver.remove('layer');
        },
      };
    },
  },
  {
    name: 'diff of a base layer (DiffBase)',
    rounds: 50,
    prepare: async ({ driver }) => {
      await driver.create('base');
      await edit(
        driver,
        'base',
        tree(
          file('file-a', randomContent(64, 3)),
          file('dir-b/file-b', randomContent(128, 4)),
          file('file-c', randomContent(16 * 1024, 5)),
        ),
      );
      return { round: () => drain(driver, 'base') };
    },
  },
  diffOf(10, 10, 50),
  diffOf(10, 10_000, 5),
  diffOf(10_000, 10, 5),
  {
    name: 'diff of 100 files applied to a sibling (DiffApply 100)',
    rounds: 20,
    prepare: async ({ driver }) => {
      await driver.create('base');
      await edit(driver, 'base', manyFiles(100, 3));
      await driver.create('upper', 'base');
      await edit(driver, 'upper', manyFiles(100, 6));
      let round = 0;
      return {
        round: async () => {
          round += 1;
          await driver.create(`sibling-${round}`, 'base');
          await using diff = driver.diff('upper', 'base');
          await driver.applyDiff(`sibling-${round}`, 'base', layerSource(diff));
        },
        afterwards: () => driver.remove(`sibling-${round}`),
      };
    },
  },
  {
    name: `diff of the top of ${CHAIN} layers (DeepLayerDiff ${CHAIN})`,
    rounds: 20,
    prepare: async ({ driver, signal }) => {
      const top = await createChain(driver, CHAIN, signal);
      return { round: () => drain(driver, top, `chain-${CHAIN - 2}`) };
    },
  },
  {
    name: `a file of the bottom of ${CHAIN} layers read through the top (DeepLayerRead ${CHAIN})`,
    rounds: 50,
    prepare: async ({ driver, signal }) => {
      const root = await driver.get(await createChain(driver, CHAIN, signal));
      return { round: async () => void (await readFile(path.join(root, 'layer-0/layer-id'))) };
    },
  },
  {
    name: `${SIBLINGS} layers on one parent: got and put ${AT_ONCE} at a time, then removed (ConcurrentAccess)`,
    rounds: 3,
    prepare: async ({ driver }) => {
      await driver.create('base');
      await edit(driver, 'base', manyFiles(10, 3));
      const ids = Array.from({ length: SIBLINGS }, (_, index) => `layer-${index}`);
      const layer = await bytesOf(driver.diff('base'));
      return {
        round: async () => {
          for (let at = 0; at < SIBLINGS; at += AT_ONCE) {
            await Promise.all(ids.slice(at, at + AT_ONCE).map((id) => live(driver, id, layer)));
          }
        },
      };
    },
  },
];

async function live(driver: Driver, id: string, layer: Uint8Array): Promise<void> {
  await driver.create(id, 'base');
  await driver.applyDiff(id, 'base', sourceOf(layer));
  await driver.get(id);
  await driver.put(id);
  await driver.remove(id);
}

function diffOf(below: number, above: number, rounds: number): Benchmark {
  return {
    name: `diff of ${above} files on ${below} (Diff${below}Bottom${above}Top)`,
    rounds,
    prepare: async ({ driver }) => {
      await driver.create('base');
      await edit(driver, 'base', manyFiles(below, 3));
      await driver.create('upper', 'base');
      await edit(driver, 'upper', manyFiles(above, 6));
      return { round: () => drain(driver, 'upper', 'base') };
    },
  };
}

async function drain(driver: Driver, id: string, parent?: string): Promise<void> {
  for await (const chunk of driver.diff(id, parent)) void chunk;
}
