/**
 * What the addon offers. Every call throws (or rejects with) a {@link NativeError}. Paths are strings or bytes without
 * NUL; descriptors are numbers, always close-on-exec. Names follow the system calls. `fooSync` runs on the caller's
 * thread; `foo` runs on the libuv pool.
 */
export type PathLike = string | Uint8Array;

/** A failed system call, as `node:fs` reports it: `code` is the errno name, `errno` the negative number. */
export interface NativeError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  /** The path as bytes shown in latin-1 where not UTF-8, when the call had one. */
  readonly path?: string;
}

/** Full stat data; times are nanoseconds since the epoch. */
export interface NativeStat {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdevMajor: number;
  readonly rdevMinor: number;
  readonly size: number;
  readonly blocks: number;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

export interface NativeDirent {
  readonly name: Buffer;
  readonly ino: bigint;
  /** DT_*: 0 unknown, 1 fifo, 2 char, 4 dir, 6 block, 8 file, 10 link, 12 socket. */
  readonly type: number;
}

export interface NativeStatfs {
  /** Masked to 32 bits unsigned. */
  readonly type: number;
  readonly bsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
}
