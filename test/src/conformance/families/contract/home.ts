import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf, isLayerStoreError } from '@x/archive';
import type { Driver } from '@x/layer-store';
import { file } from '../../appliers/index.js';
import type { Check, Workbench } from '../../check.js';
import { expectEqual, expectTrue, fail } from '../../expectation.js';
import { edit, verify } from '../../fixtures/layers.js';

const family = 'contract';

/** Characters with a meaning in the options of mount(2). */
const AWKWARD = [
  'with space',
  'co:lon',
  'com,ma',
  'back\\slash',
  'equals=sign',
  'quo"te',
  "apos'trophe",
  'new\nline',
  'ünïcode',
];

/** The driver's directory: what it may be called, and what else may be in it. */
export const HOME_CHECKS: readonly Check[] = [
  {
    family,
    name: 'a home is made by open, not by the constructor, and is not open to others',
    run: async ({ another, scratch }) => {
      const home = path.join(await scratch(), 'not', 'yet', 'there');
      const driver = await another(home);
      expectEqual(await exists(home), false, 'the home exists before open');
      await driver.open();
      const { mode } = await stat(home);
      expectEqual(mode & 0o007, 0, "others' permissions on the home");
    },
  },
  ...AWKWARD.map(
    (name): Check => ({
      family,
      name: `a home called ${JSON.stringify(name)} works, or is refused with a coded error`,
      run: async (bench) => {
        const home = path.join(await bench.scratch(), name, bench.facts.driverName);
        const driver = await bench.another(home);
        try {
          await driver.open();
        } catch (error) {
          expectTrue(isLayerStoreError(error), `the refusal is a coded error, not ${String(error)}`);
          return;
        }
        await live(driver);
      },
    }),
  ),
  {
    family,
    name: 'what is foreign in the home is no layer, and does not hinder',
    run: async ({ driver, home, reopen }) => {
      await driver.create('layer');
      await edit(driver, 'layer', file('f', 'x'));
      await mkdir(path.join(home, 'lost+found'));
      await writeFile(path.join(home, '.directory'), 'of a file manager');
      const again = await reopen();
      expectEqual(await again.list(), ['layer'], 'layers');
      await verify(again, 'layer', file('f', 'x'));
      await again.create('child', 'layer');
      await again.remove('child');
      await again.remove('layer');
      const left = await readdir(home);
      expectTrue(left.includes('lost+found'), 'the foreign directory is still there');
    },
  },
  {
    family,
    name: 'a home that is a file is refused with a coded error',
    run: async ({ another, scratch }) => {
      const home = path.join(await scratch(), 'file');
      await writeFile(home, '');
      const driver = await another(home);
      const error = await driver.open().then(
        () => fail('open succeeded on a file'),
        (failure: unknown) => failure,
      );
      expectTrue(isLayerStoreError(error), `the refusal is a coded error, not ${String(error)}`);
    },
  },
  {
    family,
    name: 'nothing is left in the home of layers that were removed',
    run: async ({ driver, home }) => {
      await driver.create('first');
      await driver.remove('first');
      const before = await allNames(home);
      await driver.create('basis');
      await edit(driver, 'basis', file('d/f', 'x'));
      await driver.createReadWrite('child', 'basis');
      await edit(driver, 'child', file('d/g', 'y'));
      await driver.remove('child');
      await driver.remove('basis');
      expectEqual(await allNames(home), before, 'names in the home');
    },
  },
];

async function live(driver: Driver): Promise<void> {
  await driver.create('basis');
  await edit(driver, 'basis', file('f', 'basis'), file('g', 'basis'));
  await driver.createReadWrite('child', 'basis');
  await edit(driver, 'child', file('f', 'child'));
  await verify(driver, 'child', file('f', 'child'), file('g', 'basis'));
  await driver.remove('child');
  await driver.remove('basis');
}

async function exists(place: string): Promise<boolean> {
  return stat(place).then(
    () => true,
    (error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return false;
      throw error;
    },
  );
}

async function allNames(home: Workbench['home']): Promise<readonly string[]> {
  return (await readdir(home, { recursive: true })).sort();
}
