import { chmod, chown, readdir, rm } from 'node:fs/promises';
import { errnoOf } from '@x/archive';
import { MS_BIND, type NativeCalls, native, UMOUNT_NOFOLLOW } from '@x/native';
import { ErrnoError } from './model-failure.js';

/**
 * The merged directory is mounted on itself where that is possible, so that it is in the table of mounts, outlives its process, and
 * cannot be taken away from under somebody: as a union.
 */
export async function attachMerged(target: string): Promise<void> {
  if (canMount()) await calls().mount(target, target, undefined, MS_BIND);
}

/** @throws EBUSY */
export async function detachMerged(target: string): Promise<void> {
  if (!canMount()) return;
  try {
    await calls().umount2(target, UMOUNT_NOFOLLOW);
  } catch (error) {
    // After a restart of the machine, say, only the model's own file knows of the union.
    if (errnoOf(error) !== 'EINVAL') throw error;
  }
}

function canMount(): boolean {
  return native.available && process.geteuid?.() === 0;
}

function calls(): NativeCalls {
  if (native.available) return native.calls;
  throw new ErrnoError('ENOSYS', 'mount', '', native.reason);
}

/** Takes everything out of a directory, and makes it one of the given mode. */
export async function emptyMountPoint(target: string, mode: number): Promise<void> {
  const base = Buffer.from(`${target}/`);
  for (const name of await readdir(target, { encoding: 'buffer' })) {
    await rm(Buffer.concat([base, name]), { recursive: true, force: true });
  }
  await chmod(target, mode);
  await chown(target, process.geteuid?.() ?? 0, process.getegid?.() ?? 0);
}
