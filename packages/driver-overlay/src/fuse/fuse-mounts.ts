import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf, LayerStoreError } from '@x/archive';
import {
  findSystemProgram,
  type MountEntry,
  readMountInfo,
  runProgram,
  unmount as unmountKernel,
} from '@x/layer-store/driver-kit';
import { native } from '@x/native';

/** Helpers that end a FUSE mount for the user who made it, the newer first. */
const HELPERS = ['fusermount3', 'fusermount'];

/** Whether an entry of the mount table is served by a program. */
export function isFuse({ fsType }: MountEntry): boolean {
  return fsType === 'fuse' || fsType.startsWith('fuse.');
}

/**
 * A mount point as the mount table spells it. Only what is above it is looked at: the mount itself may belong to a program
 * that is dead.
 */
export async function mountPointName(target: string): Promise<string> {
  return join(await realpath(dirname(target)), basename(target));
}

/** Whether a program's mount is at `point`, which is spelt as in the mount table. */
export async function isFuseMount(point: string): Promise<boolean> {
  const top = (await readMountInfo()).findLast(({ mountPoint }) => mountPoint === point);
  return top !== undefined && isFuse(top);
}

/**
 * Ends what is mounted at `point`: umount2(2), or where that takes a privilege we lack the set-user-id helper of FUSE. False: there is
 * no mount.
 * @throws DRIVER_BUSY while it is in use, unless `lazy`; DRIVER_FAILED; DRIVER_PREREQUISITES without the helper
 */
export async function unmountFuse(point: string, { lazy }: { readonly lazy: boolean }): Promise<boolean> {
  if (!(await readMountInfo()).some(({ mountPoint }) => mountPoint === point)) return false;
  if (native.available) {
    try {
      return await unmountKernel(point, { lazy });
    } catch (error) {
      if (errnoOf(error) !== 'EPERM') throw error;
    }
  }
  await unmountByHelper(point, lazy);
  return true;
}

async function unmountByHelper(point: string, lazy: boolean): Promise<void> {
  const helper = await findHelper();
  try {
    await runProgram(helper, lazy ? ['-u', '-z', '--', point] : ['-u', '--', point]);
  } catch (error) {
    if (!String(error).includes('resource busy')) throw error;
    throw new LayerStoreError(
      'DRIVER_BUSY',
      `${point} is in use and cannot be unmounted: end what uses it first`,
      { path: point, errno: 'EBUSY', syscall: 'umount2', cause: error },
    );
  }
}

async function findHelper(): Promise<string> {
  for (const name of HELPERS) {
    const found = await findSystemProgram(name);
    if (found !== undefined) return found;
  }
  throw new LayerStoreError(
    'DRIVER_PREREQUISITES',
    'unmounting without privilege takes fusermount3, which is not here: install it (Debian package fuse3)',
    { name: 'fusermount3' },
  );
}
