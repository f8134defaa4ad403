import { LayerStoreError } from '@x/archive';
import { loadNative } from '@x/native';

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;

/** What fixtures need of the kernel and Node does not have. */
export interface KernelCalls {
  mknod(path: Buffer, mode: number, major: number, minor: number): Promise<void>;
  /** Leaves the access time alone and does not follow a symbolic link. */
  setModificationTime(path: Buffer, nanoseconds: bigint): Promise<void>;
  setXattr(path: Buffer, name: string, value: string | Uint8Array): Promise<void>;
  /** undefined when there is no such attribute. */
  getXattr(path: Buffer, name: string): Promise<Buffer | undefined>;
  removeXattr(path: Buffer, name: string): Promise<boolean>;
}

/** Throws NATIVE_UNAVAILABLE; checks that come here say `needs: ['native']`. */
export function kernel(): KernelCalls {
  const native = loadNative();
  if (!native.available) throw new LayerStoreError('NATIVE_UNAVAILABLE', native.reason);
  const { calls } = native;
  return {
    mknod: (path, mode, major, minor) => calls.mknodat(AT_FDCWD, path, mode, major, minor),
    setModificationTime: (path, nanoseconds) =>
      calls.utimensat(AT_FDCWD, path, undefined, nanoseconds, AT_SYMLINK_NOFOLLOW),
    setXattr: (path, name, value) => calls.lsetxattr(path, name, value),
    getXattr: (path, name) => calls.lgetxattr(path, name),
    removeXattr: (path, name) => calls.lremovexattr(path, name),
  };
}
