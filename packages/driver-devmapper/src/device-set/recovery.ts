import { deviceMapperReason } from '../device-mapper/device-mapper-error.js';
import { step } from '../failpoints.js';
import type { TransactionRecord } from '../metadata/transaction-record.js';
import { judgeDevice, planRecovery, type Verdict } from '../transaction/plan-recovery.js';
import type { PoolContents } from '../transaction/pool-contents.js';
import { deactivate } from './activation.js';
import { entomb } from './deletion.js';
import type { DeviceSetCore } from './device-set-core.js';

/** A dead process's device may be held for a moment by udev: one second of attempts. */
const ATTEMPTS = 10;

/**
 * Puts right what a dead process was doing to the pool (spec/drivers.md 2.10): the transaction begun last is rolled back unless
 * the pool says that it came to its end. Rolling back is removing, and only what is provably ours is removed. Twice is the same
 * as once.
 */
export async function recoverTransaction(core: DeviceSetCore, contents: PoolContents): Promise<void> {
  const plan = planRecovery(await core.metadata.loadTransaction(), core.transactions.id);
  if (plan.action === 'nothing') return;
  if (plan.action === 'report') {
    core.warn(
      `the pool ${core.pool.name} is at transaction ${core.transactions.id}, the last one of ${core.home} was ` +
        `${plan.record.openTransactionId}: somebody else has changed the pool, or the one or the other is an old copy`,
    );
    return;
  }
  await rollBack(core, contents, plan.record);
  await step('recover.transaction', () => core.metadata.removeTransaction());
}

async function rollBack(
  core: DeviceSetCore,
  contents: PoolContents,
  record: TransactionRecord,
): Promise<void> {
  const { deviceHash, deviceId } = record;
  const ownRecord = core.table.get(deviceHash)?.deviceId === deviceId;
  const verdict = await judge(core, contents, record, ownRecord);
  if (verdict === 'leave') {
    core.ids.markUsed(deviceId);
    core.warn(
      `device ${deviceId} of pool ${core.pool.name} was announced for "${deviceHash}" and is not provably its own: it stays`,
    );
    return;
  }
  if (verdict === 'delete' && !(await deleteFromPool(core, deviceHash, deviceId))) {
    if (ownRecord) await entomb(core, deviceHash);
    return;
  }
  if (ownRecord) await step('recover.metafile', () => core.table.unregister(deviceHash));
  core.ids.markFree(deviceId);
}

async function judge(
  core: DeviceSetCore,
  contents: PoolContents,
  { deviceHash, deviceId }: TransactionRecord,
  ownRecord: boolean,
): Promise<Verdict> {
  const otherRecord = core.table.claimants(deviceId, deviceHash).length > 0;
  const decided = ownRecord || otherRecord;
  const stamp = decided ? undefined : await contents.stampOf(deviceId);
  return judgeDevice({ ownRecord, otherRecord, stamp }, core.transactions.id);
}

/** False: something outside has the device open. */
async function deleteFromPool(core: DeviceSetCore, hash: string, deviceId: number): Promise<boolean> {
  try {
    await deactivate(core, hash, { deferred: false, attempts: ATTEMPTS });
    await step('recover.delete', () => core.pool.deleteThin(deviceId));
    return true;
  } catch (error) {
    if (deviceMapperReason(error) !== 'Busy') throw error;
    core.warn(`${core.names.of(hash)} is open outside this process: it is deleted when that has closed it`);
    return false;
  }
}
