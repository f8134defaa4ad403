import { MAX_THIN_ID } from '../pool/thin-pool.js';
import { JsonRecord } from './json-record.js';

/** What the transaction does to the device; Docker does not say. */
export type TransactionKind = 'create' | 'snap' | 'delete';

/** The transaction begun last: `<home>/metadata/transaction-metadata` (spec/drivers.md 2.2, 2.10). */
export interface TransactionRecord {
  /** The id that the pool has once the transaction is closed. */
  readonly openTransactionId: number;
  /** The layer; the base device has the empty text. */
  readonly deviceHash: string;
  readonly deviceId: number;
  /** Undefined in files of Docker. */
  readonly kind: TransactionKind | undefined;
}

/** Docker's three keys first and in its order; `op` follows, and Docker passes over it. */
export function encodeTransactionRecord(record: TransactionRecord): string {
  return JSON.stringify({
    open_transaction_id: record.openTransactionId,
    device_hash: record.deviceHash,
    device_id: record.deviceId,
    ...(record.kind === undefined ? {} : { op: record.kind }),
  });
}

/** Throws DRIVER_STATE_DAMAGED. */
export function parseTransactionRecord(text: string, what: string): TransactionRecord {
  const fields = JsonRecord.parse(text, what);
  return {
    openTransactionId: fields.integer('open_transaction_id'),
    deviceHash: fields.text('device_hash'),
    deviceId: fields.integer('device_id', { max: MAX_THIN_ID }),
    kind: kindOf(fields.text('op')),
  };
}

/** A kind that a later version invented is none that we know: recovery is the same for all of them. */
function kindOf(text: string): TransactionKind | undefined {
  return text === 'create' || text === 'snap' || text === 'delete' ? text : undefined;
}
