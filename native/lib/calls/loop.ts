import type { PathLike } from '../types.js';

/** How a file becomes a loop device (`struct loop_info64`). */
export interface LoopSettings {
  /** Where in the file the device begins, in bytes. */
  readonly offset?: number | bigint;
  /** Bytes; 0 or missing: to the end of the file. */
  readonly sizeLimit?: number | bigint;
  /** LO_FLAGS_*. */
  readonly flags?: number;
  /** A note that `losetup` shows, by convention the path of the file; cut to 63 bytes. */
  readonly fileName?: PathLike;
}

/** What a loop device says of its file. */
export interface LoopStatus {
  /** st_dev and st_ino of the backing file. The device is in the kernel's own encoding, which is glibc's for numbers below 4096:2^20. */
  readonly device: bigint;
  readonly inode: bigint;
  /** N of `/dev/loopN`. */
  readonly number: number;
  readonly offset: number;
  readonly sizeLimit: number;
  readonly flags: number;
  readonly fileName: Buffer;
}

/** Loop devices, by descriptors of `/dev/loop-control` and `/dev/loopN` (linux/loop.h). Attaching needs CAP_SYS_ADMIN. */
export interface LoopCalls {
  /** The number of a device that is free, made when there was none. Somebody else may take it before the caller does. */
  loopCtlGetFreeSync(controlFd: number): number;
  /**
   * LOOP_CONFIGURE (Linux 5.8): the file and its settings in one step, so that no one sees the device without LO_FLAGS_AUTOCLEAR. `blockSize` in
   * bytes, missing: the kernel's choice. EBUSY: taken meanwhile. EINVAL or ENOTTY: a kernel without it, use loopSetFd and loopSetStatus64.
   */
  loopConfigureSync(
    loopFd: number,
    backingFd: number,
    settings: LoopSettings & { readonly blockSize?: number },
  ): void;
  /** EBUSY: taken. */
  loopSetFdSync(loopFd: number, backingFd: number): void;
  /** Detaches; once the last opener closes, where the device is in use. ENXIO: nothing attached. */
  loopClrFdSync(loopFd: number): void;
  loopSetStatus64Sync(loopFd: number, settings: LoopSettings): void;
  /** ENXIO: nothing attached. */
  loopGetStatus64Sync(loopFd: number): LoopStatus;
  /** Takes over the backing file's present size. */
  loopSetCapacitySync(loopFd: number): void;
  /** Bypass the backing file's page cache. EINVAL where its file system cannot. */
  loopSetDirectIoSync(loopFd: number, enabled: boolean): void;
}
