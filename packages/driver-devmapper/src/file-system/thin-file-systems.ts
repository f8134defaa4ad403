import type { FileSystemType } from '../options/options.js';

/** How to mount a thin device. */
export interface ThinMountOptions {
  readonly type: FileSystemType;
  /** `dm.mountopt` entries. */
  readonly mountOptions: readonly string[];
  /** SELinux context. */
  readonly mountLabel?: string;
  /** A read-only mount that does not replay the journal either. */
  readonly readOnly?: boolean;
  /** Value for xfs' retries after ENOSPC, written once it is mounted. */
  readonly xfsNospaceMaxRetries?: string;
}

/** File systems on block devices, by path of their node. One implementation runs programs, one simulates. */
export interface ThinFileSystems {
  /** xfs where kernel and host have it, else ext4; `reason` says why not xfs. */
  chooseDefault(): Promise<{ readonly type: FileSystemType; readonly reason?: string }>;
  /** Whether file systems of the type can be made here. DRIVER_PREREQUISITES: the program is missing. */
  requireMaker(type: FileSystemType): Promise<void>;
  /** mkfs with the arguments of spec/drivers.md 2.12. DRIVER_PREREQUISITES: the program is missing. */
  make(device: string, type: FileSystemType, mkfsArguments: readonly string[]): Promise<void>;
  /** The type on the device. DRIVER_FAILED when it is none that is known. */
  probe(device: string): Promise<FileSystemType | 'btrfs'>;
  /** Lower-case uuid of the file system. */
  uuid(device: string): Promise<string>;
  /** Bytes the file system takes of its device, as its superblock says. */
  size(device: string): Promise<number>;
  /** Makes the file system as large as its device; it is mounted at `mountPoint`. */
  grow(device: string, type: FileSystemType, mountPoint: string): Promise<void>;
  mount(device: string, mountPoint: string, options: ThinMountOptions): Promise<void>;
  /** Detaches; false: nothing was mounted there. */
  unmount(mountPoint: string): Promise<boolean>;
  /** Bytes of a block device. Reason `GetBlockSize`. */
  deviceSize(device: string): Promise<number>;
  /** Discards the whole device and waits until that is written. */
  discard(device: string): Promise<void>;
}
