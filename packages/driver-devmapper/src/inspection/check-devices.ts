import { LayerStoreError } from '@x/archive';
import type { DeviceSet } from '../device-set/device-set.js';

/** Where records and pool do not agree. */
export interface DeviceCheck {
  /** Hashes with a record whose device the pool does not have: these layers cannot be mounted any more. */
  readonly lost: readonly string[];
  /** Ids of devices in the pool that nothing here has a record of: they only take space. */
  readonly unowned: readonly number[];
}

/**
 * Compares the records of a home with what its pool really has (spec/drivers.md 8.1), by thin_dump on a metadata snapshot; nothing
 * is changed. DRIVER_PREREQUISITES when the pool cannot be looked into.
 */
export function checkDevices({ core }: DeviceSet): Promise<DeviceCheck> {
  return core.locks.withPool(async () => {
    let why = '';
    const contents = core.host.contents(core.pool, (reason) => {
      why = reason;
    });
    const ids = await contents.deviceIds();
    if (ids === undefined) {
      throw new LayerStoreError('DRIVER_PREREQUISITES', `${why}; install thin-provisioning-tools`, {
        driver: 'devicemapper',
        name: core.pool.name,
      });
    }
    const inPool = new Set(ids);
    const owned = new Map(core.table.hashes().map((hash) => [core.table.get(hash)?.deviceId, hash]));
    return {
      lost: [...owned].filter(([id]) => id !== undefined && !inPool.has(id)).map(([, hash]) => hash),
      unowned: ids.filter((id) => !owned.has(id)),
    };
  });
}
