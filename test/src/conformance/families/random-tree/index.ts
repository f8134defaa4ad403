import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Check, Workbench } from '../../check.js';
import { EditSession } from '../../edits/edit-session.js';
import { expectSameMembers, expectSameTree } from '../../expectation.js';
import {
  diffsOf,
  editLayers,
  expectChanges,
  expectRebuilt,
  mountedTree,
  removeLayers,
} from './layer-chain.js';
import { forRandomLayers, type RandomCase } from './random-property.js';
import { editPowers, randomLook, randomSettings } from './random-settings.js';

const BOUNDS = { layers: 3, edits: 25, time: 25_000 } as const;

/** Trees made by random edits: mounted, compared, exported and unpacked they stay what they are. */
export const RANDOM_TREE_CHECKS: readonly Check[] = [
  {
    family: 'random-tree',
    name: 'random edits through mounts give the tree a plain directory gives, the changes the law says, and diffs that give both on any driver',
    run: async (bench) => {
      const models = await bench.scratch();
      const reference = await bench.vfs();
      await forRandomLayers(randomSettings(bench.random), BOUNDS, async (example) => {
        const model = path.join(models, String(example.number));
        await mkdir(model, { mode: 0o755 });
        await proveLayers(bench, reference, example, model);
        await rm(model, { recursive: true });
      });
    },
  },
];

async function proveLayers(
  { driver, facts, random }: Workbench,
  reference: Workbench['driver'],
  example: RandomCase,
  model: string,
): Promise<void> {
  const session = new EditSession(model, editPowers(facts, random));
  example.log = session.log;
  const look = randomLook(random);
  const { layers } = example;
  const [edited, rebuilt] = [`edited-${example.number}`, `rebuilt-${example.number}`];
  const others = await driver.list();
  try {
    const made = await editLayers(driver, session, layers, edited, look);
    await expectChanges(driver, made);
    const diffs = await diffsOf(driver, made);
    await expectRebuilt(driver, diffs, made, rebuilt, look);
    await expectRebuilt(reference, diffs, made, rebuilt, look);
    for (const { id, tree } of made) {
      await expectSameTree(
        await mountedTree(driver, id, look),
        tree,
        `layer ${id}, when all was done with it`,
      );
    }
  } catch (error) {
    // The failure is the one to report; what is left does not get in the way of the next case.
    await removeAll().catch(() => undefined);
    throw error;
  }
  await removeAll();
  expectSameMembers(await driver.list(), others, 'layers of the driver after those of the case were removed');

  async function removeAll(): Promise<void> {
    await removeLayers(reference, rebuilt, layers.length);
    await removeLayers(driver, rebuilt, layers.length);
    await removeLayers(driver, edited, layers.length);
  }
}
