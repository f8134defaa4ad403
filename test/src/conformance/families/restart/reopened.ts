import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Driver } from '@x/layer-store';
import type { Check, Workbench } from '../../check.js';
import { EditSession } from '../../edits/edit-session.js';
import { expectEqual } from '../../expectation.js';
import {
  diffsOf,
  editLayers,
  expectChanges,
  expectRebuilt,
  removeLayers,
} from '../random-tree/layer-chain.js';
import { forRandomLayers } from '../random-tree/random-property.js';
import { editPowers, randomLook, randomSettings } from '../random-tree/random-settings.js';

const BOUNDS = { layers: 3, edits: 12, time: 20_000 } as const;

/** Nothing that matters is only in a driver's memory. */
export const REOPENED_CHECKS: readonly Check[] = [
  {
    family: 'restart',
    name: 'a driver that is closed and opened again between any two calls does what it does without',
    run: async (bench) => {
      const models = await bench.scratch();
      const driver = reopenedBeforeCalls(bench);
      const look = randomLook(bench.random);
      await forRandomLayers(randomSettings(bench.random, 0.2), BOUNDS, async (example) => {
        const model = path.join(models, String(example.number));
        await mkdir(model, { mode: 0o755 });
        const session = new EditSession(model, editPowers(bench.facts, bench.random));
        example.log = session.log;
        const [edited, rebuilt] = [`edited-${example.number}`, `rebuilt-${example.number}`];
        const made = await editLayers(driver, session, example.layers, edited, look);
        await expectChanges(driver, made);
        await expectRebuilt(driver, await diffsOf(driver, made), made, rebuilt, look);
        for (const { id } of made) expectEqual(await driver.exists(id), true, `${id} exists`);
        await removeLayers(driver, rebuilt, made.length);
        await removeLayers(driver, edited, made.length);
        for (const { id } of made)
          expectEqual(await driver.exists(id), false, `${id} exists after its removal`);
      });
    },
  },
];

/** The bench's driver, a new instance for every call. */
function reopenedBeforeCalls(bench: Workbench): Driver {
  return new Proxy(bench.driver, {
    get: (_target, key) => {
      const value: unknown = Reflect.get(bench.driver, key);
      if (typeof value !== 'function') return value;
      // A diff begins when it is read.
      if (key === 'diff') return (...args: unknown[]) => reopenedDiff(bench, args);
      return async (...args: unknown[]) => {
        const driver = await bench.reopen();
        return Reflect.apply(Reflect.get(driver, key) as (...values: unknown[]) => unknown, driver, args);
      };
    },
  });
}

async function* reopenedDiff(
  bench: Workbench,
  args: readonly unknown[],
): AsyncGenerator<Uint8Array, void, undefined> {
  const driver = await bench.reopen();
  yield* driver.diff(...(args as Parameters<Driver['diff']>));
}
