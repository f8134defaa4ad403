import { LayerStoreError } from '@x/archive';
import type { DeviceSet } from '../device-set/device-set.js';
import { type DeviceStatus, parseThinStatus } from '../status/thin-status.js';

/**
 * Asks the kernel about one device; it is activated for that, and taken away again if it was not active. DRIVER_ID_UNKNOWN,
 * DRIVER_POOL_UNUSABLE when the device has failed.
 */
export async function deviceStatus(set: DeviceSet, hash: string): Promise<DeviceStatus> {
  const record = await set.find(hash);
  if (record === undefined) {
    throw new LayerStoreError(
      'DRIVER_ID_UNKNOWN',
      `the devicemapper driver has no device ${hash || 'base'}`,
      {
        driver: 'devicemapper',
        cacheId: hash,
      },
    );
  }
  const { names, host } = set.core;
  return set.withActive(hash, record, async () => {
    const name = names.of(hash);
    const [target] = await host.deviceMapper.status(name);
    if (target === undefined) throw new LayerStoreError('DRIVER_FAILED', `${name} has no table`, { name });
    return {
      deviceId: record.deviceId,
      size: record.size,
      transactionId: record.transactionId,
      sizeInSectors: target.length,
      ...parseThinStatus(target),
    };
  });
}
