import { LayerStoreError } from '@x/archive';
import { step } from '../failpoints.js';
import { BASE_HASH, type DeviceRecord } from '../metadata/device-record.js';
import { activate, deactivate } from './activation.js';
import { createDevice } from './create-device.js';
import { deleteDevice } from './deletion.js';
import { type DeviceSetCore, saveRecord } from './device-set-core.js';
import { growBase, growFileSystem } from './growth.js';
import { mountableType } from './mount-device.js';
import { requireUnusedPool } from './pool-condition.js';

/** A file system may end this much before its device: it is made of whole blocks and groups. Bytes. */
const FILE_SYSTEM_SLACK = 1 << 20;

/**
 * Makes sure of the base device, the empty file system every layer without parent is a snapshot of (spec/drivers.md 2.11):
 * made where it is missing, made again where a dead process did not get to its end, checked against the recorded uuid where it
 * is there, and grown when the options ask for it. OPTION_INVALID for a `dm.basesize` below the base's, DRIVER_STATE_FOREIGN
 * when pool and records do not belong together.
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
  checkSize(core, found);
  await verify(core, found);
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

async function verify(core: DeviceSetCore, record: DeviceRecord): Promise<void> {
  const device = await activate(core, BASE_HASH, record);
  try {
    if (core.record.baseDeviceUuid === '') await recordUuid(core, device);
    else await compareUuid(core, device);
    if (core.record.baseDeviceFilesystem === '') {
      await saveRecord(core, { baseDeviceFilesystem: await mountableType(core, device) });
    }
  } finally {
    await deactivate(core, BASE_HASH, { deferred: false });
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
async function fallsShort(core: DeviceSetCore, record: DeviceRecord): Promise<boolean> {
  const device = await activate(core, BASE_HASH, record);
  try {
    return (await core.host.fileSystems.size(device)) + FILE_SYSTEM_SLACK < record.size;
  } finally {
    await deactivate(core, BASE_HASH, { deferred: false });
  }
}
