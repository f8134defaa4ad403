import { MAX_THIN_ID } from '../pool/thin-pool.js';
import { JsonRecord } from './json-record.js';

/** How the base device is called in memory; its file is {@link BASE_FILE}. */
export const BASE_HASH = '';

/** One thin device as `<home>/metadata/<hash>` has it (spec/drivers.md 2.2). */
export interface DeviceRecord {
  /** Its number in the pool, 0..0xffffff. */
  readonly deviceId: number;
  /** Bytes; the length it is activated with. */
  readonly size: number;
  /** Pool transaction that made it. For people only: it proves nothing about the pool. */
  readonly transactionId: number;
  /** Of the base device: mkfs has finished. Snapshots keep false. */
  readonly initialized: boolean;
  /** Deletion was asked for and the pool refused it because the device is in use. */
  readonly deleted: boolean;
}

/** Docker's bytes: keys in this order, no white space, no line end. */
export function encodeDeviceRecord(record: DeviceRecord): string {
  return JSON.stringify({
    device_id: record.deviceId,
    size: record.size,
    transaction_id: record.transactionId,
    initialized: record.initialized,
    deleted: record.deleted,
  });
}

/** Reads a device file; `what` names it in DRIVER_STATE_DAMAGED. `deleted` was not written before 1.10 and is then false. */
export function parseDeviceRecord(text: string, what: string): DeviceRecord {
  return deviceRecordOf(JsonRecord.parse(text, what));
}

/** As {@link parseDeviceRecord}, of an object within another file. */
export function deviceRecordOf(fields: JsonRecord): DeviceRecord {
  return {
    deviceId: fields.integer('device_id', { max: MAX_THIN_ID }),
    size: fields.integer('size'),
    transactionId: fields.integer('transaction_id', { fallback: 0 }),
    initialized: fields.flag('initialized'),
    deleted: fields.flag('deleted'),
  };
}
