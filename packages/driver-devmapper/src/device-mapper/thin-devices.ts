import { setTimeout as sleep } from 'node:timers/promises';
import type { ThinPool } from '../pool/thin-pool.js';
import type { DeviceInfo, DeviceMapper, DeviceTarget, RemovalOutcome } from './device-mapper.js';
import { deviceMapperError, deviceMapperReason } from './device-mapper-error.js';
import { SECTOR_SIZE } from './sector.js';

/** A thin device to make visible. */
export interface ThinActivation {
  /** dm name of the device to make. */
  readonly name: string;
  /** dm name of its pool. */
  readonly pool: string;
  readonly deviceId: number;
  /** Bytes; activating a device longer than before makes it grow. */
  readonly size: number;
  /** A device that unwritten blocks are read from: a path or `major:minor`. */
  readonly externalOrigin?: string;
  readonly readOnly?: boolean;
}

/** How long to go on against EBUSY. */
export interface RetryOptions {
  /** Default 200. */
  readonly attempts?: number;
  /** Milliseconds between attempts, default 100. */
  readonly delay?: number;
  /** Waits in place of the timer: here the caller gives up its lock and takes it again. */
  readonly pause?: (milliseconds: number) => Promise<void>;
  readonly signal?: AbortSignal;
}

/**
 * Creates the device, loads its table and resumes it; what was made goes again when a step fails. Reasons: `Enxio` no such
 * pool, `NoData` the pool has no device of that id, `Busy` the name is taken.
 */
export async function activateThin(
  deviceMapper: DeviceMapper,
  activation: ThinActivation,
): Promise<DeviceInfo> {
  const { name, deviceId, size, externalOrigin, readOnly = false } = activation;
  const pool = await requireDevice(deviceMapper, activation.pool);
  const origin = externalOrigin === undefined ? '' : ` ${externalOrigin}`;
  const target: DeviceTarget = {
    start: 0,
    length: Math.floor(size / SECTOR_SIZE),
    type: 'thin',
    params: `${pool.major}:${pool.minor} ${deviceId}${origin}`,
  };
  return createWithTable(deviceMapper, name, [target], readOnly);
}

/** Makes a device with its table live. What was made goes again when the table or the resume is refused. */
export async function createWithTable(
  deviceMapper: DeviceMapper,
  name: string,
  targets: readonly DeviceTarget[],
  readOnly = false,
): Promise<DeviceInfo> {
  await deviceMapper.create(name);
  try {
    await deviceMapper.tableLoad(name, targets, { readOnly });
    await deviceMapper.resume(name);
    return await requireDevice(deviceMapper, name);
  } catch (error) {
    try {
      await deviceMapper.remove(name);
    } catch (cleanupError) {
      if (deviceMapperReason(cleanupError) !== 'Enxio') {
        throw new AggregateError([error, cleanupError], `${name} could neither be made nor removed`);
      }
    }
    throw error;
  }
}

/** Loads a table into a device that exists and makes it live. */
export async function reloadTable(
  deviceMapper: DeviceMapper,
  name: string,
  targets: readonly DeviceTarget[],
): Promise<void> {
  await deviceMapper.tableLoad(name, targets);
  await deviceMapper.resume(name);
}

/** The state of a device; reason `Enxio` when there is none. */
export async function requireDevice(deviceMapper: DeviceMapper, name: string): Promise<DeviceInfo> {
  const info = await deviceMapper.info(name);
  if (info !== undefined) return info;
  throw deviceMapperError('Enxio', `there is no device-mapper device ${name}`, { name, errno: 'ENXIO' });
}

/**
 * Runs `work` while an active device is suspended, its file system frozen, and resumes it whatever happens. A device that
 * is not active, or goes meanwhile (a deferred removal), needs neither. One that was suspended before is resumed too: nothing
 * of ours leaves a device suspended.
 */
