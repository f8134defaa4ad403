import { deviceMapperReason } from '../device-mapper/device-mapper-error.js';
import { step } from '../failpoints.js';
import type { DeviceRecord } from '../metadata/device-record.js';
import type { TransactionKind } from '../metadata/transaction-record.js';
import type { DeviceSetCore } from './device-set-core.js';

/** A device to be made in the pool and recorded. */
export interface DevicePlan {
  readonly kind: Exclude<TransactionKind, 'delete'>;
  readonly hash: string;
  /** Bytes. */
  readonly size: number;
  /** Tells the pool to make the device of this id. Reason `DeviceIDExists`: the next id is tried. */
  make(deviceId: number): Promise<void>;
}

/** How far the making of a device has come. */
interface Attempt {
  deviceId: number;
  /** The pool has it. */
  made: boolean;
}

/**
 * Makes a device in one transaction (spec/drivers.md 2.10, 2.13): announced, made in the pool, recorded, closed. A failure
 * undoes what was done, and the announcement with it. An id that the pool has already is somebody else's; it stays marked,
 * and the announcement names the next one before that is tried. The caller holds the locks of the devices concerned.
 */
export function createDevice(core: DeviceSetCore, plan: DevicePlan): Promise<DeviceRecord> {
  return core.locks.withPool(async () => {
    const { ids, table, transactions } = core;
    const attempt: Attempt = { deviceId: ids.next(), made: false };
    await announce(core, plan, attempt.deviceId);
    try {
      await makeWithFreeId(core, plan, attempt);
      const record: DeviceRecord = {
        deviceId: attempt.deviceId,
        size: plan.size,
        transactionId: transactions.openId,
        initialized: false,
        deleted: false,
      };
      await step('create.metafile', () => table.register(plan.hash, record));
      await step('create.close', () => transactions.close());
      return record;
    } catch (error) {
      await undo(core, plan, attempt);
      throw error;
    }
  });
}

async function announce(core: DeviceSetCore, plan: DevicePlan, deviceId: number): Promise<void> {
  try {
    await step('create.open', () => core.transactions.open(plan.kind, plan.hash, deviceId));
  } catch (error) {
    core.ids.markFree(deviceId);
    throw error;
  }
}

async function makeWithFreeId(core: DeviceSetCore, plan: DevicePlan, attempt: Attempt): Promise<void> {
  while (!attempt.made) {
    const { deviceId } = attempt;
    try {
      await step('create.pool-create', () => plan.make(deviceId));
      attempt.made = true;
    } catch (error) {
      if (deviceMapperReason(error) !== 'DeviceIDExists') throw error;
      core.warn(
        `the pool ${core.pool.name} has a device ${deviceId} that no layer owns: its id is passed over`,
      );
      attempt.deviceId = core.ids.next();
      await step('create.refresh', () => core.transactions.refresh(attempt.deviceId));
    }
  }
}

/** What cannot be undone is left to the next start, which the announcement tells of it. */
async function undo(core: DeviceSetCore, plan: DevicePlan, { deviceId, made }: Attempt): Promise<void> {
  try {
    await step('create.abandon', async () => {
      if (made) {
        await core.table.unregister(plan.hash);
        await core.pool.deleteThin(deviceId);
      }
      await core.transactions.abandon();
    });
    core.ids.markFree(deviceId);
  } catch (error) {
    core.transactions.leave();
    core.warn(`device ${deviceId} of "${plan.hash}" is left to the next start: ${String(error)}`);
  }
}
