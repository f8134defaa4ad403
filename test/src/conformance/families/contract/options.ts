import type { Check } from '../../check.js';
import { expectCode, expectEqual } from '../../expectation.js';

const family = 'contract';

/** Options that nobody knows are refused, and so is what the driver does not claim to be able to do. */
export const OPTION_CHECKS: readonly Check[] = [
  {
    family,
    name: 'unknown options of create are refused, and nothing is made',
    run: async ({ driver }) => {
      const misspelt = { storageOpts: { size: '1G' } } as never;
      for (const method of ['create', 'createReadWrite'] as const) {
        await expectCode('OPTION_UNKNOWN', `${method} with { storageOpts }`, () =>
          driver[method]('layer', undefined, misspelt),
        );
        await expectCode('OPTION_UNKNOWN', `${method} with an unknown storage option`, () =>
          driver[method]('layer', undefined, { storageOpt: { 'no-such-option': '1' } }),
        );
        await expectCode('OPTION_INVALID', `${method} with a number as storage option`, () =>
          driver[method]('layer', undefined, { storageOpt: { size: 7 as never } }),
        );
      }
      expectEqual(await driver.list(), [], 'layers');
    },
  },
  {
    family,
    name: 'without the quota capability a size is refused, and nothing is made',
    applicable: ({ capabilities }) => (capabilities.quota ? 'the driver has quotas' : undefined),
    run: async ({ driver }) => {
      await driver.create('basis');
      for (const size of ['50M', 'nonsense']) {
        await expectCode('DRIVER_QUOTA_NOT_SUPPORTED', `createReadWrite with size ${size}`, () =>
          driver.createReadWrite('layer', 'basis', { storageOpt: { size } }),
        );
      }
      await expectCode('DRIVER_QUOTA_NOT_SUPPORTED', 'create with a size', () =>
        driver.create('layer', 'basis', { storageOpt: { SIZE: '50M' } }),
      );
      expectEqual(await driver.list(), ['basis'], 'layers');
    },
  },
  {
    family,
    name: 'with the quota capability a size that is none is refused, and nothing is made',
    applicable: ({ capabilities }) => (capabilities.quota ? undefined : 'the driver has no quota'),
    run: async ({ driver }) => {
      for (const size of ['nonsense', '-1', '', '1Q', '1e3']) {
        await expectCode('OPTION_INVALID', `createReadWrite with size ${JSON.stringify(size)}`, () =>
          driver.createReadWrite('layer', undefined, { storageOpt: { size } }),
        );
      }
      expectEqual(await driver.list(), [], 'layers');
    },
  },
  {
    family,
    name: 'without the mountLabels capability a label is refused, and an empty one is none',
    applicable: ({ capabilities }) => (capabilities.mountLabels ? 'the driver has mount labels' : undefined),
    run: async ({ driver }) => {
      const mountLabel = 'system_u:object_r:container_file_t:s0';
      await expectCode('DRIVER_NOT_SUPPORTED', 'create with a label', () =>
        driver.create('layer', undefined, { mountLabel }),
      );
      expectEqual(await driver.list(), [], 'layers');
      await driver.create('layer', undefined, { mountLabel: '' });
      await expectCode('DRIVER_NOT_SUPPORTED', 'get with a label', () => driver.get('layer', { mountLabel }));
      await driver.get('layer', { mountLabel: '' });
      await driver.put('layer');
      await driver.remove('layer');
    },
  },
];
