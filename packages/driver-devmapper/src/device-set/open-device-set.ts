import { mkdir, stat } from 'node:fs/promises';
import { removeDevice } from '../device-mapper/thin-devices.js';
import { DeviceIdBitmap } from '../metadata/device-id-bitmap.js';
import { BASE_HASH } from '../metadata/device-record.js';
import type { DeviceSetRecord } from '../metadata/device-set-record.js';
import { isTombstone } from '../metadata/file-names.js';
import { migrateLegacyMetadata } from '../metadata/legacy-migration.js';
import { MetadataDirectory } from '../metadata/metadata-directory.js';
import type { DevmapperOptions, ResolvedDevmapperOptions } from '../options/options.js';
import { resolveDevmapperOptions } from '../options/resolve-options.js';
import { assertMutable } from '../pool/pool-usability.js';
import type { ThinPool } from '../pool/thin-pool.js';
import { PoolTransactions } from '../transaction/pool-transactions.js';
import { ensureBaseImage, requireKnownBase } from './base-image.js';
import { deleteTombstones } from './deferred-deletion.js';
import { DeviceLocks } from './device-locks.js';
import { DeviceNames, devicePrefix } from './device-names.js';
import { type DeviceSetCore, saveRecord, type WarningListener } from './device-set-core.js';
import { DeviceTable } from './device-table.js';
import { releaseStaleSnapshot, resumeFrozenDevices } from './frozen-devices.js';
import { releasePrivateMounts } from './growth.js';
import type { DeviceSetHost } from './host.js';
import { tidyActiveDevices } from './leftover-devices.js';
import { mountDirectory } from './mount-points.js';
import { growAdoptedPool } from './pool-growth.js';
import { findOrCreatePool, loopFileSizes } from './pool-set-up.js';
import { recoverTransaction } from './recovery.js';

const HOME_MODE = 0o700;
const MOUNTS_MODE = 0o755;

/** What {@link openDeviceSet} is given. */
export interface OpenDeviceSetOptions {
  readonly home: string;
  readonly host: DeviceSetHost;
  readonly options: DevmapperOptions;
  readonly warn: WarningListener;
}

/** What a home says of itself, before the kernel is asked. */
interface FoundHome {
  readonly metadata: MetadataDirectory;
  readonly options: ResolvedDevmapperOptions;
  readonly names: DeviceNames;
  readonly record: DeviceSetRecord;
  /** Devices there are records of. */
  readonly recordedDevices: number;
}

/**
 * Opens the devices of a home (spec/drivers.md 2.5): the pool is found or made, what a dead process left frozen, half done or
 * undeleted is put right, and the base device made sure of. A failure takes a pool that was made here away again.
 */
export async function openDeviceSet(request: OpenDeviceSetOptions): Promise<DeviceSetCore> {
  const { host, warn } = request;
  const found = await findHome(request);
  const { pool, created } = await findOrCreatePool({ ...request, ...found });
  try {
    const core = await takeOver(request, found, pool);
    await recover(core);
    if (!created) await growAdoptedPool(core);
    await ensureBaseImage(core);
    await recordPool(core);
    return core;
  } catch (error) {
    if (created) await takeBack(host, pool, error, warn);
    throw error;
  }
}

async function findHome({ home, host, options: given, warn }: OpenDeviceSetOptions): Promise<FoundHome> {
  const asked = resolveDevmapperOptions(given, await host.deviceMapper.driverVersion());
  await mkdir(home, { recursive: true, mode: HOME_MODE });
  await mkdir(mountDirectory(home), { recursive: true, mode: MOUNTS_MODE });
  const metadata = new MetadataDirectory(home, (file, error) => {
    warn(
      `${file} in ${home}/metadata was damaged and is put aside, its device is not used: ${String(error)}`,
    );
  });
  await metadata.open();
  const { devices } = await metadata.scan();
  if (!devices.has(BASE_HASH)) await requireMaker(host, asked);
  const options = await withDirectLvmPool(host, home, asked);
  const names = await namesOf(home, options);
  const record = await metadata.loadDeviceSet();
  if (record.prefix !== '' && record.prefix !== names.prefix) {
    warn(
      `${home} was moved: devices named ${record.prefix}-* that are still active are not its own any more`,
    );
  }
  warnOfLoops(options, warn);
  return { metadata, options, names, record, recordedDevices: devices.size };
}

