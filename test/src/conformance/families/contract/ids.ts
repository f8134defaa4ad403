import { file } from '../../appliers/index.js';
import type { Check } from '../../check.js';
import { expectCode, expectEqual, expectTrue } from '../../expectation.js';
import { edit, verify } from '../../fixtures/layers.js';
import { OPERATIONS } from './operations.js';

const family = 'contract';

const BAD_IDS: readonly string[] = [
  '',
  '.',
  '..',
  '../escape',
  'a/b',
  '/a',
  'a\0b',
  '.hidden',
  '-dash',
  '_under',
  'a b',
  'a\nb',
  'ü',
  'x'.repeat(201),
];

/** Which ids are taken, and what is said to those that are not known, or known already. */
export const ID_CHECKS: readonly Check[] = [
  {
    family,
    name: 'malformed ids are refused by every method, as ids and as parents',
    run: async ({ driver }) => {
      await driver.create('layer');
      for (const id of [...BAD_IDS, 7 as unknown as string]) {
        for (const operation of OPERATIONS.filter((each) => each.id !== 'none')) {
          const what = `${operation.name} of ${JSON.stringify(id)}`;
          await expectCode('DRIVER_ID_INVALID', what, () => operation.run(driver, id));
          if (operation.takesParent !== true) continue;
          await expectCode('DRIVER_ID_INVALID', `${what} as parent`, () =>
            operation.run(driver, operation.id === 'new' ? 'fresh' : 'layer', { parent: id }),
          );
        }
      }
      expectEqual(await driver.list(), ['layer'], 'layers');
    },
  },
  {
    family,
    name: 'ids that are not known are refused where a layer is needed, as ids and as parents',
    run: async ({ driver }) => {
      await driver.create('layer');
      for (const operation of OPERATIONS) {
        if (operation.id === 'known') {
          await expectCode('DRIVER_ID_UNKNOWN', `${operation.name} of an unknown id`, () =>
            operation.run(driver, 'unknown'),
          );
        }
        if (operation.takesParent === true) {
          await expectCode('DRIVER_ID_UNKNOWN', `${operation.name} with an unknown parent`, () =>
            operation.run(driver, operation.id === 'new' ? 'fresh' : 'layer', { parent: 'unknown' }),
          );
        }
      }
      expectEqual(await driver.list(), ['layer'], 'layers');
      expectTrue(!(await driver.exists('fresh')), 'nothing was made');
    },
  },
  {
    family,
    name: 'an id that is not known does not exist, is removed with success, and is given up without harm',
    run: async ({ driver }) => {
      expectEqual(await driver.exists('unknown'), false, 'exists');
      await driver.remove('unknown');
      await driver.put('unknown');
      await driver.create('unknown');
      await driver.remove('unknown');
      await driver.remove('unknown');
    },
  },
  {
    family,
    name: 'an id that is taken is refused, and its layer stays as it is',
    run: async ({ driver }) => {
      await driver.create('basis');
      await edit(driver, 'basis', file('f', 'kept'));
      await driver.create('child', 'basis');
      await edit(driver, 'child', file('g', 'kept too'));
      for (const parent of [undefined, 'basis', 'child']) {
        await expectCode('DRIVER_ID_EXISTS', `create on ${parent}`, () => driver.create('child', parent));
        await expectCode('DRIVER_ID_EXISTS', `createReadWrite on ${parent}`, () =>
          driver.createReadWrite('child', parent),
        );
      }
      await expectCode('DRIVER_ID_EXISTS', 'create on itself', () => driver.create('basis', 'basis'));
      await verify(driver, 'child', file('f', 'kept'), file('g', 'kept too'));
    },
  },
  {
    family,
    name: 'an id can be used again after a removal, with nothing of the layer it was',
    run: async ({ driver }) => {
      await driver.create('other');
      await edit(driver, 'other', file('other', 'o'));
      for (const parent of [undefined, 'other', undefined]) {
        await driver.create('layer', parent);
        expectEqual(
          await driver.changes('layer', parent),
          [],
          `changes of a layer made on ${parent ?? 'nothing'}`,
        );
        await edit(driver, 'layer', file('old/f', 'old'));
        await driver.remove('layer');
      }
    },
  },
];
