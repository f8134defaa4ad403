import { access, constants, stat } from 'node:fs/promises';
import { isLayerStoreError } from '@x/archive';
import type { ProbeResult } from '@x/layer-store';
import { fileSystemOf, findSystemProgram, nearestExisting, runProgram } from '@x/layer-store/driver-kit';
import { IoctlDeviceMapper } from './device-mapper/ioctl-device-mapper.js';

type Refusal = Extract<ProbeResult, { readonly supported: false }>;

const THIN_POOL = 'thin-pool';

/**
 * Whether the driver can run here: device mapper and thin pools in the kernel, a program that makes file systems, a home that
 * loop files may lie on. Names what is missing and how to get it. Makes nothing, never throws.
 */
export async function probeDevmapper(home: string): Promise<ProbeResult> {
  try {
    const refusal = (await refusalOfKernel()) ?? (await refusalOfPrograms()) ?? (await refusalOfHome(home));
    return refusal ?? { supported: true, warnings: await warnings() };
  } catch (error) {
    return refuse(
      'DRIVER_FAILED',
      `whether the driver can run at "${home}" cannot be found out: ${String(error)}`,
      'choose a home you may write to',
    );
  }
}

async function refusalOfKernel(): Promise<Refusal | undefined> {
  let deviceMapper: IoctlDeviceMapper;
  try {
    deviceMapper = await IoctlDeviceMapper.open();
  } catch (error) {
    if (isLayerStoreError(error, 'NATIVE_UNAVAILABLE')) {
      return refuse('DRIVER_NOT_SUPPORTED', error.message, 'install @x/native for this platform');
    }
    return refuse(
      'DRIVER_NOT_SUPPORTED',
      isLayerStoreError(error) ? error.message : String(error),
      'it takes root and a kernel that has it',
    );
  }
  try {
    const known = await deviceMapper.listVersions();
    if (known.some(({ type }) => type === THIN_POOL) || (await canLoad('dm_thin_pool'))) return undefined;
    return refuse(
      'DRIVER_NOT_SUPPORTED',
      'the kernel has a device mapper but no thin pools',
      'load the module dm_thin_pool (modprobe dm_thin_pool), or install the package of kernel modules that has it',
    );
  } finally {
    await deviceMapper.close();
  }
}

/** The kernel loads the module by itself when the first pool is made, if modprobe finds it. */
async function canLoad(module: string): Promise<boolean> {
  if ((await findSystemProgram('modprobe')) === undefined) return false;
  return runProgram('modprobe', ['--dry-run', '--quiet', module]).then(
    () => true,
    () => false,
  );
}

async function refusalOfPrograms(): Promise<Refusal | undefined> {
  for (const program of ['mkfs.ext4', 'mkfs.xfs']) {
    if ((await findSystemProgram(program)) !== undefined) return undefined;
  }
  return refuse(
    'DRIVER_PREREQUISITES',
    'neither mkfs.ext4 nor mkfs.xfs is installed',
    'install e2fsprogs or xfsprogs',
  );
}

async function refusalOfHome(home: string): Promise<Refusal | undefined> {
  const place = await nearestExisting(home);
  if (!(await stat(place)).isDirectory()) {
    return refuse('DRIVER_PREREQUISITES', `"${place}" is not a directory`, 'choose another home');
  }
  await access(place, constants.W_OK | constants.X_OK);
  const { name } = await fileSystemOf(place);
  if (name !== 'aufs') return undefined;
  return refuse(
    'DRIVER_INCOMPATIBLE_FS',
    `"${home}" is on ${name}, which loop files do not work on`,
    'choose a home on ext4, xfs or another plain file system',
  );
}

async function warnings(): Promise<string[]> {
  const found: string[] = [];
  if (!(await isThere('/dev/loop-control'))) {
    found.push(
      'there are no loop devices (modprobe loop): give block devices with dm.datadev and dm.metadatadev',
    );
  }
  if ((await findSystemProgram('thin_dump')) === undefined) {
    found.push(
      'thin_dump is missing (thin-provisioning-tools): after a crash, devices that are not provably our own stay in the pool',
    );
  }
  return found;
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function refuse(code: Refusal['code'], reason: string, remedy: string): Refusal {
  return { supported: false, code, reason, remedy };
}