/** An active pool, whatever state the process before left it in. */
async function takeOver(
  { home, host, warn }: OpenDeviceSetOptions,
  { metadata, options, names, record, recordedDevices }: FoundHome,
  pool: ThinPool,
): Promise<DeviceSetCore> {
  const ownPool = options.thinPoolDevice === undefined;
  await resumeFrozenDevices(host.deviceMapper, names, { ownPool });
  const { transactionId } = assertMutable(await pool.status(), pool.name);
  // A pool that was never used from here may turn out to be in use by somebody else, who may hold one.
  const usedBefore = recordedDevices > 0 || (await metadata.loadTransaction()) !== undefined;
  if (ownPool || usedBefore) await releaseStaleSnapshot(pool);
  const ids = new DeviceIdBitmap(record.nextDeviceId);
  return {
    home,
    host,
    options,
    names,
    pool,
    metadata,
    ids,
    table: new DeviceTable(metadata, ids),
    transactions: new PoolTransactions(metadata, pool, transactionId),
    locks: new DeviceLocks(),
    warn,
    record,
  };
}

async function recover(core: DeviceSetCore): Promise<void> {
  await migrateLegacyMetadata(core.home, core.metadata);
  const { devices, damaged } = await core.metadata.scan();
  core.table.adopt(devices);
  const contents = core.host.contents(core.pool, core.warn);
  // The ids of damaged records are not known; all that the pool has are kept from being handed out.
  if (damaged) for (const id of (await contents.deviceIds()) ?? []) core.ids.markUsed(id);
  await releasePrivateMounts(core);
  await requireKnownBase(core);
  await recoverTransaction(core, contents);
  await entombMarked(core);
  await tidyActiveDevices(core);
  await deleteTombstones(core);
}

/** Docker leaves deleted devices under the layer's name, and so does a process that died between mark and rename. */
async function entombMarked(core: DeviceSetCore): Promise<void> {
  for (const hash of core.table.hashes()) {
    if (hash !== BASE_HASH && !isTombstone(hash) && core.table.get(hash)?.deleted === true) {
      await core.table.entomb(hash);
    }
  }
}

async function withDirectLvmPool(
  host: DeviceSetHost,
  home: string,
  options: ResolvedDevmapperOptions,
): Promise<ResolvedDevmapperOptions> {
  if (options.directLvm === undefined) return options;
  const thinPoolDevice = await host.prepareDirectLvm(home, options.directLvm, options.directLvmForce);
  return { ...options, thinPoolDevice };
}

async function namesOf(home: string, options: ResolvedDevmapperOptions): Promise<DeviceNames> {
  const { dev, ino } = await stat(home, { bigint: true });
  return new DeviceNames(devicePrefix(options.namePrefix, dev, ino), options.thinPoolDevice);
}

/** What later starts compare with: Docker's file lacks it. */
async function recordPool(core: DeviceSetCore): Promise<void> {
  const { blockSectors } = await core.pool.table();
  const found: Partial<DeviceSetRecord> = {
    thinBlockSectors: blockSectors,
    prefix: core.names.prefix,
    ...(await loopFileSizes(core.home, core.options)),
  };
  const changed = Object.entries(found).some(
    ([key, value]) => core.record[key as keyof DeviceSetRecord] !== value,
  );
  if (changed) await saveRecord(core, found);
}

function warnOfLoops(
  { thinPoolDevice, dataDevice, metadataDevice }: ResolvedDevmapperOptions,
  warn: WarningListener,
): void {
  if (thinPoolDevice !== undefined || (dataDevice !== undefined && metadataDevice !== undefined)) return;
  warn(
    'the pool is on loop files, which is for trying out: give disks with dm.thinpooldev or dm.directlvm_device',
  );
}

/** Before anything is made: a base device without file system would be of no use. */
async function requireMaker(
  { fileSystems }: DeviceSetHost,
  { fileSystem }: ResolvedDevmapperOptions,
): Promise<void> {
  await fileSystems.requireMaker(fileSystem ?? (await fileSystems.chooseDefault()).type);
}

async function takeBack(
  host: DeviceSetHost,
  pool: ThinPool,
  error: unknown,
  warn: WarningListener,
): Promise<void> {
  try {
    await removeDevice(host.deviceMapper, pool.name);
  } catch (failure) {
    warn(`the pool ${pool.name} could not be taken away after ${String(error)}: ${String(failure)}`);
  }
}
