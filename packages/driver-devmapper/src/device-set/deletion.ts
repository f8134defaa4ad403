import { LayerStoreError } from '@x/archive';
import { deviceMapperReason } from '../device-mapper/device-mapper-error.js';
import { step } from '../failpoints.js';
import type { DeviceRecord } from '../metadata/device-record.js';
import { isTombstone } from '../metadata/file-names.js';
import { activate, deactivate } from './activation.js';
import { activeDevice, type DeviceSetCore } from './device-set-core.js';
import { requireMutablePool } from './pool-condition.js';

/** After a discard only udev may have the device open, for a moment: 5 seconds of attempts 100 ms apart. */
const ATTEMPTS_AFTER_DISCARD = 50;

/** What became of a device that was to be deleted. */
export type DeletionOutcome =
  | 'deleted'
  /** Something outside has it open: its layer is gone, the device waits for the worker. */
  | 'deferred'
  /** There was none. */
  | 'absent';

/**
 * Deletes a device for good, or with `sync: false` and deferred deletion marks one that is in use for the worker
 * (spec/drivers.md 2.16). Nothing is announced or discarded before the device is out of use, so that a refusal leaves the layer
 * as it was. DRIVER_BUSY, DRIVER_POOL_UNUSABLE.
 */
export function deleteDevice(
  core: DeviceSetCore,
  hash: string,
  options: { readonly sync: boolean },
): Promise<DeletionOutcome> {
  return core.locks.withDevice(hash, async () => {
    const record = await core.table.find(hash);
    if (record === undefined) return 'absent';
    await requireMutablePool(core);
    const mayWait = core.options.deferredDeletion && !options.sync;
    const state = await bringDown(core, hash, mayWait);
    return core.locks.withPool(() => deleteInTurn(core, hash, record, { state, mayWait }));
  });
}

async function bringDown(
  core: DeviceSetCore,
  hash: string,
  mayWait: boolean,
): Promise<'removed' | 'deferred'> {
  try {
    return await deactivate(core, hash, { deferred: mayWait });
  } catch (error) {
    throw deviceMapperReason(error) === 'Busy' ? inUse(core, hash, error) : error;
  }
}

async function deleteInTurn(
  core: DeviceSetCore,
  hash: string,
  record: DeviceRecord,
  { state, mayWait }: { readonly state: 'removed' | 'deferred'; readonly mayWait: boolean },
): Promise<DeletionOutcome> {
  const { transactions } = core;
  const discarding = core.options.blkDiscard && state === 'removed';
  await step('delete.open', () => transactions.open('delete', hash, record.deviceId));
  try {
    if (discarding) await step('delete.discard', () => discard(core, hash, record));
    const outcome = await deleteFromPool(core, record);
    if (outcome === 'busy') {
      // Without its blocks the layer cannot come back, whatever the options say.
      if (!mayWait && !discarding) throw inUse(core, hash);
      await entomb(core, hash);
      await withdraw(core);
      return 'deferred';
    }
    await step('delete.metafile', () => core.table.unregister(hash));
    core.ids.markFree(record.deviceId);
    await step('delete.close', () => transactions.close());
    return 'deleted';
  } catch (error) {
    await settle(core, hash, record, discarding);
    throw error;
  }
}

/**
 * A layer that is still in the table may be deleted again, so what was announced is withdrawn; one that has lost its blocks
 * is not to be seen again. One that is gone is left to the next start.
 */
async function settle(
  core: DeviceSetCore,
  hash: string,
  record: DeviceRecord,
  discarded: boolean,
): Promise<void> {
  const listed = core.table.get(hash)?.deviceId === record.deviceId;
  try {
    if (listed && discarded) await entomb(core, hash);
    if (listed) await withdraw(core);
    else core.transactions.leave();
  } catch (error) {
    core.transactions.leave();
    core.warn(`the deletion of device ${record.deviceId} is left to the next start: ${String(error)}`);
  }
}

/** The announcement goes: no later start acts on it. */
function withdraw(core: DeviceSetCore): Promise<void> {
  return step('delete.abandon', () => core.transactions.abandon());
}

async function deleteFromPool(core: DeviceSetCore, record: DeviceRecord): Promise<'deleted' | 'busy'> {
  try {
    await step('delete.pool-delete', () => core.pool.deleteThin(record.deviceId));
    return 'deleted';
  } catch (error) {
    if (deviceMapperReason(error) === 'Busy') return 'busy';
    throw error;
  }
}

/** Gives the blocks back to the loop file (a deletion alone does not). The layer goes either way: failures are no matter. */
async function discard(core: DeviceSetCore, hash: string, record: DeviceRecord): Promise<void> {
  try {
    const device = await activate(core, hash, record);
    if ((await activeDevice(core, hash))?.openCount === 0) await core.host.fileSystems.discard(device);
  } catch (error) {
    core.warn(`the blocks of ${core.names.of(hash)} could not be discarded: ${String(error)}`);
  }
  try {
    await deactivate(core, hash, { deferred: false, attempts: ATTEMPTS_AFTER_DISCARD });
  } catch (error) {
    if (deviceMapperReason(error) !== 'Busy') throw error;
    // The pool will say busy too, and what happens then is decided there.
  }
}

/**
 * Puts a device that is in use out of the way of its layer's id: its record gets a hidden name, the device itself too, since
 * the next layer of that id needs the old one.
 */
export async function entomb(core: DeviceSetCore, hash: string): Promise<void> {
  if (isTombstone(hash)) return;
  const tombstone = await core.table.entomb(hash);
  try {
    await core.host.deviceMapper.rename(core.names.of(hash), core.names.of(tombstone));
  } catch (error) {
    if (deviceMapperReason(error) !== 'Enxio') throw error;
    // Its last opener has gone meanwhile, and with it the device.
  }
}

function inUse(core: DeviceSetCore, hash: string, cause?: unknown): LayerStoreError {
  return new LayerStoreError(
    'DRIVER_BUSY',
    `${core.names.of(hash)} is open outside this process and cannot be deleted: see who has it with ` +
      'lsof or in /proc/*/mountinfo, or use dm.use_deferred_deletion=true',
    { driver: 'devicemapper', cacheId: hash, errno: 'EBUSY', ...(cause === undefined ? {} : { cause }) },
  );
}
