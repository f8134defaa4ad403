import { isLayerStoreError, LayerStoreError } from '@x/archive';
import type { LvmHost } from './lvm-host.js';

/**
 * Whether a device may be made into a volume group (spec/drivers.md 2.19): it is a block device that LVM sees, no part of
 * another group, and without a file system unless `force`. @throws DRIVER_PREREQUISITES, DRIVER_BUSY
 */
export async function verifyDevice(host: LvmHost, device: string, force: boolean): Promise<void> {
  const path = await host.blockDevice(device);
  if (path === undefined) {
    throw unusable(
      'DRIVER_PREREQUISITES',
      `${device} is not a block device: correct dm.directlvm_device`,
      device,
    );
  }
  await assertSeenByLvm(host, [device, path]);
  const group = volumeGroupOf(await outputOf(host, 'pvdisplay', [device]));
  if (group !== undefined) {
    throw unusable(
      'DRIVER_BUSY',
      `${device} belongs to the volume group ${group} already: give another device`,
      device,
    );
  }
  if (force) return;
  const type = signatureOf(await outputOf(host, 'blkid', [device]));
  if (type === undefined) return;
  throw unusable(
    'DRIVER_BUSY',
    `${device} has ${type} on it: give another device, or dm.directlvm_device_force=true to overwrite it`,
    device,
  );
}

/** The group that `pvdisplay` names; undefined: none, or no physical volume at all. */
export function volumeGroupOf(pvdisplay: string): string | undefined {
  for (const line of pvdisplay.split('\n')) {
    const name = /^\s*VG Name\s+(\S+)/.exec(line)?.[1];
    if (name !== undefined) return name;
  }
  return undefined;
}

/** What `blkid` says is on a device. */
export function signatureOf(blkid: string): string | undefined {
  return /(?:^|\s)TYPE="([^"]*)"/.exec(blkid)?.[1];
}

/** Whether `lvmdiskscan` lists a device under one of its paths, as a whole word. */
export function listsDevice(lvmdiskscan: string, paths: readonly string[]): boolean {
  const words = new Set(lvmdiskscan.split(/\s+/));
  return paths.some((path) => words.has(path));
}

/** LVM may be told to leave devices alone. Where its scan cannot be run, pvcreate will say. */
async function assertSeenByLvm(host: LvmHost, paths: readonly [string, string]): Promise<void> {
  const scan = await outputOf(host, 'lvmdiskscan', []);
  if (scan === '' || listsDevice(scan, paths)) return;
  const [device] = paths;
  throw unusable(
    'DRIVER_PREREQUISITES',
    `LVM does not see ${device}: look at the filters in /etc/lvm/lvm.conf, or correct dm.directlvm_device`,
    device,
  );
}

/** Empty when the program is missing or fails: both mean that it has nothing to say of the device. */
async function outputOf(host: LvmHost, program: string, args: readonly string[]): Promise<string> {
  try {
    return (await host.run(program, args)).stdout.toString();
  } catch (error) {
    if (isLayerStoreError(error, 'DRIVER_FAILED') || isLayerStoreError(error, 'DRIVER_PREREQUISITES'))
      return '';
    throw error;
  }
}

function unusable(
  code: 'DRIVER_PREREQUISITES' | 'DRIVER_BUSY',
  message: string,
  path: string,
): LayerStoreError {
  return new LayerStoreError(code, message, {
    driver: 'devicemapper',
    path,
    option: 'dm.directlvm_device',
  });
}
