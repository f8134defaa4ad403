import { mkdtemp, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { step } from '../failpoints.js';
import type { DeviceRecord } from '../metadata/device-record.js';
import { activate, deactivate } from './activation.js';
import type { DeviceSetCore } from './device-set-core.js';
import { mountableType, mountOptions, releaseMount } from './mount-device.js';

/**
 * Makes the file system of a device as large as its record says (spec/drivers.md 2.20): the device is made visible with that
 * length, mounted at a place of its own, grown, and taken away again. Doing it twice is harmless. The caller holds the lock.
 */
export async function growFileSystem(core: DeviceSetCore, hash: string, record: DeviceRecord): Promise<void> {
  // An active device has the length it was made with.
  await deactivate(core, hash, { deferred: false });
  const device = await activate(core, hash, record);
  try {
    const mountPoint = await mkdtemp(join(core.home, '.grow-'));
    try {
      const type = await mountableType(core, device);
      await core.host.fileSystems.mount(device, mountPoint, mountOptions(core, type));
      await step('grow.file-system', () => core.host.fileSystems.grow(device, type, mountPoint));
    } finally {
      await releaseMount(core, mountPoint);
      await rmdir(mountPoint).catch(() => undefined);
    }
  } finally {
    await deactivate(core, hash);
  }
}

/** Grows the base device; layers made from now on inherit it. Smaller is refused by the caller. */
export async function growBase(core: DeviceSetCore, record: DeviceRecord, size: number): Promise<void> {
  const grown = { ...record, size };
  await step('grow.metafile', () => core.table.update('', grown));
  await growFileSystem(core, '', grown);
}
