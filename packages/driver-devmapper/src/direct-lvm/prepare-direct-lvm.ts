import { isDeepStrictEqual } from 'node:util';
import { LayerStoreError } from '@x/archive';
import type { DirectLvmConfig } from './direct-lvm-config.js';
import { type LvmHost, SYSTEM_LVM } from './lvm-host.js';
import { readConfig, readProgress, removeProgress, writeConfig, writeProgress } from './setup-files.js';
import { DIRECT_LVM_POOL, describeStep, planSetup, SETUP_PROGRAMS, undoAdvice } from './setup-plan.js';
import { verifyDevice } from './verify-device.js';

/** Options of {@link prepareDirectLvm}. */
export interface PrepareOptions {
  /** Also over a file system that is there. */
  readonly force: boolean;
  readonly host?: LvmHost;
}

/**
 * Makes the pool over LVM that the configuration asks for, once in the life of a home (spec/drivers.md 2.19), and gives its dm
 * name. A set-up that died is not begun again: pvcreate would go over what is there.
 * @throws OPTION_INVALID for another configuration than the one that was set up; DRIVER_PREREQUISITES, DRIVER_BUSY, DRIVER_FAILED
 */
export async function prepareDirectLvm(
  home: string,
  config: DirectLvmConfig,
  { force, host = SYSTEM_LVM }: PrepareOptions,
): Promise<string> {
  const stored = await readConfig(home);
  if (stored !== undefined) {
    // The record of progress goes last, so a process may have died between the two.
    if (isDeepStrictEqual(stored, config)) return DIRECT_LVM_POOL;
    throw new LayerStoreError(
      'OPTION_INVALID',
      `the pool of ${home} was set up over ${stored.device} with other direct-lvm options: they cannot be changed, give the same`,
      { driver: 'devicemapper', option: 'dm.directlvm_device' },
    );
  }
  await refuseUnfinished(home);
  await requirePrograms(host);
  await verifyDevice(host, config.device, force);
  await setUp(home, config, host);
  return DIRECT_LVM_POOL;
}

async function setUp(home: string, config: DirectLvmConfig, host: LvmHost): Promise<void> {
  for (const step of planSetup(config)) {
    await writeProgress(home, { device: config.device, step: describeStep(step) });
    if (step.kind === 'run') await host.run(step.program, step.args);
    else await host.write(step.path, step.content);
  }
  await writeConfig(home, config);
  await removeProgress(home);
}

async function refuseUnfinished(home: string): Promise<void> {
  const progress = await readProgress(home);
  if (progress === undefined) return;
  throw new LayerStoreError(
    'DRIVER_FAILED',
    `an earlier set-up over ${progress.device} did not get beyond "${progress.step}": look at it with pvs, vgs and lvs, undo it ` +
      `(${undoAdvice(progress.device)}), then remove ${home}/setup-progress.json and open again`,
    { driver: 'devicemapper', path: home },
  );
}

async function requirePrograms(host: LvmHost): Promise<void> {
  for (const program of SETUP_PROGRAMS) {
    if ((await host.find(program)) !== undefined) continue;
    throw new LayerStoreError(
      'DRIVER_PREREQUISITES',
      `dm.directlvm_device needs the program ${program}: install lvm2 and thin-provisioning-tools`,
      { driver: 'devicemapper', name: program, option: 'dm.directlvm_device' },
    );
  }
}
