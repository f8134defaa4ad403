import type { DeviceInfo } from '../device-mapper/device-mapper.js';
import { step } from '../failpoints.js';
import type { DeviceIdBitmap } from '../metadata/device-id-bitmap.js';
import type { DeviceSetRecord } from '../metadata/device-set-record.js';
import type { MetadataDirectory } from '../metadata/metadata-directory.js';
import type { ResolvedDevmapperOptions } from '../options/options.js';
import type { ThinPool } from '../pool/thin-pool.js';
import type { PoolTransactions } from '../transaction/pool-transactions.js';
import type { DeviceLocks } from './device-locks.js';
import type { DeviceNames } from './device-names.js';
import type { DeviceTable } from './device-table.js';
import type { DeviceSetHost } from './host.js';

/** Told what a person should know and no caller is told: a file put aside, a device left in the pool. */
export type WarningListener = (message: string) => void;

/** What an open device set consists of; the operations on it are functions over this, a file each. */
export interface DeviceSetCore {
  readonly home: string;
  readonly host: DeviceSetHost;
  readonly options: ResolvedDevmapperOptions;
  readonly names: DeviceNames;
  readonly pool: ThinPool;
  readonly metadata: MetadataDirectory;
  readonly ids: DeviceIdBitmap;
  readonly table: DeviceTable;
  readonly transactions: PoolTransactions;
  readonly locks: DeviceLocks;
  readonly warn: WarningListener;
  /** As last saved, the id handed out last apart. */
  record: DeviceSetRecord;
}

/** The kernel's state of a device of this set; undefined: it is not active. */
export function activeDevice(core: DeviceSetCore, hash: string): Promise<DeviceInfo | undefined> {
  return core.host.deviceMapper.info(core.names.of(hash));
}

/** Writes the pool-wide record with what has changed. */
export async function saveRecord(core: DeviceSetCore, changes: Partial<DeviceSetRecord> = {}): Promise<void> {
  const record = { ...core.record, ...changes, nextDeviceId: core.ids.last };
  await step('record.save', () => core.metadata.saveDeviceSet(record));
  core.record = record;
}
