import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { unmountBelow } from '@x/layer-store/driver-kit';
import { killAt, recordFailpoints } from '@x/layer-store/testing';
import { native } from '@x/native';
import type { AufsDriver } from './aufs-driver.js';
import {
  CHAIN_LENGTH,
  DOOMED,
  driverIn,
  leaveRemnants,
  NEW,
  type OperationName,
  prepare,
  TOP,
} from './crash-operations.test-support.js';
import { AUFS_FAILPOINTS, type AufsFailpoint } from './failpoints.js';
import { listing, names } from './test-bed.test-support.js';

/*
 * The process is killed before and after every step. The next open must find every layer whose create had returned, whole, every
 * other whole or not at all, and no remnants; a second open must change nothing; the same operation must then succeed.
 */

const PROCESS = fileURLToPath(new URL('./crash-run.test-support.js', import.meta.url));
/** fsync costs nothing there. */
const SCRATCH = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

interface Scenario {
  readonly operation: OperationName;
  readonly arrange?: (base: string) => void;
  /** From here on the operation has happened. */
  readonly commit: AufsFailpoint | undefined;
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly steps: readonly AufsFailpoint[];
}

const CHAIN = Array.from({ length: CHAIN_LENGTH }, (_, index) => `layer-${index}`);
const PREPARED = [...CHAIN, DOOMED].sort();
const stepsOf = (prefix: string): AufsFailpoint[] =>
  AUFS_FAILPOINTS.filter((name) => name.startsWith(`aufs-${prefix}.`));

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'a layer that is made': {
    operation: 'create',
    commit: 'aufs-create.parents',
    before: PREPARED,
    after: [...PREPARED, NEW].sort(),
    steps: stepsOf('create'),
  },
  'a layer that is removed': {
    operation: 'remove',
    commit: 'aufs-remove.parents',
    before: PREPARED,
    after: CHAIN.toSorted(),
    steps: stepsOf('remove'),
  },
  'a union that is mounted in several calls': {
    operation: 'mount',
    commit: undefined,
    before: PREPARED,
    after: PREPARED,
    steps: stepsOf('mount'),
  },
  'remnants that are swept': {
    operation: 'open',
    arrange: leaveRemnants,
    commit: undefined,
    before: PREPARED,
    after: PREPARED,
    steps: stepsOf('sweep'),
  },
};

let base: string;
beforeEach(async () => {
  base = realpathSync(mkdtempSync(join(SCRATCH, 'aufs-crash-')));
  await prepare(base);
});
afterEach(async () => {
  if (native.available) await unmountBelow(base);
  rmSync(base, { recursive: true, force: true });
});

async function expectWhole(driver: AufsDriver, ids: readonly string[]): Promise<void> {
  expect(await driver.list()).toEqual(ids);
  for (const directory of ['diff', 'mnt', 'layers'])
    expect(names(join(base, 'aufs', directory))).toEqual(ids);
  expect(names(join(base, 'aufs'))).toEqual(['.lock', 'diff', 'layers', 'mnt']);
  const chain = CHAIN.map((_, index) => `file-${index}`).sort();
  await driver.withMount(TOP, async (root) => expect(readdirSync(root).sort()).toEqual(chain));
  if (ids.includes(NEW)) {
    await driver.withMount(NEW, async (root) => expect(readdirSync(root).sort()).toEqual(chain));
  }
  if (ids.includes(DOOMED)) {
    await driver.withMount(DOOMED, async (root) => expect(readdirSync(root)).toContain('file'));
  }
}

for (const [what, { operation, arrange, commit, before, after, steps }] of Object.entries(SCENARIOS)) {
  describe(`a kill during the work on ${what}`, () => {
    it('reaches the steps it should', async () => {
      arrange?.(base);
      const reached = await recordFailpoints({ module: PROCESS, arguments: [operation, base] });
      expect([...new Set(reached)].filter((name) => steps.includes(name as AufsFailpoint)).sort()).toEqual(
        [...steps].sort(),
      );
    });

    for (const name of steps) {
      for (const phase of ['before', 'after'] as const) {
        it(`${phase} ${name}`, async () => {
          arrange?.(base);
          const outcome = await killAt({ module: PROCESS, arguments: [operation, base] }, phase, name);
          expect(outcome).toMatchObject({ killed: true, returned: [] });

          const done = commit !== undefined && isPast(steps, commit, name, phase);
          const { driver, kernel } = driverIn(base);
          await driver.open();
          await expectWhole(driver, done ? after : before);
          await driver.close();
          expect(await kernel.mounted()).toEqual([]);
          expect(readdirSync(base).filter((file) => file.startsWith('xino-'))).toEqual([]);

          const settled = listing(join(base, 'aufs'));
          const again = driverIn(base);
          await again.driver.open();
          expect(listing(join(base, 'aufs'))).toEqual(settled);
          if (operation === 'create' && !done) await again.driver.create(NEW, TOP);
          if (operation === 'remove') await again.driver.remove(DOOMED);
          await expectWhole(again.driver, after);
          await again.driver.close();
        });
      }
    }
  });
}

function isPast(
  steps: readonly AufsFailpoint[],
  commit: AufsFailpoint,
  name: AufsFailpoint,
  phase: 'before' | 'after',
): boolean {
  const [at, committed] = [steps.indexOf(name), steps.indexOf(commit)];
  return at > committed || (at === committed && phase === 'after');
}

it('every step of the driver is one that a process was killed at', () => {
  const killedAt = Object.values(SCENARIOS).flatMap(({ steps }) => steps);
  expect(killedAt.sort()).toEqual([...AUFS_FAILPOINTS].sort());
});

describe('a process that dies with a union mounted', () => {
  it('leaves it to the next, with what was written there', async () => {
    const script = { module: PROCESS, arguments: ['mount', base] };
    const outcome = await killAt(script, 'before', 'nothing of that name');
    expect(outcome).toMatchObject({ killed: false, exitCode: 0 });
    const { driver, kernel } = driverIn(base);
    await driver.open();
    expect(driver.isAdopted(TOP)).toBe(true);
    const root = await driver.get(TOP);
    expect(readdirSync(root)).toHaveLength(CHAIN_LENGTH);
    await driver.put(TOP);
    expect(await kernel.mounted()).toHaveLength(1);
    await driver.put(TOP);
    expect(await kernel.mounted()).toEqual([]);
    await driver.close();
  });
});
