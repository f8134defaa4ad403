/**
 * The remaining functions of Docker's package (seed 002, spec/drivers.md 2.27), under their names, for programs ported from it.
 * The driver itself does not use them.
 */
import { type FileHandle, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { NativeCalls } from '@x/native';
import { blockDeviceSize, discardBlockDevice, readSuperblock } from '../file-system/block-device-io.js';
import { KernelLoopDevices } from '../loop/kernel-loop-devices.js';
import type { DeviceMapper } from './device-mapper.js';
import { deviceMapperError } from './device-mapper-error.js';
import { requireNative } from './native-calls.js';
import { removeDevice as removeWithRetries } from './thin-devices.js';

const calls = (): NativeCalls => requireNative('this');

/** Discards the whole of a block device. */
export function blockDeviceDiscard(path: string): Promise<void> {
  return discardBlockDevice(calls(), path);
}

/** Bytes of a block device. Reason `GetBlockSize`. */
export function getBlockDeviceSize(path: string): Promise<number> {
  return blockDeviceSize(calls(), path);
}

/** The loop device that a file is attached to; undefined: none. */
export function findLoopDeviceFor(path: string): Promise<string | undefined> {
  return new KernelLoopDevices().find(path);
}

/** Makes a loop device take over the size of its file. Reason `LoopbackSetCapacity`. */
export function loopbackSetCapacity(loopDevice: string): Promise<void> {
  return new KernelLoopDevices().updateCapacity(loopDevice);
}

/** Device and inode numbers of the file behind an open loop device. Reason `GetLoopbackBackingFile`. */
export async function getLoopbackBackingFile(
  loop: Pick<FileHandle, 'fd'>,
): Promise<{ readonly device: bigint; readonly inode: bigint }> {
  try {
    const { device, inode } = await calls().loopGetStatus64(loop.fd);
    return { device, inode };
  } catch (error) {
    throw deviceMapperError('GetLoopbackBackingFile', 'the descriptor is no attached loop device', {
      cause: error,
    });
  }
}

/** Whether something is mounted at a directory, judged by its device number being another than its parent's. */
export async function mounted(mountPoint: string): Promise<boolean> {
  const { dev } = await stat(mountPoint, { bigint: true });
  const parent = await stat(join(mountPoint, '..'), { bigint: true });
  return dev !== parent.dev;
}

/** `ext4`, `xfs` or `btrfs`, by the magic on the device. */
export async function probeFsType(device: string): Promise<string> {
  return (await readSuperblock(device)).type;
}

/** Removes a device, going on while it is busy. Reason `RunRemoveDevice` when that does not help. */
export async function removeDevice(deviceMapper: DeviceMapper, name: string): Promise<void> {
  try {
    await removeWithRetries(deviceMapper, name);
  } catch (error) {
    throw deviceMapperError('RunRemoveDevice', `${name} cannot be removed`, { name, cause: error });
  }
}

/** What stands in for libdevmapper. Reason `GetLibraryVersion` never occurs. */
export function getLibraryVersion(): string {
  return 'none (raw ioctls, interface 4.0.0)';
}

/** Nodes are looked for in /dev, whatever the library was told. Reason `SetDevDir` for anything else. */
export function setDevDir(directory: string): void {
  if (join(directory, '/') === '/dev/') return;
  throw deviceMapperError('SetDevDir', `device nodes are in /dev, not in ${JSON.stringify(directory)}`, {
    path: directory,
  });
}

/** Nothing is ever waited for: see `Task.setCookie`. Reason `UdevWait` for a cookie of another library. */
export function udevWait(cookie: { readonly value: number }): Promise<void> {
  if (cookie.value === 0) return Promise.resolve();
  return Promise.reject(deviceMapperError('UdevWait', `nothing is known of the udev cookie ${cookie.value}`));
}
