import type { DeviceInfo } from '../device-mapper/device-mapper.js';
import { deviceMapperReason } from '../device-mapper/device-mapper-error.js';
import { removeDevice, removeDeviceDeferred } from '../device-mapper/thin-devices.js';
import { tombstoneHash } from '../metadata/file-names.js';
import { attempts } from './activation.js';
import type { DeviceSetCore } from './device-set-core.js';

/** Tries at a device that is to go while something may still have it open: 2 seconds. */
const ATTEMPTS = 20;

/**
 * Tidies up after a process that died: an active device that nothing has open goes, one whose layer is deleted gets the name of
 * its tombstone, so that the layer's id can be used again.
 */
export async function tidyActiveDevices(core: DeviceSetCore): Promise<void> {
  for (const { info, deviceId } of await activeDevices(core)) {
    const tombstone = deviceId === undefined ? undefined : tombstoneHash(deviceId);
    if (info.openCount === 0)
      await removeDevice(core.host.deviceMapper, info.name, attempts(core.host, ATTEMPTS));
    else if (tombstone !== undefined && core.table.get(tombstone) !== undefined) {
      await renameTo(core, info.name, core.names.of(tombstone));
    }
  }
}

/** Whether something has a device of this home open: a mount, here or in another namespace. */
export async function anythingOpen(core: DeviceSetCore): Promise<boolean> {
  return (await activeDevices(core)).some(({ info }) => info.openCount > 0);
}

/** Takes every device of this home away that can be; gives the names of those that are open elsewhere. */
export async function removeActiveDevices(core: DeviceSetCore): Promise<string[]> {
  const { deviceMapper } = core.host;
  const kept: string[] = [];
  for (const { info } of await activeDevices(core)) {
    try {
      if (core.options.deferredRemoval) {
        if ((await removeDeviceDeferred(deviceMapper, info.name)) === 'deferred') kept.push(info.name);
      } else await removeDevice(deviceMapper, info.name, attempts(core.host, ATTEMPTS));
    } catch (error) {
      if (deviceMapperReason(error) !== 'Busy') throw error;
      kept.push(info.name);
    }
  }
  return kept;
}

async function activeDevices(
  core: DeviceSetCore,
): Promise<{ readonly info: DeviceInfo; readonly deviceId: number | undefined }[]> {
  const { deviceMapper } = core.host;
  const found: { readonly info: DeviceInfo; readonly deviceId: number | undefined }[] = [];
  for (const { name } of await deviceMapper.list()) {
    if (!core.names.owns(name)) continue;
    const info = await deviceMapper.info(name);
    if (info === undefined) continue;
    const [target] = info.liveTable ? await deviceMapper.tableStatus(name) : [];
    // `<pool> <device id>[ <external origin>]`
    const id = target?.type === 'thin' ? Number(target.params.split(' ')[1]) : Number.NaN;
    found.push({ info, deviceId: Number.isInteger(id) ? id : undefined });
  }
  return found;
}

async function renameTo(core: DeviceSetCore, name: string, newName: string): Promise<void> {
  if (name === newName) return;
  try {
    await core.host.deviceMapper.rename(name, newName);
  } catch (error) {
    if (deviceMapperReason(error) !== 'Enxio') throw error;
  }
}
