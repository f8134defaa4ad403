import { type FileHandle, open } from 'node:fs/promises';
import { errnoOf, LayerStoreError } from '@x/archive';
import type { NativeCalls } from '@x/native';
import { deviceMapperError } from '../device-mapper/device-mapper-error.js';
import { parseSuperblock, SUPERBLOCK_BYTES, type Superblock } from './superblock.js';

/** Bytes of a block device. Reason `GetBlockSize`. */
export async function blockDeviceSize(
  calls: Pick<NativeCalls, 'blkGetSize64'>,
  device: string,
): Promise<number> {
  try {
    await using file = await open(device, 'r');
    return await calls.blkGetSize64(file.fd);
  } catch (error) {
    const errno = errnoOf(error);
    throw deviceMapperError(
      'GetBlockSize',
      `${device} is no block device that can be read (${errno ?? String(error)}): check the path`,
      { path: device, ...(errno === undefined ? {} : { errno }), cause: error },
    );
  }
}

/**
 * Tells the device that nothing on it is needed, and waits until that is written: else it may still be open to the kernel for
 * a moment (spec/drivers.md 2.16).
 */
export async function discardBlockDevice(
  calls: Pick<NativeCalls, 'blkGetSize64' | 'blkDiscard'>,
  device: string,
): Promise<void> {
  await using file = await open(device, 'r+');
  await calls.blkDiscard(file.fd, 0, await calls.blkGetSize64(file.fd));
  await file.sync();
}

/** The file system on a device. @throws DRIVER_FAILED when there is none that is known */
export async function readSuperblock(device: string): Promise<Superblock> {
  await using file = await open(device, 'r');
  const found = parseSuperblock(await readStart(file, SUPERBLOCK_BYTES));
  if (found !== undefined) return found;
  throw new LayerStoreError(
    'DRIVER_FAILED',
    `${device} has none of the file systems ext4, xfs and btrfs: it was never made, or the pool is damaged`,
    { driver: 'devicemapper', path: device },
  );
}

async function readStart(file: FileHandle, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}
