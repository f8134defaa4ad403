import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { formatChange } from '@x/archive';
import { file, removed, symbolicLink } from '../../appliers/index.js';
import type { Check, Workbench } from '../../check.js';
import { EditSession } from '../../edits/edit-session.js';
import { expectEqual, expectTrue } from '../../expectation.js';
import { edit } from '../../fixtures/layers.js';
import { bytesOf, LAYER_TIME, layerEntry, layerOf } from '../../layer-bytes.js';
import { diffsOf, editLayers, rebuildLayers, removeLayers } from '../random-tree/layer-chain.js';
import { forRandomLayers, type RandomCase } from '../random-tree/random-property.js';
import { editPowers, randomLook, randomSettings } from '../random-tree/random-settings.js';
import { expectAsCompared } from './as-compared.js';
import { applyTouchedBase, editSomewhat, makeWhiteoutLayers, touchWithoutChange } from './layers.js';

const BOUNDS = { layers: 3, edits: 15, time: 20_000 } as const;
const FAMILY = 'native-diff';

/** What a driver reports as changed, by whatever means, is what comparing the mounted trees gives. */
export const NATIVE_DIFF_CHECKS: readonly Check[] = [
  {
    family: FAMILY,
    name: 'changes, size and diff of random layers are those of comparing the mounted trees, against any other layer and none',
    run: async (bench) => {
      const models = await bench.scratch();
      const reference = await bench.vfs();
      await forRandomLayers(randomSettings(bench.random, 0.3), BOUNDS, async (example) => {
        const model = path.join(models, String(example.number));
        await mkdir(model, { mode: 0o755 });
        await proveComparisons(bench, reference, example, model);
      });
    },
  },
  {
    family: FAMILY,
    name: 'a layer of whiteouts, opaque directories and changed kinds is reported as comparing the mounted trees reports it',
    run: async (bench) => {
      const { driver } = bench;
      const reference = await bench.vfs();
      await makeWhiteoutLayers(driver);
      const pairs = [
        ['top', 'middle'],
        ['top', 'basis'],
        ['middle', 'basis'],
        ['basis', 'top'],
        ['top', undefined],
      ] as const;
      for (const [id, parent] of pairs) await expectAsCompared(driver, reference, id, parent);
    },
  },
  {
    family: FAMILY,
    name: 'what was touched and put back as it was is no change',
    run: async (bench) => {
      const { driver } = bench;
      const reference = await bench.vfs();
      await applyTouchedBase(driver, 'basis');
      await driver.createReadWrite('top', 'basis');
      await driver.withMount('top', touchWithoutChange);
      expectEqual((await driver.changes('top', 'basis')).map(formatChange), [], 'changes');
      expectEqual(await driver.diffSize('top', 'basis'), 0, 'size of what changed');
      await expectAsCompared(driver, reference, 'top', 'basis');
    },
  },
  {
    family: FAMILY,
    name: 'what was replaced by something of the same size and time is found, a file and a link (moby 31805)',
    run: async (bench) => {
      const { driver } = bench;
      const reference = await bench.vfs();
      await driver.create('basis');
      await driver.applyDiff(
        'basis',
        undefined,
        await layerOf(layerEntry.file('file', 'before'), layerEntry.symbolicLink('link', 'here')),
      );
      await driver.createReadWrite('top', 'basis');
      const time = { mtime: LAYER_TIME };
      await edit(
        driver,
        'top',
        removed('link'),
        symbolicLink('link', 'away', time),
        file('file', 'after!', time),
      );
      const changes = (await driver.changes('top', 'basis')).map(formatChange);
      expectEqual(changes, ['C /file', 'C /link'], 'changes');
      await expectAsCompared(driver, reference, 'top', 'basis');
    },
  },
  {
    family: FAMILY,
    name: 'a diff does not depend on whether the layer is mounted',
    run: async ({ driver }) => {
      await applyTouchedBase(driver, 'basis');
      await driver.createReadWrite('top', 'basis');
      await driver.withMount('top', editSomewhat);
      const unmounted = await bytesOf(driver.diff('top', 'basis'));
      const mounted = await driver.withMount('top', () => bytesOf(driver.diff('top', 'basis')));
      expectTrue(mounted.equals(unmounted), 'the diff of the mounted layer has the same bytes');
    },
  },
];

async function proveComparisons(
  { driver, facts, random }: Workbench,
  reference: Workbench['driver'],
  example: RandomCase,
  model: string,
): Promise<void> {
  const session = new EditSession(model, editPowers(facts, random));
  example.log = session.log;
  const count = example.layers.length;
  const [edited, rebuilt] = [`edited-${example.number}`, `rebuilt-${example.number}`];
  try {
    const made = await editLayers(driver, session, example.layers, edited, randomLook(random));
    await rebuildLayers(driver, await diffsOf(driver, made), rebuilt);
    for (const name of [edited, rebuilt]) {
      for (const [id, parent] of pairsOf(name, count)) await expectAsCompared(driver, reference, id, parent);
    }
    await expectAsCompared(driver, reference, `${edited}-${count - 1}`, `${rebuilt}-0`);
  } finally {
    await removeLayers(driver, rebuilt, count).catch(() => undefined);
    await removeLayers(driver, edited, count).catch(() => undefined);
  }
}

/** Direct parents, the farthest ancestor, none, and the wrong way round. */
function pairsOf(
  name: string,
  count: number,
): readonly (readonly [id: string, parent: string | undefined])[] {
  const ids = Array.from({ length: count }, (_, number) => `${name}-${number}`);
  const [bottom, top] = [ids[0] ?? name, ids[count - 1] ?? name];
  const direct = ids.slice(1).map((id, below) => [id, ids[below]] as const);
  return [
    ...direct,
    [top, undefined],
    ...(count > 1 ? ([[bottom, top]] as const) : []),
    ...(count > 2 ? ([[top, bottom]] as const) : []),
  ];
}