export async function withSuspended<T>(
  deviceMapper: DeviceMapper,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  const active = await presentAfter(() => deviceMapper.suspend(name));
  if (!active) return work();
  const [outcome] = await Promise.allSettled([work()]);
  const [resumed] = await Promise.allSettled([presentAfter(() => deviceMapper.resume(name))]);
  if (outcome.status === 'rejected' && resumed.status === 'rejected') {
    throw new AggregateError([outcome.reason, resumed.reason], `${name} could not be resumed`);
  }
  if (outcome.status === 'rejected') throw outcome.reason;
  if (resumed.status === 'rejected') throw resumed.reason;
  return outcome.value;
}

/** A snapshot of a thin device, consistent also when the origin is mounted (spec/drivers.md 2.8). */
export async function createSnapshot(
  deviceMapper: DeviceMapper,
  pool: ThinPool,
  snapshot: { readonly id: number; readonly originId: number; readonly originName: string },
): Promise<void> {
  const { id, originId, originName } = snapshot;
  await withSuspended(deviceMapper, originName, () => pool.createSnap(id, originId));
}

/**
 * Removes a device, again and again while it is open (spec/drivers.md 2.15). A device that is gone already counts as
 * removed. Reason `Busy` when the attempts are used up.
 */
export async function removeDevice(
  deviceMapper: DeviceMapper,
  name: string,
  options: RetryOptions = {},
): Promise<void> {
  await retryWhileBusy(() => presentAfter(() => deviceMapper.remove(name)), { attempts: 200, ...options });
}

/** Removes a device now or when its last opener closes; gone already counts as removed. */
export async function removeDeviceDeferred(
  deviceMapper: DeviceMapper,
  name: string,
): Promise<RemovalOutcome> {
  try {
    return await deviceMapper.removeDeferred(name);
  } catch (error) {
    if (deviceMapperReason(error) === 'Enxio') return 'removed';
    throw error;
  }
}

/** Takes a deferred removal back. `gone`: the kernel was faster, and the device has to be activated again. */
export async function cancelDeferredRemoval(
  deviceMapper: DeviceMapper,
  name: string,
  options: RetryOptions = {},
): Promise<'kept' | 'gone'> {
  const present = await retryWhileBusy(() => presentAfter(() => deviceMapper.cancelDeferredRemove(name)), {
    attempts: 100,
    ...options,
  });
  return present ? 'kept' : 'gone';
}

/** Waits until nothing has the device open, or it is gone. Reason `Busy` after the attempts. */
export async function waitClose(
  deviceMapper: DeviceMapper,
  name: string,
  options: RetryOptions = {},
): Promise<void> {
  await pollUntil(async () => ((await deviceMapper.info(name))?.openCount ?? 0) === 0, name, options);
}

/** Waits until the device is gone. Reason `Busy` after the attempts. */
export async function waitRemove(
  deviceMapper: DeviceMapper,
  name: string,
  options: RetryOptions = {},
): Promise<void> {
  await pollUntil(async () => (await deviceMapper.info(name)) === undefined, name, options);
}

async function pollUntil(
  reached: () => Promise<boolean>,
  name: string,
  options: RetryOptions,
): Promise<void> {
  await retryWhileBusy(
    async () => {
      if (await reached()) return;
      throw deviceMapperError('Busy', `${name} is still in use`, { name, errno: 'EBUSY' });
    },
    { attempts: 1000, delay: 10, ...options },
  );
}

/** false: there is no such device (any more). */
async function presentAfter(call: () => Promise<void>): Promise<boolean> {
  try {
    await call();
    return true;
  } catch (error) {
    if (deviceMapperReason(error) === 'Enxio') return false;
    throw error;
  }
}

async function retryWhileBusy<T>(call: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { attempts = 1, delay = 100, signal } = options;
  const pause =
    options.pause ??
    ((milliseconds) => sleep(milliseconds, undefined, signal === undefined ? {} : { signal }));
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (deviceMapperReason(error) !== 'Busy' || attempt >= attempts) throw error;
    }
    signal?.throwIfAborted();
    await pause(delay);
  }
}
