import { mkdir, mkdtemp } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { step } from '../failpoints.js';
import type { DeviceRecord } from '../metadata/device-record.js';
import { activate, deactivate } from './activation.js';
import type { DeviceSetCore } from './device-set-core.js';
import { mountableType, mountOptions, releaseMount } from './mount-device.js';
import { mountDirectory, mountPoints } from './mount-points.js';

/** Names of mount points that no layer has. */
const GROWING = '.grow-';

/**
 * Makes the file system of a device as large as its record says (spec/drivers.md 2.20): the device is made visible with that
 * length, mounted at a place of its own, grown, and taken away again. Doing it twice is harmless. The caller holds the lock.
 */
export async function growFileSystem(core: DeviceSetCore, hash: string, record: DeviceRecord): Promise<void> {
  // An active device has the length it was made with.
  await deactivate(core, hash, { deferred: false });
  const device = await activate(core, hash, record);
  try {
    await mkdir(mountDirectory(core.home), { recursive: true, mode: 0o755 });
    const mountPoint = await mkdtemp(join(mountDirectory(core.home), GROWING));
    try {
      const type = await mountableType(core, device);
      await core.host.fileSystems.mount(device, mountPoint, mountOptions(core, type));
      await step('grow.file-system', () => core.host.fileSystems.grow(device, type, mountPoint));
    } finally {
      await releaseMount(core, mountPoint);
    }
  } finally {
    await deactivate(core, hash);
  }
}

/** Ends the mounts of a process that died while it made a file system grow. */
export async function releaseGrowingMounts(core: DeviceSetCore): Promise<void> {
  for (const mountPoint of await mountPoints(core.home)) {
    if (basename(mountPoint).startsWith(GROWING)) await releaseMount(core, mountPoint);
  }
}

/** Grows the base device; layers made from now on inherit it. Smaller is refused by the caller. */
export async function growBase(core: DeviceSetCore, record: DeviceRecord, size: number): Promise<void> {
  const grown = { ...record, size };
  await step('grow.metafile', () => core.table.update('', grown));
  await growFileSystem(core, '', grown);
}
