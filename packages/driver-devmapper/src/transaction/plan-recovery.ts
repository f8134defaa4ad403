import type { TransactionRecord } from '../metadata/transaction-record.js';

/** What a start does about the transaction begun last. */
export type RecoveryPlan =
  /** None was ever begun, or the last one came to its end. */
  | { readonly action: 'nothing' }
  /**
   * The pool is ahead of the file, or further behind than one transaction: somebody else used it, or one of the two is an old
   * copy. Told, never acted on: the layer in the file may be an old and good one.
   */
  | { readonly action: 'report'; readonly record: TransactionRecord }
  /** Removal, always: it undoes what was being made and completes what was being deleted. */
  | { readonly action: 'roll-back'; readonly record: TransactionRecord };

/** Compares the transaction file with the pool's transaction id (spec/drivers.md 2.10). */
export function planRecovery(record: TransactionRecord | undefined, poolTransactionId: number): RecoveryPlan {
  if (record === undefined || record.openTransactionId === poolTransactionId) return { action: 'nothing' };
  return { action: record.openTransactionId === poolTransactionId + 1 ? 'roll-back' : 'report', record };
}

/** What is known about a device id that a transaction was interrupted with. */
export interface DeviceEvidence {
  /** The device of the transaction's own layer has this id. */
  readonly ownRecord: boolean;
  /** The device of another layer, a tombstone or the base has this id. */
  readonly otherRecord: boolean;
  /** The pool's id when the device was made, as dm-thin keeps it; undefined: it could not be found out. */
  readonly stamp: number | 'absent' | undefined;
}

/** Whether the pool's device may be deleted in a roll-back. */
export type Verdict =
  | 'delete'
  /** There is none: its id is free. */
  | 'absent'
  /** Somebody else's, or not provably ours: it stays, and its id is never handed out. */
  | 'leave';

/**
 * The kernel may have answered "exists" to the id in the file just before the end, and then the device under it is not ours
 * (spec/drivers.md 2.10, C6). A record of the layer proves that it is; without one, dm-thin's own stamp must be the
 * transaction that was current.
 */
export function judgeDevice(evidence: DeviceEvidence, poolTransactionId: number): Verdict {
  if (evidence.otherRecord) return 'leave';
  if (evidence.ownRecord) return 'delete';
  if (evidence.stamp === 'absent') return 'absent';
  return evidence.stamp === poolTransactionId ? 'delete' : 'leave';
}
