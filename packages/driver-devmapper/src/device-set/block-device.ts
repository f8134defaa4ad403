import { readFile, stat } from 'node:fs/promises';
import type { DeviceNumber } from '../device-mapper/device-mapper.js';
import { deviceMapperError } from '../device-mapper/device-mapper-error.js';

/** Number of the block device at a path (spec/drivers.md 2.26 has the coding of st_rdev). Reason `GetBlockSize` for anything else. */
export async function blockDeviceNumber(path: string): Promise<DeviceNumber> {
  const stats = await stat(path, { bigint: true });
  if (!stats.isBlockDevice()) throw deviceMapperError('GetBlockSize', `${path} is no block device`, { path });
  const { rdev } = stats;
  return {
    major: Number((rdev >> 8n) & 0xfffn),
    minor: Number((rdev & 0xffn) | ((rdev >> 12n) & 0xfff00n)),
  };
}

/** Node of a block device by number, `7:1` → `/dev/loop1`, as the kernel itself names it: udev is not needed. */
export async function blockDevicePath(number: string): Promise<string> {
  const uevent = await readFile(`/sys/dev/block/${number}/uevent`, 'utf8');
  const name = /^DEVNAME=(.+)$/m.exec(uevent)?.[1];
  if (name !== undefined) return `/dev/${name}`;
  throw deviceMapperError('GetBlockSize', `the kernel has no name for block device ${number}`, {
    name: number,
  });
}
