import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { formatChange } from '@x/archive';
import { LayerStore } from '@x/layer-store';
import type { Check, SubjectFacts, Workbench } from '../../check.js';
import { expectEqual, expectSameMembers, expectTrue } from '../../expectation.js';
import { bytesOf, layerEntry, layerOf } from '../../layer-bytes.js';
import { mountedPaths } from '../mounts/mounted-paths.js';
import { killedHolder } from './holder.js';
import { BASE, BASE_FILE } from './holder-scripts.js';

const family = 'restart';
const HELD = ['one', 'two', 'three'] as const;
/** At this many lines a process that churns is killed: in the middle of one thing or another. */
const MOMENTS = [5, 12, 23] as const;

const applicable = ({ module }: SubjectFacts): string | undefined =>
  module === undefined ? 'no module is known from which another process could load the driver' : undefined;

/** A process that is killed leaves nothing that the next one cannot go on with (spec/drivers.md 1.18). */
export const KILLED_CHECKS: readonly Check[] = [
  {
    family,
    name: 'layers that a killed process held are used on: the same content, counted, and given up in the end',
    applicable,
    run: async (bench) => {
      await killHoldingMounts(bench);
      const { driver } = bench;
      expectSameMembers(await driver.list(), [BASE, ...HELD], 'layers');
      for (const id of HELD) {
        await driver.withMount(id, async (root) => {
          expectEqual(await readFile(path.join(root, 'written'), 'latin1'), id, `what was written to ${id}`);
          expectEqual(
            await readFile(path.join(root, BASE_FILE), 'latin1'),
            BASE_FILE,
            `the layer below ${id}`,
          );
          await writeFile(path.join(root, 'later'), 'later');
        });
        expectEqual(
          (await driver.changes(id, BASE)).map(formatChange),
          ['A /later', 'A /written'],
          `changes of ${id}`,
        );
        // Gives up the use that the dead process left, where that is one.
        await driver.put(id);
        await driver.put(id);
      }
      expectEqual(await mountedPaths(bench.home), [], 'mounts when all was given up');
      for (const id of HELD) await driver.remove(id);
      await driver.remove(BASE);
      expectEqual(await driver.list(), [], 'layers after all were removed');
    },
  },
  {
    family,
    name: 'mounts that a killed process held end when the next one closes',
    applicable,
    run: async (bench) => {
      await killHoldingMounts(bench);
      await bench.driver.close();
      expectEqual(await mountedPaths(bench.home), [], 'mounts after close');
      const driver = await bench.reopen();
      for (const id of HELD) {
        const written = await driver.withMount(id, (root) => readFile(path.join(root, 'written'), 'latin1'));
        expectEqual(written, id, `what was written to ${id}`);
      }
    },
  },
  {
    family,
    name: 'layers that a killed process held can be removed at once',
    applicable,
    run: async (bench) => {
      await killHoldingMounts(bench);
      const { driver } = bench;
      for (const id of HELD) await driver.remove(id);
      expectEqual(await driver.list(), [BASE], 'layers');
      expectEqual(await mountedPaths(bench.home), [], 'mounts');
      await driver.createReadWrite('one', BASE);
      expectEqual(
        (await driver.changes('one', BASE)).map(formatChange),
        [],
        'changes of a layer with a used name',
      );
    },
  },
  {
    family,
    name: 'a layer that was being unpacked when the process was killed can be used or removed, and the others are whole',
    applicable,
    run: async (bench) => {
      await bench.driver.close();
      await killedHolder(bench, 'unpacks', (lines) => lines.includes('unpacks'));
      const driver = await bench.reopen();
      expectSameMembers(await driver.list(), [BASE, 'half'], 'layers');
      await driver.withMount('half', async () => undefined);
      await driver.remove('half');
      const below = await driver.withMount(BASE, (root) => readFile(path.join(root, BASE_FILE), 'latin1'));
      expectEqual(below, BASE_FILE, 'content of the layer below');
      await driver.create('half', BASE);
      await driver.applyDiff('half', BASE, await layerOf(layerEntry.file('whole', 'whole')));
      expectEqual(
        (await driver.changes('half', BASE)).map(formatChange),
        ['A /whole'],
        'changes of a new attempt',
      );
      expectEqual(await mountedPaths(bench.home), [], 'mounts');
    },
  },
  {
    family,
    name: 'a process killed while it makes and removes layers leaves every layer whole or absent, and none that cannot be removed',
    applicable,
    run: async (bench) => {
      for (const moment of MOMENTS) {
        await bench.driver.close();
        const said = await killedHolder(bench, 'churns', (lines) => lines.length >= moment);
        const driver = await bench.reopen();
        await expectConsistent(bench, said);
        for (const id of await driver.list()) if (id !== BASE) await driver.remove(id);
        await driver.remove(BASE);
        expectEqual(await driver.list(), [], 'layers after all were removed');
      }
    },
  },
  {
    family,
    name: 'a store that was killed with a layer mounted is opened again with what was written, and nothing is mounted after close',
    applicable,
    run: async (bench) => {
      const root = path.join(await bench.scratch(), 'store');
      const home = path.join(root, bench.facts.driverName);
      const said = await killedHolder(bench, 'store', (lines) => lines.length > 0, { home, root });
      const driver = await bench.another(home);
      const store = await LayerStore.open({ root, driver });
      try {
        const rw = await store.getRWLayer('held');
        const mounted = await rw.mount();
        expectEqual(await readFile(path.join(mounted, 'written'), 'latin1'), 'held', 'what was written');
        await rw.unmount();
        const layer = await store.get(said[0]?.slice('held '.length) ?? '');
        expectTrue((await bytesOf(layer.tarStream())).length > 0, 'the layer streams back');
        // The dead process's mount is in nobody's way, but only who means it takes it away.
        await store.releaseRWLayer(rw, { force: true });
        expectEqual(await driver.list(), [layer.cacheId], 'layers of the driver');
      } finally {
        await store.close();
      }
      expectEqual(await mountedPaths(home), [], 'mounts after close');
    },
  },
];

async function killHoldingMounts(bench: Workbench): Promise<void> {
  await bench.driver.close();
  await killedHolder(bench, 'mounts', (lines) => lines.includes('holds'));
  await bench.reopen();
}

/** What had returned is so; what had not is whole or absent. */
async function expectConsistent({ driver }: Workbench, said: readonly string[]): Promise<void> {
  const ids = (word: string): readonly string[] =>
    said.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  const [created, written, removing, removed] = [
    ids('created'),
    ids('written'),
    ids('removing'),
    ids('removed'),
  ];
  const layers: readonly string[] = await driver.list();
  for (const id of removed) expectEqual(layers.includes(id), false, `${id}, which was removed, is there`);
  for (const id of created.filter((each) => !removing.includes(each))) {
    expectEqual(layers.includes(id), true, `${id}, which was made, is there`);
  }
  for (const id of layers) {
    expectEqual(await driver.exists(id), true, `${id}, which is listed, exists`);
    await driver.withMount(id, async (root) => {
      expectEqual(
        await readFile(path.join(root, BASE_FILE), 'latin1').catch(() => 'absent'),
        BASE_FILE,
        `base of ${id}`,
      );
      if (!written.includes(id)) return;
      expectEqual(
        await readFile(path.join(root, 'own'), 'latin1').catch(() => 'absent'),
        id,
        `own file of ${id}`,
      );
    });
  }
}
