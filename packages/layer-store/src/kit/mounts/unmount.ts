import { errnoOf, LayerStoreError } from '@x/archive';
import { MNT_DETACH, native, UMOUNT_NOFOLLOW } from '@x/native';
import { mountsBelow, readMountInfo } from './mount-info.js';

/** How {@link unmount} deals with a mount that is in use. */
export interface UnmountOptions {
  /** Take it out of the tree now and let the kernel end it with its last user (MNT_DETACH), instead of DRIVER_BUSY. */
  readonly lazy?: boolean;
}

/**
 * Unmounts what is on top at `path`; false when that is no mount point, or is not there. Never follows a symbolic link.
 * @throws DRIVER_BUSY when it is in use, DRIVER_FAILED, NATIVE_UNAVAILABLE
 */
export async function unmount(path: string, options: UnmountOptions = {}): Promise<boolean> {
  if (!native.available) {
    throw new LayerStoreError('NATIVE_UNAVAILABLE', `cannot unmount ${path}: ${native.reason}`, { path });
  }
  try {
    await native.calls.umount2(path, UMOUNT_NOFOLLOW | (options.lazy === true ? MNT_DETACH : 0));
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EINVAL' || errno === 'ENOENT') return false;
    throw errno === 'EBUSY'
      ? new LayerStoreError(
          'DRIVER_BUSY',
          `${path} is in use and cannot be unmounted: end what uses it first`,
          {
            path,
            errno,
            syscall: 'umount2',
            cause: error,
          },
        )
      : new LayerStoreError('DRIVER_FAILED', `${path} cannot be unmounted`, {
          path,
          syscall: 'umount2',
          ...(errno === undefined ? {} : { errno }),
          cause: error,
        });
  }
}

/** Detaches everything mounted on `directory` or below it. Goes on after a failure and throws the last one. */
export async function unmountBelow(directory: string): Promise<void> {
  let failure: { readonly error: unknown } | undefined;
  for (const { mountPoint } of mountsBelow(await readMountInfo(), directory)) {
    try {
      await unmount(mountPoint, { lazy: true });
    } catch (error) {
      failure = { error };
    }
  }
  if (failure !== undefined) throw failure.error;
}

/** Whether something is mounted exactly at `path`, as mountinfo spells it. */
export async function isMountPoint(path: string): Promise<boolean> {
  return (await readMountInfo()).some(({ mountPoint }) => mountPoint === path);
}
