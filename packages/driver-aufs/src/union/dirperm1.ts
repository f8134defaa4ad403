import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '@x/archive';
import type { AufsKernel } from '../kernel/aufs-kernel.js';
import { planMount } from '../mount/plan-mount.js';
import { unmountUnion } from './unmount-union.js';
import { xinoFor } from './xino.js';

const ATTEMPTS = 3;
const DELAY = 20;

/** Undefined: aufs could not be mounted with it nor without it, which says nothing. */
export type Dirperm1 = boolean | undefined;

/**
 * Whether this aufs knows `dirperm1`, found out by a union of one scratch directory: an option that aufs does not know is
 * EINVAL, and so is a race with another mount; only a mount that works without it tells the two apart.
 *
 * @param scratch where a directory may be made, with the beginning of its name
 */
export async function detectDirperm1(
  kernel: AufsKernel,
  scratch: string,
  xinoBase: string,
  maxOptions: number,
): Promise<Dirperm1> {
  const directory = await mkdtemp(scratch);
  const target = join(directory, 'union');
  const branch = join(directory, 'branch');
  const xino = xinoFor(xinoBase, target);
  const mounts = async (dirperm1: boolean): Promise<boolean> => {
    const [call] = planMount(
      { branches: [{ path: branch, permission: 'rw' }], xino, dirperm1 },
      { pageSize: kernel.pageSize, maxOptions },
    );
    if (call === undefined) return false;
    for (let attempt = 1; ; attempt++) {
      try {
        await rm(xino, { force: true });
        await kernel.mount(target, call.data);
      } catch (error) {
        if (errnoOf(error) !== 'EINVAL' && errnoOf(error) !== 'EEXIST') throw error;
        if (attempt === ATTEMPTS) return false;
        await kernel.wait(DELAY);
        continue;
      }
      await unmountUnion(kernel, target, () => {});
      return true;
    }
  };
  try {
    await mkdir(branch);
    await mkdir(target);
    if (await mounts(true)) return true;
    return (await mounts(false)) ? false : undefined;
  } finally {
    await rm(xino, { force: true });
    await rm(directory, { recursive: true, force: true });
  }
}
