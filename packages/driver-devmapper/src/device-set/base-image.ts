import { LayerStoreError } from '@x/archive';
import { step } from '../failpoints.js';
import { BASE_HASH, type DeviceRecord } from '../metadata/device-record.js';
import { activate, deactivate } from './activation.js';
import { createDevice } from './create-device.js';
import { deleteDevice } from './deletion.js';
import { type DeviceSetCore, saveRecord } from './device-set-core.js';
import { growBase, growFileSystem, withPrivateMount } from './growth.js';
import { mountableType } from './mount-device.js';
import { requireUnusedPool } from './pool-condition.js';

/** A file system may end this much before its device: it is made of whole blocks and groups. Bytes. */
const FILE_SYSTEM_SLACK = 1 << 20;

/**
 * Refuses a pool that the records do not belong to, before recovery touches anything in it: the base device that was recorded
 * must be there, with its uuid (spec/drivers.md 2.11). DRIVER_STATE_FOREIGN; OPTION_INVALID for a `dm.basesize` below the base's.
 */
export async function requireKnownBase(core: DeviceSetCore): Promise<void> {
  const record = await core.table.find(BASE_HASH);
  if (record === undefined || !record.initialized || record.deleted) return;
  checkSize(core, record);
  if (core.record.baseDeviceUuid === '') return;
  await withBase(core, record, (device) => compareUuid(core, device));
}

/**
 * Makes sure of the base device, the empty file system every layer without parent is a snapshot of (spec/drivers.md 2.11):
 * made where it is missing, made again where a dead process did not get to its end, and grown when the options ask for it.
 * What is there was checked by {@link requireKnownBase}. DRIVER_POOL_UNUSABLE for an external pool with something in it.
 */
export async function ensureBaseImage(core: DeviceSetCore): Promise<void> {
  const found = await core.table.find(BASE_HASH);
  if (found === undefined) {
    if (core.options.thinPoolDevice !== undefined) await requireUnusedPool(core);
    return makeBase(core);
  }
  if (!found.initialized || found.deleted) {
    await deleteDevice(core, BASE_HASH, { sync: true });
    return makeBase(core);
  }
  await completeRecord(core, found);
  await growIfAsked(core, found);
}

async function makeBase(core: DeviceSetCore): Promise<void> {
  const { options, host, table } = core;
  const record = await createDevice(core, {
    kind: 'create',
    hash: BASE_HASH,
    size: options.baseSize,
    make: (deviceId) => core.pool.createThin(deviceId),
  });
  const device = await activate(core, BASE_HASH, record);
  try {
    const type = options.fileSystem ?? (await chosenType(core));
    await step('base.file-system', () =>
      saveRecord(core, { baseDeviceUuid: '', baseDeviceFilesystem: type }),
    );
    await step('base.mkfs', () => host.fileSystems.make(device, type, options.mkfsArguments));
    // What mkfs of today makes, a kernel of yesterday may not mount; nor does any with options it does not know.
    await withPrivateMount(core, device, () => Promise.resolve());
    await step('base.initialized', () => table.update(BASE_HASH, { ...record, initialized: true }));
    await recordUuid(core, device);
  } finally {
    await deactivate(core, BASE_HASH, { deferred: false });
  }
}

async function chosenType(core: DeviceSetCore): Promise<'ext4' | 'xfs'> {
  const { type, reason } = await core.host.fileSystems.chooseDefault();
  if (reason !== undefined) core.warn(`layers get ${type}: ${reason}`);
  return type;
}

async function recordUuid(core: DeviceSetCore, device: string): Promise<void> {
  const uuid = await core.host.fileSystems.uuid(device);
  await step('base.uuid', () => saveRecord(core, { baseDeviceUuid: uuid }));
}

/** Of a release that recorded less; and says so when the options name another file system than there is. */
async function completeRecord(core: DeviceSetCore, record: DeviceRecord): Promise<void> {
  const { baseDeviceUuid, baseDeviceFilesystem } = core.record;
  if (baseDeviceUuid === '' || baseDeviceFilesystem === '') {
    await withBase(core, record, async (device) => {
      if (baseDeviceUuid === '') await recordUuid(core, device);
      if (baseDeviceFilesystem === '') {
        await saveRecord(core, { baseDeviceFilesystem: await mountableType(core, device) });
      }
    });
  }
  const { fileSystem } = core.options;
  const type = core.record.baseDeviceFilesystem === 'xfs' ? 'xfs' : 'ext4';
  if (fileSystem !== undefined && fileSystem !== type) {
    core.warn(`dm.fs=${fileSystem} is passed over: the base device of ${core.home} has ${type} already`);
  }
}

async function compareUuid(core: DeviceSetCore, device: string): Promise<void> {
  const actual = await core.host.fileSystems.uuid(device);
  const expected = core.record.baseDeviceUuid;
  if (actual.toLowerCase() === expected.toLowerCase()) return;
  throw new LayerStoreError(
    'DRIVER_STATE_FOREIGN',
    `the base device in pool ${core.pool.name} has uuid ${actual}, the records of ${core.home} name ${expected}: ` +
      'this is probably another pool; give the one that the home was made with',
    { driver: 'devicemapper', expected, actual },
  );
}

function checkSize(core: DeviceSetCore, record: DeviceRecord): void {
  const { baseSize, userBaseSize } = core.options;
  if (!userBaseSize || baseSize >= record.size) return;
  throw new LayerStoreError(
    'OPTION_INVALID',
    `dm.basesize=${baseSize} is less than the base device's ${record.size} bytes, and a base device does not shrink: ` +
      'leave the option out or ask for more',
    { driver: 'devicemapper', option: 'dm.basesize' },
  );
}

async function growIfAsked(core: DeviceSetCore, record: DeviceRecord): Promise<void> {
  const { baseSize, userBaseSize } = core.options;
  if (!userBaseSize) return;
  if (baseSize > record.size) return growBase(core, record, baseSize);
  if (await fallsShort(core, record)) await growFileSystem(core, BASE_HASH, record);
}

/** A process may have died between the record of a new size and the growth of the file system. */
function fallsShort(core: DeviceSetCore, record: DeviceRecord): Promise<boolean> {
  return withBase(
    core,
    record,
    async (device) => (await core.host.fileSystems.size(device)) + FILE_SYSTEM_SLACK < record.size,
  );
}

async function withBase<T>(
  core: DeviceSetCore,
  record: DeviceRecord,
  use: (device: string) => Promise<T>,
): Promise<T> {
  const device = await activate(core, BASE_HASH, record);
  try {
    return await use(device);
  } finally {
    await deactivate(core, BASE_HASH, { deferred: false });
  }
}
