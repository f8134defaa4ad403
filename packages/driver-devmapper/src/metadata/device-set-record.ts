import { MAX_THIN_ID } from '../pool/thin-pool.js';
import { JsonRecord } from './json-record.js';

/** What holds for the whole pool: `<home>/metadata/deviceset-metadata` (spec/drivers.md 2.2). */
export interface DeviceSetRecord {
  /** The id handed out last; the search for a free one begins behind it. */
  readonly nextDeviceId: number;
  /** UUID of the base device's file system; empty until it is known. */
  readonly baseDeviceUuid: string;
  /** `ext4` or `xfs`; empty until it is known. */
  readonly baseDeviceFilesystem: string;
  /** Block size the pool was made with, sectors of 512 bytes; 0 when never recorded. Not one of Docker's keys. */
  readonly thinBlockSectors: number;
  /** Bytes of the loop files when they were last seen; 0 where they are none or were never recorded. Not Docker's keys. */
  readonly poolData: number;
  readonly poolMetadata: number;
  /** Start of the device names of this home when it was last open; empty when never recorded. Not one of Docker's keys. */
  readonly prefix: string;
  /** Keys of other programs and later versions, written back as they came. */
  readonly others: Readonly<Record<string, unknown>>;
}

/** The record of a home that has none. */
export const EMPTY_DEVICE_SET: DeviceSetRecord = {
  nextDeviceId: 0,
  baseDeviceUuid: '',
  baseDeviceFilesystem: '',
  thinBlockSectors: 0,
  poolData: 0,
  poolMetadata: 0,
  prefix: '',
  others: {},
};

const OWN_KEYS = new Set([
  'next_device_id',
  'basedeviceuuid',
  'basedevicefilesystem',
  'thinp_block_size',
  'pool_data',
  'pool_metadata',
  'prefix',
]);

/** Docker's three keys first and in its order; ours and those of others follow, and Docker passes over them. */
export function encodeDeviceSetRecord(record: DeviceSetRecord): string {
  return JSON.stringify({
    next_device_id: record.nextDeviceId,
    BaseDeviceUUID: record.baseDeviceUuid,
    BaseDeviceFilesystem: record.baseDeviceFilesystem,
    ...(record.thinBlockSectors === 0 ? {} : { thinp_block_size: record.thinBlockSectors }),
    ...(record.poolData === 0 ? {} : { pool_data: record.poolData }),
    ...(record.poolMetadata === 0 ? {} : { pool_metadata: record.poolMetadata }),
    ...(record.prefix === '' ? {} : { prefix: record.prefix }),
    ...record.others,
  });
}

/** Throws DRIVER_STATE_DAMAGED. */
export function parseDeviceSetRecord(text: string, what: string): DeviceSetRecord {
  const fields = JsonRecord.parse(text, what);
  const everything = Object.entries(JSON.parse(text) as Record<string, unknown>);
  return {
    nextDeviceId: fields.integer('next_device_id', { max: MAX_THIN_ID, fallback: 0 }),
    baseDeviceUuid: fields.text('BaseDeviceUUID'),
    baseDeviceFilesystem: fields.text('BaseDeviceFilesystem'),
    thinBlockSectors: fields.integer('thinp_block_size', { fallback: 0 }),
    poolData: fields.integer('pool_data', { fallback: 0 }),
    poolMetadata: fields.integer('pool_metadata', { fallback: 0 }),
    prefix: fields.text('prefix'),
    others: Object.fromEntries(everything.filter(([key]) => !OWN_KEYS.has(key.toLowerCase()))),
  };
}
