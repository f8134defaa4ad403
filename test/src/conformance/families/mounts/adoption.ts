import { open } from 'node:fs/promises';
import path from 'node:path';
import { file } from '../../appliers/index.js';
import type { Check, SubjectFacts, Workbench } from '../../check.js';
import { expectCode, expectEqual, expectTrue } from '../../expectation.js';
import { edit, verify } from '../../fixtures/layers.js';
import { mountedPaths } from './mounted-paths.js';

const family = 'mounts';

function applicable({ capabilities }: SubjectFacts): string | undefined {
  return capabilities.mounts ? undefined : 'the driver mounts nothing';
}

/** Mounts that outlive the instance that made them: as after a kill, or left on purpose. */
export const ADOPTION_CHECKS: readonly Check[] = [
  {
    family,
    name: 'a mount that was kept is found again: the same path, the same content, one use',
    applicable,
    run: async (bench) => {
      const { root, mounts, before } = await keptMount(bench);
      const { driver, home } = bench;
      expectEqual(await mountedPaths(home), mounts, 'mounts after opening again');
      expectTrue(driver.isAdopted('container'), 'the mount counts as adopted');
      await file('written', 'w').check(root);
      expectEqual(await driver.get('container'), root, 'path of get');
      expectEqual(await mountedPaths(home), mounts, 'mounts after get');
      await file('more', 'm').apply(root);
      await driver.put('container');
      expectEqual(await mountedPaths(home), mounts, 'mounts after put');
      await driver.put('container');
      expectEqual(await mountedPaths(home), before, 'mounts after the put that gives up the kept use');
      await verify(driver, 'container', file('written', 'w'), file('more', 'm'), file('f', 'basis'));
    },
  },
  {
    family,
    name: 'put without get gives up a mount that was kept',
    applicable,
    run: async (bench) => {
      const { before } = await keptMount(bench);
      await bench.driver.put('container');
      expectEqual(await mountedPaths(bench.home), before, 'mounts');
      await bench.driver.remove('container');
    },
  },
  {
    family,
    name: 'close ends a mount that was kept',
    applicable,
    run: async (bench) => {
      const { before } = await keptMount(bench);
      await bench.driver.close();
      expectEqual(await mountedPaths(bench.home), before, 'mounts');
    },
  },
  {
    family,
    name: 'a layer whose mount was kept can be removed',
    applicable,
    run: async (bench) => {
      const { before } = await keptMount(bench);
      const { driver, home } = bench;
      await driver.remove('container');
      expectEqual(await mountedPaths(home), before, 'mounts');
      expectEqual(await driver.exists('container'), false, 'the layer exists');
      await driver.createReadWrite('container', 'basis');
      await verify(driver, 'container', file('f', 'basis'));
    },
  },
  {
    family,
    name: 'a kept mount in which somebody works is not removed under him',
    applicable,
    run: async (bench) => {
      const { root } = await keptMount(bench);
      const { driver } = bench;
      const work = await open(path.join(root, 'written'), 'r');
      try {
        await expectCode('DRIVER_BUSY', 'remove while a file is open in it', () =>
          driver.remove('container'),
        );
        await file('written', 'w').check(root);
        expectTrue(await driver.exists('container'), 'the layer exists');
      } finally {
        await work.close();
      }
      await driver.remove('container');
    },
  },
  {
    family,
    name: 'cleanup ends a mount that was kept, and its layer is whole',
    applicable,
    run: async (bench) => {
      const { before } = await keptMount(bench);
      const { driver, home } = bench;
      await verify(driver, 'container', file('written', 'w'), file('f', 'basis'));
      await driver.cleanup();
      expectEqual(await mountedPaths(home), before, 'mounts after cleanup');
      await verify(driver, 'container', file('written', 'w'), file('f', 'basis'));
    },
  },
];

interface KeptMount {
  readonly root: string;
  readonly mounts: readonly string[];
  /** Mounts when no layer is in use. */
  readonly before: readonly string[];
}

/** Leaves `container` on `basis` mounted and opens another instance on the home. */
async function keptMount(bench: Workbench): Promise<KeptMount> {
  const { driver, home, reopen } = bench;
  await driver.create('basis');
  await edit(driver, 'basis', file('f', 'basis'));
  await driver.createReadWrite('container', 'basis');
  const before = await mountedPaths(home);
  const root = await driver.get('container');
  await file('written', 'w').apply(root);
  const mounts = await mountedPaths(home);
  await reopen({ mounts: 'keep' });
  return { root, mounts, before };
}
