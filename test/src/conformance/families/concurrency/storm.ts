import { lstat } from 'node:fs/promises';
import { isLayerStoreError } from '@x/archive';
import type { Driver } from '@x/layer-store';
import fc from 'fast-check';
import type { Check } from '../../check.js';
import { expectEqual, expectTrue, fail } from '../../expectation.js';
import { bytesOf, layerEntry, layerOf } from '../../layer-bytes.js';
import { mountedPaths } from '../mounts/mounted-paths.js';
import { randomSettings } from '../random-tree/random-settings.js';

const CALLS = ['create', 'use', 'remove', 'exists', 'list', 'changes', 'diff'] as const;
const IDS = ['one', 'two', 'three'] as const;
/** The right answers to calls that come too early, too late, or at the wrong time. */
const REFUSALS = ['DRIVER_ID_EXISTS', 'DRIVER_ID_UNKNOWN', 'DRIVER_BUSY'] as const;
const STORM = 120;

/** Any calls for few layers, in any order, all at once. */
export const STORM_CHECKS: readonly Check[] = [
  {
    family: 'concurrency',
    name: 'a storm of calls for a few layers is answered or refused with the right code, and ends balanced',
    run: async ({ driver, home, random }) => {
      await driver.create('basis');
      await driver.applyDiff('basis', undefined, await layerOf(layerEntry.file('below', 'below')));
      const before = await mountedPaths(home);
      const calls = fc.sample(fc.tuple(fc.constantFrom(...CALLS), fc.constantFrom(...IDS)), {
        seed: randomSettings(random).seed,
        numRuns: STORM,
      });
      const results = await Promise.allSettled(calls.map(([call, id]) => perform(driver, call, id)));
      for (const [index, result] of results.entries()) {
        if (result.status === 'fulfilled') continue;
        const code = isLayerStoreError(result.reason) ? result.reason.code : undefined;
        if (REFUSALS.some((refusal) => refusal === code)) continue;
        fail(`${calls[index]?.join(' of ')} failed: ${String(result.reason)}`, { cause: result.reason });
      }
      expectTrue(
        results.some(({ status }) => status === 'fulfilled'),
        'some calls were answered',
      );
      expectEqual(await mountedPaths(home), before, 'mounts when all had ended');
      for (const id of IDS) await driver.remove(id);
      expectEqual(await driver.list(), ['basis'], 'layers when all were removed');
      for (const id of IDS) await driver.create(id, 'basis');
    },
  },
];

async function perform(driver: Driver, call: (typeof CALLS)[number], id: string): Promise<unknown> {
  switch (call) {
    case 'create':
      return driver.create(id, 'basis');
    case 'use':
      return driver.withMount(id, (root) => lstat(`${root}/below`));
    case 'remove':
      return driver.remove(id);
    case 'exists':
      return driver.exists(id);
    case 'list':
      return driver.list();
    case 'changes':
      return driver.changes(id, 'basis');
    case 'diff':
      return bytesOf(driver.diff(id, 'basis'));
  }
}
