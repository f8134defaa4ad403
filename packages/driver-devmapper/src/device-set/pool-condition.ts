import { assertFreeSpace } from '../pool/free-space.js';
import type { ActivePoolStatus } from '../pool/pool-status.js';
import { assertMutable, assertUnusedPool } from '../pool/pool-usability.js';
import type { DeviceSetCore } from './device-set-core.js';

/** The status of a pool that takes changes; DRIVER_POOL_UNUSABLE for one that does not. */
export async function requireMutablePool(core: DeviceSetCore): Promise<ActivePoolStatus> {
  return assertMutable(await core.pool.status(), core.pool.name);
}

/** Whether a snapshot may be made (spec/drivers.md 2.17): DRIVER_POOL_FULL below `dm.min_free_space`. */
export async function requireRoom(core: DeviceSetCore): Promise<void> {
  assertFreeSpace(await requireMutablePool(core), core.options.minFreeSpace);
}

/** Whether a pool that somebody else made may become ours (spec/drivers.md 2.18): never one with something in it. */
export async function requireUnusedPool(core: DeviceSetCore): Promise<void> {
  assertUnusedPool(await requireMutablePool(core), core.pool.name);
}
