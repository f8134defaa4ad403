import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DevmapperDriver } from '../devmapper-driver.js';
import type { DevmapperOptions } from '../options/options.js';
import { SMALL_HOME } from './small-home.test-support.js';

const MIB = 1 << 20;

/** An operation that a process of its own carries out on a home, and is killed in. */
export interface CrashOperation {
  readonly options: DevmapperOptions;
  run(driver: DevmapperDriver): Promise<void>;
}

export type CrashOperationName =
  | 'open'
  | 'grow-base'
  | 'create'
  | 'snapshot'
  | 'remove'
  | 'remove-held'
  | 'resize';

/** Where a bind mount holds a layer's device open after the process that made it has gone. */
export const holdOf = (home: string): string => join(home, '..', 'hold');

/** By the name that crash-run.test-support.ts is given. */
export const OPERATIONS: Readonly<Record<CrashOperationName, CrashOperation>> = {
  open: { options: SMALL_HOME, run: async () => undefined },
  'grow-base': { options: { ...SMALL_HOME, baseSize: 56 * MIB }, run: async () => undefined },
  create: { options: SMALL_HOME, run: (driver) => driver.create('new') },
  snapshot: {
    options: SMALL_HOME,
    run: async (driver) => {
      const path = await driver.get('kept');
      writeFileSync(join(path, 'unflushed'), 'written just before the snapshot');
      await driver.create('new', 'kept');
    },
  },
  remove: {
    options: { ...SMALL_HOME, blkDiscard: true },
    run: async (driver) => {
      await driver.create('new', 'kept');
      await driver.remove('new');
    },
  },
  'remove-held': {
    options: SMALL_HOME,
    run: async (driver) => {
      await driver.create('new', 'kept');
      const path = await driver.get('new');
      const hold = holdOf(driver.home);
      mkdirSync(hold, { recursive: true });
      execFileSync('mount', ['--bind', path, hold]);
      await driver.put('new');
      await driver.remove('new');
    },
  },
  resize: {
    options: SMALL_HOME,
    run: (driver) => driver.deviceSet.growPool({ data: 264 * MIB, metadata: 12 * MIB }),
  },
};

/** A driver as the operation opens it. */
export function driverFor(name: CrashOperationName, home: string): DevmapperDriver {
  return new DevmapperDriver({ home, ...OPERATIONS[name].options });
}
