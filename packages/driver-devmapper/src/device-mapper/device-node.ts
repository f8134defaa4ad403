import { stat } from 'node:fs/promises';
import { errnoOf } from '@x/archive';
import { AT_FDCWD, type NativeCalls } from '@x/native';
import type { DeviceInfo } from './device-mapper.js';
import { deviceMapperError } from './device-mapper-error.js';

const S_IFBLK = 0o060000;

/**
 * Path of a node for a device: `/dev/dm-N`, which devtmpfs makes before the ioctl that creates the device returns. On a /dev
 * that is no devtmpfs (a container's) it is made here. No udev, no /dev/mapper (spec/drivers.md 2.24).
 */
export async function deviceNode(
  calls: Pick<NativeCalls, 'mknodatSync' | 'fstatatSync'>,
  info: DeviceInfo,
  directory = '/dev',
): Promise<string> {
  const path = `${directory}/dm-${info.minor}`;
  if (await isMissing(path)) {
    try {
      calls.mknodatSync(AT_FDCWD, path, S_IFBLK | 0o600, info.major, info.minor);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
  }
  const found = calls.fstatatSync(AT_FDCWD, path, 0);
  const isDevice = (found.mode & 0o170000) === S_IFBLK;
  if (isDevice && found.rdevMajor === info.major && found.rdevMinor === info.minor) return path;
  throw deviceMapperError(
    'TaskRun',
    `${path} is not the block device ${info.major}:${info.minor} of ${info.name}; remove it`,
    { path, name: info.name },
  );
}

async function isMissing(path: string): Promise<boolean> {
  try {
    await stat(path);
    return false;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return true;
    throw error;
  }
}
