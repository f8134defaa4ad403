/**
 * What the addon offers. Every call throws (or rejects with) a {@link NativeError}, or a TypeError with `code`
 * ERR_INVALID_ARG_TYPE or ERR_INVALID_ARG_VALUE for a wrong argument. Paths are strings or bytes without NUL; descriptors are
 * numbers, always close-on-exec, and the caller's to close (`fs.closeSync`). Names follow the system calls. `fooSync`
 * runs on the caller's thread; `foo` takes the same arguments, runs on the libuv pool (`dmIoctl` on a thread of its own) and
 * gives a promise.
 */
import type { BlockDeviceCalls } from './calls/block-device.js';
import type { ContentCalls } from './calls/content.js';
import type { Crc64Calls } from './calls/crc64.js';
import type { DeviceMapperCalls } from './calls/device-mapper.js';
import type { DigestCalls } from './calls/digest.js';
import type { FallbackCalls } from './calls/fallbacks.js';
import type { FsAtCalls } from './calls/fs-at.js';
import type { GzipLinesCalls } from './calls/gzip-lines.js';
import type { KernelLogCalls } from './calls/kernel-log.js';
import type { LockCalls } from './calls/lock.js';
import type { LoopCalls } from './calls/loop.js';
import type { MountCalls } from './calls/mount.js';
import type { QuotaCalls } from './calls/quota.js';
import type { TreeCalls } from './calls/tree.js';
import type { UserNamespaceCalls } from './calls/user-namespace.js';
import type { XattrCalls } from './calls/xattr.js';

/** A path as the kernel takes it: text (encoded as UTF-8) or bytes. Relative to the call's directory descriptor. */
export type PathLike = string | Uint8Array;

/** A failed system call, as `node:fs` reports it: `code` is the errno name, `errno` the negative number. */
export interface NativeError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  /** The path as bytes shown in latin-1 where not UTF-8, when the call had one. */
  readonly path?: string;
  /** The second path of link, rename, symlink, mount. */
  readonly dest?: string;
  /** What the kernel said beyond the number: the log of a mount context, one message per line. */
  readonly detail?: string;
}

/** The promise form of every `…Sync` method of `Calls`, without the suffix. */
export type AsyncTwins<Calls> = {
  readonly [Name in keyof Calls as Name extends `${infer Base}Sync` ? Base : never]: Calls[Name] extends (
    ...args: infer Args
  ) => infer Result
    ? (...args: Args) => Promise<Result>
    : never;
};

/** Calls that exist in both forms; they are declared in their synchronous form. */
export type SyncCalls = FsAtCalls &
  FallbackCalls &
  XattrCalls &
  ContentCalls &
  MountCalls &
  LockCalls &
  LoopCalls &
  BlockDeviceCalls &
  DeviceMapperCalls &
  QuotaCalls &
  UserNamespaceCalls &
  KernelLogCalls;

/** Everything the addon exports. */
export type NativeCalls = SyncCalls &
  AsyncTwins<SyncCalls> &
  Crc64Calls &
  DigestCalls &
  GzipLinesCalls &
  TreeCalls & { pageSize(): number };

/** What this machine can do; each is found out when it is read, once. */
export interface NativeFeatures {
  /** openat2(2). Without it confined lookups still work, by a walk in user space (no RESOLVE_NO_XDEV). */
  readonly openat2: boolean;
  /** renameat2(2) with flags. */
  readonly renameat2: boolean;
  /** fchmodat2(2). Without it AT_SYMLINK_NOFOLLOW goes through /proc. */
  readonly fchmodat2: boolean;
  /** fsopen(2), fsconfig(2), fsmount(2), move_mount(2), open_tree(2), fspick(2). */
  readonly fsopen: boolean;
  readonly mountSetattr: boolean;
  readonly ofdLocks: boolean;
  /** quotactl_fd(2). Without it quota calls need the device's node. */
  readonly quotactlFd: boolean;
  /** Whether a FICLONE has worked in this process; undefined until one was tried. It depends on the file system. */
  readonly ficlone: boolean | undefined;
  /** How CRC-64 is computed. */
  readonly crc64: 'vpclmulqdq' | 'pclmulqdq' | 'table';
}

/** The addon, or why there is none. */
export type NativeState =
  | {
      readonly available: true;
      readonly reason: undefined;
      /** The file that was loaded. */
      readonly path: string;
      readonly features: NativeFeatures;
      readonly calls: NativeCalls;
    }
  | {
      readonly available: false;
      /** For messages: what was tried and what to do. */
      readonly reason: string;
    };
