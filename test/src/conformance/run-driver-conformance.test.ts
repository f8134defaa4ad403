import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { vfsDriver } from '@x/driver-vfs';
import type { DriverFactory } from '@x/layer-store';
import { CHECKS } from './checks.js';
import { WORK_DIRECTORY } from './machine.test-support.js';
import { type DriverConformance, runDriverConformance } from './run-driver-conformance.js';

interface Declared {
  readonly suite: string;
  readonly name: string;
  readonly skipped: boolean;
  readonly run: () => Promise<void>;
}

const globals = globalThis as { describe?: unknown; it?: unknown };
const framework = { describe: globals.describe, it: globals.it };
const ci = process.env.CI;

afterEach(() => {
  Object.assign(globals, framework);
  if (ci === undefined) delete process.env.CI;
  else process.env.CI = ci;
});

beforeEach(() => {
  delete process.env.CI;
});

/** What a driver's author would see declared, without running it. */
function declared(conformance: DriverConformance): Declared[] {
  const tests: Declared[] = [];
  const suites: string[] = [];
  const declare =
    (skipped: boolean) =>
    (name: string, run: () => Promise<void>): void => {
      tests.push({ suite: suites.join(' > '), name, skipped, run });
    };
  globals.describe = (name: string, define: () => void): void => {
    suites.push(name);
    define();
    suites.pop();
  };
  globals.it = Object.assign(declare(false), { skip: declare(true) });
  runDriverConformance({ workDirectory: WORK_DIRECTORY, ...conformance });
  return tests;
}

const unsupported = {
  supported: false,
  code: 'DRIVER_PREREQUISITES',
  reason: 'no wheels',
  remedy: 'add wheels',
} as const;
const unable: DriverFactory = { ...vfsDriver, probe: async () => unsupported };

describe('runDriverConformance', () => {
  it('declares a suite per family and a test per check; what does not apply is skipped with its reason', () => {
    const tests = declared({ factory: vfsDriver });
    expect(tests).toHaveLength(CHECKS.length);
    expect(tests.map(({ suite }) => suite)).toEqual(
      expect.arrayContaining(CHECKS.map(({ family }) => `conformance of vfs > ${family}`)),
    );
    const quota = tests.find(({ name }) => name.includes('(SetQuota)'));
    expect(quota).toMatchObject({
      skipped: true,
      name: expect.stringMatching(/ — the driver has no quota$/),
    });
  });

  it('a declared test passes or throws a report', async () => {
    const [good] = declared({ factory: vfsDriver, grep: 'CreateSnap' });
    await expect(good?.run()).resolves.toBeUndefined();
    const misnamed = { ...vfsDriver, name: 'other' };
    const [bad] = declared({ factory: misnamed, grep: 'the driver is called what its factory is called' });
    await expect(bad?.run()).rejects.toThrow(
      /name: expected 'other', found 'vfs'[\s\S]*home before the call/,
    );
  });

  it('a driver that cannot run here fails every test, unless its probe was given: then it is skipped, but not in CI', async () => {
    const [blind] = declared({ factory: unable, grep: 'CreateSnap' });
    await expect(blind?.run()).rejects.toThrow(/cannot run here: no wheels; add wheels/);
    const known = declared({ factory: unable, probe: unsupported });
    expect(known).toMatchObject([{ skipped: true, name: 'cannot run here: no wheels; add wheels' }]);
    process.env.CI = 'true';
    const [inCi] = declared({ factory: unable, probe: unsupported, grep: 'CreateSnap' });
    expect(inCi?.skipped).toBe(false);
    await expect(inCi?.run()).rejects.toThrow(/no wheels/);
  });

  it('needs describe and it as globals', () => {
    globals.describe = undefined;
    expect(() => runDriverConformance({ factory: vfsDriver })).toThrow(/needs describe and it/);
  });
});
