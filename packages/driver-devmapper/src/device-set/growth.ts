import { mkdir, mkdtemp } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { step } from '../failpoints.js';
import type { DeviceRecord } from '../metadata/device-record.js';
import type { FileSystemType } from '../options/options.js';
import { activate, deactivate } from './activation.js';
import type { DeviceSetCore } from './device-set-core.js';
import { mountableType, mountOptions, releaseMount } from './mount-device.js';
import { mountDirectory, mountPoints } from './mount-points.js';

/** Names of mount points that no layer has. */
const PRIVATE = '.private-';

/**
 * Makes the file system of a device as large as its record says (spec/drivers.md 2.20): the device is made visible with that
 * length, mounted at a place of its own, grown, and taken away again. Doing it twice is harmless. The caller holds the lock.
 */
export async function growFileSystem(core: DeviceSetCore, hash: string, record: DeviceRecord): Promise<void> {
  // An active device has the length it was made with.
  await deactivate(core, hash, { deferred: false });
  const device = await activate(core, hash, record);
  try {
    await withPrivateMount(core, device, (mountPoint, type) =>
      step('grow.file-system', () => core.host.fileSystems.grow(device, type, mountPoint)),
    );
  } finally {
    await deactivate(core, hash);
  }
}

/** Mounts an active device where no layer is mounted, for as long as `use` runs. */
export async function withPrivateMount(
  core: DeviceSetCore,
  device: string,
  use: (mountPoint: string, type: FileSystemType) => Promise<void>,
): Promise<void> {
  await mkdir(mountDirectory(core.home), { recursive: true, mode: 0o755 });
  const mountPoint = await mkdtemp(join(mountDirectory(core.home), PRIVATE));
  try {
    const type = await mountableType(core, device);
    await core.host.fileSystems.mount(device, mountPoint, mountOptions(core, type));
    await use(mountPoint, type);
  } finally {
    await releaseMount(core, mountPoint);
  }
}

/** Ends the mounts of a process that died within {@link withPrivateMount}. */
export async function releasePrivateMounts(core: DeviceSetCore): Promise<void> {
  for (const mountPoint of await mountPoints(core.home)) {
    if (basename(mountPoint).startsWith(PRIVATE)) await releaseMount(core, mountPoint);
  }
}

/** Grows the base device; layers made from now on inherit it. Smaller is refused by the caller. */
export async function growBase(core: DeviceSetCore, record: DeviceRecord, size: number): Promise<void> {
  const grown = { ...record, size };
  await step('grow.metafile', () => core.table.update('', grown));
  await growFileSystem(core, '', grown);
}
