import { LayerStoreError } from '@x/archive';
import { deviceMapperReason } from '../device-mapper/device-mapper-error.js';
import { removeDevice } from '../device-mapper/thin-devices.js';
import { type DeviceSetCore, saveRecord } from './device-set-core.js';
import { removeActiveDevices } from './leftover-devices.js';
import { releaseMount } from './mount-device.js';
import { mountPoints } from './mount-points.js';

/**
 * Leaves nothing behind (spec/drivers.md 2.22): the record first, since the process may be killed while it waits; then every
 * mount, every device, and the pool where it is ours. What is open elsewhere stays and is told: the next start takes it up. One
 * failure does not keep the rest from being done.
 */
export async function shutDown(core: DeviceSetCore): Promise<void> {
  const failures: unknown[] = [];
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      failures.push(error);
      return undefined;
    }
  };
  await attempt(() => saveRecord(core));
  for (const mountPoint of await mountPoints(core.home)) await attempt(() => releaseMount(core, mountPoint));
  const kept = (await attempt(() => removeActiveDevices(core))) ?? [];
  if (kept.length > 0) core.warn(`still open outside this process: ${kept.join(', ')}`);
  if (core.options.thinPoolDevice === undefined) await attempt(() => removePool(core));
  if (failures.length === 0) return;
  throw new LayerStoreError('DRIVER_FAILED', `the devices of ${core.home} were not all given back`, {
    driver: 'devicemapper',
    cause: failures.length === 1 ? failures[0] : new AggregateError(failures),
  });
}

async function removePool(core: DeviceSetCore): Promise<void> {
  try {
    await removeDevice(core.host.deviceMapper, core.pool.name, { attempts: 1 });
  } catch (error) {
    if (deviceMapperReason(error) !== 'Busy') throw error;
    core.warn(`the pool ${core.pool.name} is in use by devices on it and stays; the next start takes it up`);
  }
}
