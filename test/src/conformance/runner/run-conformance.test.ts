import { mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { VfsDriver, vfsDriver } from '@x/driver-vfs';
import type { DriverFactory } from '@x/layer-store';
import { runProgram } from '@x/layer-store/driver-kit';
import { loadNative } from '@x/native';
import { itWith, nativeAddon, program, rootPrivilege } from '../../capability/capability.js';
import { file } from '../appliers/index.js';
import type { Check, MachineNeed } from '../check.js';
import { expectEqual, expectSameTree, notApplicable } from '../expectation.js';
import { WORK_DIRECTORY } from '../machine.test-support.js';
import type { CheckOutcome, CheckResult, ConformanceReport } from './report.js';
import { outcomeWithoutRunning, planChecks, runConformance } from './run-conformance.js';

let workDirectory: string;

beforeEach(async () => {
  workDirectory = await mkdtemp(path.join(WORK_DIRECTORY, 'runner-'));
});

afterEach(() => rm(workDirectory, { recursive: true, force: true }));

function check(run: Check['run'], more: Partial<Check> = {}): Check {
  return { family: 'made up', name: 'a check', run, ...more };
}

async function outcomeOf(one: Check, subject: object = {}): Promise<CheckOutcome> {
  const report = await runConformance({ factory: vfsDriver, workDirectory, ...subject }, { checks: [one] });
  const [result] = report.results;
  expect(await readdir(workDirectory)).toEqual([]);
  if (result === undefined) throw new Error('there is no result');
  return result;
}

async function failureOf(one: Check) {
  const outcome = await outcomeOf(one);
  if (outcome.outcome !== 'fail') throw new Error(`it did not fail: ${outcome.outcome}`);
  return outcome.failure;
}

describe('a run', () => {
  it('gives every check an open driver on a fresh home, and says that it passed', async () => {
    const homes: string[] = [];
    const one = check(async ({ driver, home, facts }) => {
      homes.push(home);
      expectEqual(await driver.list(), [], 'layers');
      expectEqual(facts.driverName, 'vfs', 'name');
      await driver.create('layer');
    });
    const seen: CheckResult[] = [];
    const report = await runConformance(
      { factory: vfsDriver, workDirectory },
      { checks: [one, { ...one, name: 'another' }], onResult: (result) => seen.push(result) },
    );
    expect(new Set(homes).size).toBe(2);
    expect(report).toMatchObject({
      driver: 'vfs',
      ok: true,
      totals: { passed: 2, failed: 0, notApplicable: 0 },
    });
    expect(seen).toEqual(report.results);
    expect(await readdir(workDirectory)).toEqual([]);
  });

  it('a failure names the driver call, the calls before it, and the home before and after', async () => {
    const failure = await failureOf(
      check(async ({ driver }) => {
        await driver.create('layer');
        await driver.create('child', 'layer');
        await driver.create('layer');
      }),
    );
    expect(failure).toMatchObject({
      code: 'DRIVER_ID_EXISTS',
      call: 'create("layer")',
      recentCalls: ['open()', 'create("layer")', 'create("child", "layer")', 'create("layer")'],
      callEnded: false,
    });
    const paths = failure.home?.before.entries.map((entry) => entry.path);
    expect(paths).toEqual(['/', '/dir', '/dir/child', '/dir/layer']);
    expect(failure.home?.after.entries.map((entry) => entry.path)).toEqual(paths);
  });

  it('blames the call whose error came out, not the one that was made last', async () => {
    const failure = await failureOf(
      check(async ({ driver }) => {
        const error = await driver.get('unknown').catch((thrown: unknown) => thrown);
        await driver.create('later');
        throw error;
      }),
    );
    expect(failure.call).toBe('get("unknown")');
  });

  it('what a call gave is blamed on that call, not on the clean-up', async () => {
    const wrong = check(async ({ driver }) => {
      await driver.create('layer');
      expectEqual(await driver.list(), [], 'layers');
    });
    expect(await failureOf(wrong)).toMatchObject({ call: 'list()', callEnded: true });
    const refusing = check(async ({ factory, facts }) => {
      await factory.probe('/probed');
      expectEqual(facts.driverName, 'other', 'name');
    });
    expect(await failureOf(refusing)).toMatchObject({ call: 'factory.probe("/probed")', callEnded: true });
    const creating = check(async ({ factory }) => void factory.create({ home: 'relative' }));
    expect(await failureOf(creating)).toMatchObject({
      code: 'OPTION_INVALID',
      call: 'factory.create({ home: "relative" })',
      callEnded: false,
    });
  });

  it('a comparison that failed comes with both trees', async () => {
    const failure = await failureOf(
      check(async ({ driver }) => {
        await driver.create('a');
        await driver.create('b');
        await driver.withMount('a', (root) => file('f', 'x').apply(root));
        await driver.withMount('a', (a) => driver.withMount('b', (b) => expectSameTree(b, a, 'b is as a')));
      }),
    );
    expect(failure.trees?.expected.entries.map((entry) => entry.path)).toEqual(['/', '/f']);
    expect(failure.trees?.actual.entries.map((entry) => entry.path)).toEqual(['/']);
  });

  it('a failure that does not come again is called unstable', async () => {
    let runs = 0;
    const failure = await failureOf(
      check(async () => {
        runs += 1;
        if (runs === 1) throw new Error('once');
      }),
    );
    expect(failure).toMatchObject({ message: 'once', unstable: true });
  });

  it('a check that takes too long is told so through its signal, and fails', async () => {
    let aborted = 0;
    const failure = await failureOf(
      check(
        async ({ signal }) => {
          signal.addEventListener('abort', () => {
            aborted += 1;
          });
          await new Promise(() => {});
        },
        { timeout: 50 },
      ),
    );
    expect(failure.message).toMatch(/more than 50 ms/);
    expect(aborted).toBe(2);
  });

  it('is refused with misspelt options, and with a family that is not there', async () => {
    const misspelt = { factory: vfsDriver, workdir: '/tmp' } as never;
    await expect(runConformance(misspelt)).rejects.toMatchObject({ code: 'OPTION_UNKNOWN' });
    const stray = { factory: vfsDriver, skip: { grahptest: 'x' } };
    await expect(runConformance(stray)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(runConformance({ factory: {} } as never)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    const relative = { factory: vfsDriver, workDirectory: 'here' };
    await expect(runConformance(relative)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  it('says why a driver cannot run at all, and is not a success', async () => {
    const factory: DriverFactory = {
      ...vfsDriver,
      probe: async () => ({
        supported: false,
        code: 'DRIVER_PREREQUISITES',
        reason: 'no wheels',
        remedy: 'add wheels',
      }),
    };
    const report = await runConformance({ factory, workDirectory }, { checks: [check(async () => {})] });
    expect(report).toMatchObject({ ok: false, results: [], unsupported: { reason: 'no wheels' } });
  });

  it('runs what is asked for only, and nothing at all is no success', async () => {
    const checks = [check(async () => {}, { name: 'One' }), check(async () => {}, { name: 'two' })];
    const run = (grep: string): Promise<ConformanceReport> =>
      runConformance({ factory: vfsDriver, workDirectory, grep }, { checks });
    expect((await run('one')).results.map(({ name }) => name)).toEqual(['One']);
    expect((await run('made up: two')).results.map(({ name }) => name)).toEqual(['two']);
    expect(await run('three')).toMatchObject({ results: [], ok: false });
  });
});

describe('what does not apply', () => {
  const applicable = (): string => 'the driver cannot fly';

  it('is counted with the reason, and no failure', async () => {
    const outcome = await outcomeOf(check(() => Promise.reject(new Error('was run')), { applicable }));
    expect(outcome).toMatchObject({
      outcome: 'not-applicable',
      reason: 'the driver cannot fly',
      cause: 'driver',
    });
  });

  it('a family that is left out has the reason it was left out for', async () => {
    const subject = { skip: { 'made up': 'not today' } };
    expect(
      await outcomeOf(
        check(async () => {}),
        subject,
      ),
    ).toMatchObject({ reason: 'not today', cause: 'skipped' });
  });

  it('what the machine lacks is no failure, unless the machine must have it', async () => {
    const one = check(() => notApplicable('a file system without xattrs'));
    expect(await outcomeOf(one)).toMatchObject({ outcome: 'not-applicable', cause: 'machine' });
    const required = await outcomeOf(one, { require: ['file-system'] });
    expect(required).toMatchObject({
      outcome: 'fail',
      failure: { message: expect.stringMatching(/without xattrs/) },
    });
  });

  it.each(['root', 'native'] as const)('%s is looked for before the check is run', (need) => {
    const one = check(async () => {}, { needs: [need] });
    const outcome = (present: boolean, require: readonly MachineNeed[]) => {
      const { checked, facts } = planChecks({ factory: vfsDriver, require }, [one]);
      return outcomeWithoutRunning(one, checked, { ...facts, [need]: present })?.outcome;
    };
    expect(outcome(true, [need])).toBeUndefined();
    expect(outcome(false, [])).toBe('not-applicable');
    expect(outcome(false, ['file-system'])).toBe('not-applicable');
    expect(outcome(false, [need])).toBe('fail');
  });
});

describe('after every check', () => {
  it('a descriptor that is still open below the home is a failure', async () => {
    const handles: { close(): Promise<void> }[] = [];
    const failure = await failureOf(
      check(async ({ home }) => {
        await writeFile(path.join(home, 'held'), '');
        handles.push(await open(path.join(home, 'held')));
      }),
    );
    for (const handle of handles) await handle.close();
    expect(failure.message).toMatch(/still in use after close: descriptor \d+ on .*\/vfs\/held/);
  });

  itWith(rootPrivilege(), nativeAddon())(
    'a mount that is still there is a failure, and is taken away',
    async () => {
      const native = loadNative();
      if (!native.available) throw new Error(native.reason);
      const failure = await failureOf(
        check(async ({ scratch }) => {
          await native.calls.mount('conformance', await scratch(), 'tmpfs', 0, 'size=64k');
        }),
      );
      expect(failure.message).toMatch(/still in use after close: mount .*\/scratch-\w+ \(tmpfs\)/);
    },
  );

  itWith(rootPrivilege(), program('losetup', 'apt-get install mount'))(
    'a loop device that is still there is a failure, and is taken away',
    async () => {
      const failure = await failureOf(
        check(async ({ home }) => {
          await writeFile(path.join(home, 'disk'), Buffer.alloc(64 * 1024));
          await runProgram('losetup', ['--find', path.join(home, 'disk')]);
        }),
      );
      expect(failure.message).toMatch(
        /still in use after close: loop device \/dev\/loop\d+ on .*\/vfs\/disk/,
      );
      const { stdout } = await runProgram('losetup', ['--list', '--output', 'BACK-FILE']);
      expect(stdout.toString()).not.toContain(workDirectory);
    },
  );

  it('a driver that does not close cleanly is a failure', async () => {
    class Sticky extends VfsDriver {
      protected override _close(): Promise<void> {
        return Promise.reject(new Error('stuck'));
      }
    }
    const factory = { ...vfsDriver, create: ({ home }: { home: string }) => new Sticky({ home }) };
    const outcome = await outcomeOf(
      check(async () => {}),
      { factory },
    );
    expect(outcome).toMatchObject({ outcome: 'fail', failure: { code: 'DRIVER_FAILED', call: 'close()' } });
  });

  it('everything a bench gave out is closed', async () => {
    const closed: string[] = [];
    class Watched extends VfsDriver {
      protected override _close(): Promise<void> {
        closed.push(path.basename(path.dirname(this.home)).replace(/-.*/, ''));
        return Promise.resolve();
      }
    }
    const factory = { ...vfsDriver, create: ({ home }: { home: string }) => new Watched({ home }) };
    const one = check(async ({ another, reopen, openStore, vfs }) => {
      await (await another()).open();
      await reopen();
      await openStore();
      await (await vfs()).create('layer');
    });
    expect((await outcomeOf(one, { factory })).outcome).toBe('pass');
    expect(closed.sort()).toEqual(['layer', 'layer', 'scratch', 'store']);
  });
});
