import { describe, expect, it } from '@jest/globals';
import { itWith, nativeAddon, rootPrivilege } from '../../capability/capability.js';
import { CHECKS } from '../checks.js';
import type { ConformanceReport } from '../runner/report.js';
import { runConformance } from '../runner/run-conformance.js';
import { BindMountedVfs } from './bind-mounted-vfs.js';
import { type BrokenDriver, factoryOf } from './broken-driver.js';
import { BROKEN_DRIVERS } from './broken-drivers.js';

const CAPABILITIES = { root: rootPrivilege(), native: nativeAddon(), 'file-system': undefined } as const;

/** Runs the checks whose `family: name` begins so. */
async function run(broken: Pick<BrokenDriver, 'factory' | 'check' | 'module'>): Promise<ConformanceReport> {
  const { factory, check, module } = broken;
  return runConformance({
    factory,
    grep: check,
    workDirectory: '/dev/shm',
    ...(module === undefined ? {} : { module }),
  });
}

describe('a driver that', () => {
  for (const broken of BROKEN_DRIVERS) {
    const needs = (broken.needs ?? []).flatMap((need) => CAPABILITIES[need] ?? []);
    itWith(...needs)(
      `${broken.breaks} fails the check for that`,
      async () => {
        const { results } = await run(broken);
        expect(results.map(({ outcome }) => outcome)).toContain('fail');
        const messages = results.flatMap((result) =>
          result.outcome === 'fail' ? [result.failure.message] : [],
        );
        expect(messages).toContainEqual(expect.stringMatching(broken.reason));
      },
      120_000,
    );
  }
});

it('every family of checks catches a broken driver', () => {
  const families = new Set(CHECKS.map(({ family }) => family));
  const caught = new Set(BROKEN_DRIVERS.map(({ check }) => check.slice(0, check.indexOf(':'))));
  expect([...caught].sort()).toEqual([...families].sort());
});

itWith(rootPrivilege(), nativeAddon())(
  'what broken drivers with mounts are made of passes what they fail',
  async () => {
    const { results } = await runConformance({
      factory: factoryOf(BindMountedVfs),
      grep: 'mounts: ',
      workDirectory: '/dev/shm',
    });
    expect(results.filter(({ outcome }) => outcome === 'fail')).toEqual([]);
  },
  120_000,
);
