import { LayerStoreError } from '@x/archive';
import { withSuspended } from '../device-mapper/thin-devices.js';
import { step } from '../failpoints.js';
import type { DeviceRecord } from '../metadata/device-record.js';
import { deactivate, stillActive } from './activation.js';
import { createDevice } from './create-device.js';
import { deleteDevice } from './deletion.js';
import { activeDevice, type DeviceSetCore } from './device-set-core.js';
import { growFileSystem } from './growth.js';
import { requireRoom } from './pool-condition.js';

/** Options of {@link addDevice}. */
export interface AddDeviceOptions {
  /** Bytes, at least the parent's; undefined takes the parent's. A larger one makes the file system grow. */
  readonly size?: number;
}

/**
 * A new layer that shares everything with `baseHash` (the empty text: the base device): spec/drivers.md 2.13. An origin
 * that is active is frozen meanwhile, so that the snapshot is consistent. DRIVER_ID_UNKNOWN, DRIVER_ID_EXISTS, DRIVER_POOL_FULL,
 * DRIVER_POOL_UNUSABLE, OPTION_INVALID; on failure nothing is left.
 */
export async function addDevice(
  core: DeviceSetCore,
  hash: string,
  baseHash: string,
  options: AddDeviceOptions = {},
): Promise<void> {
  // Also before the locks are taken, so that no two callers can wait for each other.
  await requirePair(core, hash, baseHash);
  let made = false;
  try {
    await core.locks.withDevice(baseHash, () =>
      core.locks.withDevice(hash, async () => {
        const base = await requirePair(core, hash, baseHash);
        const size = checkedSize(options.size, base);
        await requireRoom(core);
        const record = await snapshot(core, hash, baseHash, base, size);
        made = true;
        if (size > base.size) await growFileSystem(core, hash, record);
      }),
    );
  } catch (error) {
    if (made) await takeBack(core, hash);
    throw error;
  }
}

/** A layer whose file system did not grow is less than what was asked for. */
async function takeBack(core: DeviceSetCore, hash: string): Promise<void> {
  try {
    await deleteDevice(core, hash, { sync: false });
  } catch (error) {
    core.warn(`${core.names.of(hash)} could not be taken back: ${String(error)}`);
  }
}

/** The parent's record; the child has none. */
async function requirePair(core: DeviceSetCore, hash: string, baseHash: string): Promise<DeviceRecord> {
  const base = await core.table.find(baseHash);
  if (base === undefined || base.deleted) throw unknownBase(baseHash);
  if ((await core.table.find(hash)) !== undefined) throw exists(hash);
  return base;
}

async function snapshot(
  core: DeviceSetCore,
  hash: string,
  baseHash: string,
  base: DeviceRecord,
  size: number,
): Promise<DeviceRecord> {
  const leaving = (await activeDevice(core, baseHash))?.deferredRemove === true;
  // Taken back, or the kernel could remove the origin between its suspension and the snapshot.
  await stillActive(core, baseHash);
  try {
    return await createDevice(core, {
      kind: 'snap',
      hash,
      size,
      make: (deviceId) =>
        withSuspended(core.host.deviceMapper, core.names.of(baseHash), () =>
          step('create.snapshot', () => core.pool.createSnap(deviceId, base.deviceId)),
        ),
    });
  } finally {
    if (leaving) await deactivate(core, baseHash, { deferred: true });
  }
}

function checkedSize(size: number | undefined, base: DeviceRecord): number {
  if (size === undefined) return base.size;
  if (size >= base.size) return size;
  throw new LayerStoreError(
    'OPTION_INVALID',
    `a layer of ${size} bytes cannot hold its parent's file system of ${base.size}: ask for at least that`,
    { driver: 'devicemapper', option: 'size' },
  );
}

function unknownBase(hash: string): LayerStoreError {
  return new LayerStoreError('DRIVER_ID_UNKNOWN', `the devicemapper driver has no device ${hash || 'base'}`, {
    driver: 'devicemapper',
    cacheId: hash,
  });
}

function exists(hash: string): LayerStoreError {
  return new LayerStoreError('DRIVER_ID_EXISTS', `the devicemapper driver has a device ${hash} already`, {
    driver: 'devicemapper',
    cacheId: hash,
  });
}
