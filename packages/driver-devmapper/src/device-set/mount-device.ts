import { mkdir, rmdir } from 'node:fs/promises';
import { LayerStoreError } from '@x/archive';
import type { ThinMountOptions } from '../file-system/thin-file-systems.js';
import type { FileSystemType } from '../options/options.js';
import { activate, deactivate } from './activation.js';
import type { DeviceSetCore } from './device-set-core.js';

const MOUNT_POINT_MODE = 0o755;

/** Makes the device visible and mounts it (spec/drivers.md 2.14); a failure takes both back. DRIVER_ID_UNKNOWN. */
export function mountDevice(
  core: DeviceSetCore,
  hash: string,
  mountPoint: string,
  options: { readonly mountLabel?: string } = {},
): Promise<void> {
  return core.locks.withDevice(hash, async () => {
    const record = await core.table.find(hash);
    if (record === undefined || record.deleted) {
      throw new LayerStoreError('DRIVER_ID_UNKNOWN', `the devicemapper driver has no device ${hash}`, {
        driver: 'devicemapper',
        cacheId: hash,
      });
    }
    const device = await activate(core, hash, record);
    try {
      await mkdir(mountPoint, { recursive: true, mode: MOUNT_POINT_MODE });
      const type = await mountableType(core, device);
      await core.host.fileSystems.mount(device, mountPoint, mountOptions(core, type, options.mountLabel));
    } catch (error) {
      await deactivate(core, hash).catch((failure: unknown) => core.warn(String(failure)));
      throw error;
    }
  });
}

/** Unmounts and takes the device away. What is not mounted is fine; see {@link releaseMount}. */
export function unmountDevice(core: DeviceSetCore, hash: string, mountPoint: string): Promise<void> {
  return core.locks.withDevice(hash, async () => {
    await releaseMount(core, mountPoint);
    await deactivate(core, hash);
  });
}

/**
 * Detaches, then removes the mount point: since Linux 3.18 that takes away the copies of the mount in other mount
 * namespaces, which would keep the device open (spec/drivers.md 2.14). A directory with something in it was not a mount point,
 * or the mount is still there; it stays.
 */
export async function releaseMount(core: DeviceSetCore, mountPoint: string): Promise<void> {
  await core.host.fileSystems.unmount(mountPoint);
  await rmdir(mountPoint).catch(() => undefined);
}

/** How everything of this set is mounted; `nouuid` where snapshots share it is the file system's own business. */
export function mountOptions(
  core: DeviceSetCore,
  type: FileSystemType,
  mountLabel?: string,
): ThinMountOptions {
  const { mountOptions: own, xfsNospaceMaxRetries } = core.options;
  return {
    type,
    mountOptions: own,
    ...(mountLabel === undefined ? {} : { mountLabel }),
    ...(xfsNospaceMaxRetries === undefined ? {} : { xfsNospaceMaxRetries }),
  };
}

/** What is on the device. DRIVER_INCOMPATIBLE_FS when it is nothing this driver makes. */
export async function mountableType(core: DeviceSetCore, device: string): Promise<FileSystemType> {
  const type = await core.host.fileSystems.probe(device);
  if (type !== 'btrfs') return type;
  throw new LayerStoreError(
    'DRIVER_INCOMPATIBLE_FS',
    `${device} carries ${type}: the driver mounts ext4 and xfs only`,
    { driver: 'devicemapper', path: device },
  );
}
