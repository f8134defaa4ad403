import { closeSync } from 'node:fs';
import { LayerStoreError } from '@x/archive';
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  MOUNT_ATTR_RDONLY,
  MOVE_MOUNT_F_EMPTY_PATH,
  MS_BIND,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REMOUNT,
  type NativeCalls,
  native,
  OPEN_TREE_CLONE,
} from '@x/native';

const OPEN_TREE_CLOEXEC = 0o2000000;

/**
 * Shows `tree` at the empty directory `target` for reading only, whoever looks: files in it are shared with other layers, and
 * root is not stopped by modes.
 * @throws NATIVE_UNAVAILABLE, or what the calls throw
 */
export async function mountReadOnly(tree: string, target: string): Promise<void> {
  if (!native.available) {
    throw new LayerStoreError(
      'NATIVE_UNAVAILABLE',
      `${tree} cannot be shown read-only, and it shares files with other layers: ${native.reason}`,
      { path: tree },
    );
  }
  const { calls, features } = native;
  if (features.fsopen && features.mountSetattr) attachReadOnly(calls, tree, target);
  else await bindReadOnly(calls, tree, target);
}

/** Never visible for writing: the mount is made read-only before it is attached. */
function attachReadOnly(calls: NativeCalls, tree: string, target: string): void {
  const mount = calls.openTreeSync(AT_FDCWD, tree, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  try {
    calls.mountSetattrSync(mount, '', AT_EMPTY_PATH, { set: MOUNT_ATTR_RDONLY, propagation: MS_PRIVATE });
    calls.moveMountSync(mount, '', AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH);
  } finally {
    closeSync(mount);
  }
}

/** Kernels before 5.12 ignore MS_RDONLY of a bind: it takes a second call. */
export async function bindReadOnly(calls: NativeCalls, tree: string, target: string): Promise<void> {
  await calls.mount(tree, target, undefined, MS_BIND);
  try {
    await calls.mount(undefined, target, undefined, MS_REMOUNT | MS_BIND | MS_RDONLY);
  } catch (error) {
    await calls.umount2(target, 0);
    throw error;
  }
}
