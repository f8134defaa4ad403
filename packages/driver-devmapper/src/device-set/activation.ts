import { LayerStoreError } from '@x/archive';
import { deviceMapperReason } from '../device-mapper/device-mapper-error.js';
import {
  activateThin,
  cancelDeferredRemoval,
  type RetryOptions,
  removeDevice,
  removeDeviceDeferred,
} from '../device-mapper/thin-devices.js';
import { BASE_HASH, type DeviceRecord } from '../metadata/device-record.js';
import { activeDevice, type DeviceSetCore } from './device-set-core.js';
import type { DeviceSetHost } from './host.js';

/**
 * Makes a thin device visible, as long as its record says, and gives the path of its node. A removal that the kernel has put
 * off is taken back first; where the kernel was faster the device is made again (spec/drivers.md 2.14).
 * DRIVER_STATE_FOREIGN when the pool has no such device: a record proves nothing.
 */
export async function activate(core: DeviceSetCore, hash: string, record: DeviceRecord): Promise<string> {
  const { deviceMapper } = core.host;
  const name = core.names.of(hash);
  if (!(await stillActive(core, hash))) {
    try {
      await activateThin(deviceMapper, {
        name,
        pool: core.pool.name,
        deviceId: record.deviceId,
        size: record.size,
      });
    } catch (error) {
      throw deviceMapperReason(error) === 'NoData' ? missingFromPool(core, hash, record, error) : error;
    }
  }
  return deviceMapper.devicePath(name);
}

/** Whether the device is active and will stay so. */
export async function stillActive(core: DeviceSetCore, hash: string): Promise<boolean> {
  const info = await activeDevice(core, hash);
  if (info === undefined) return false;
  if (!info.deferredRemove) return true;
  return (
    (await cancelDeferredRemoval(core.host.deviceMapper, core.names.of(hash), attempts(core.host))) === 'kept'
  );
}

/**
 * Takes a thin device away again. `deferred`: something outside has it open, and the kernel removes it when that closes it.
 * Without deferred removal an open device is tried again for 20 seconds, then DRIVER_BUSY.
 */
export async function deactivate(
  core: DeviceSetCore,
  hash: string,
  options: { readonly deferred?: boolean; readonly attempts?: number } = {},
): Promise<'removed' | 'deferred'> {
  const name = core.names.of(hash);
  if (options.deferred ?? core.options.deferredRemoval) {
    return removeDeviceDeferred(core.host.deviceMapper, name);
  }
  await removeDevice(core.host.deviceMapper, name, attempts(core.host, options.attempts));
  return 'removed';
}

/** How long to go on against a device that is in use: 200 attempts 100 ms apart unless told otherwise. */
export function attempts(host: DeviceSetHost, count?: number): RetryOptions {
  return {
    ...(count === undefined ? {} : { attempts: count }),
    ...(host.pause === undefined ? {} : { pause: host.pause }),
  };
}

function missingFromPool(
  core: DeviceSetCore,
  hash: string,
  record: DeviceRecord,
  cause: unknown,
): LayerStoreError {
  const remedy =
    hash === BASE_HASH
      ? 'give the pool that the home was made with, or remove the home to begin anew'
      : 'remove the layer and register it again';
  return new LayerStoreError(
    'DRIVER_STATE_FOREIGN',
    `${core.names.of(hash)} has a record but the pool ${core.pool.name} has no device ${record.deviceId}: ` +
      `it was lost in a repair of the pool, or this is another pool; ${remedy}`,
    { driver: 'devicemapper', cacheId: hash, cause },
  );
}
