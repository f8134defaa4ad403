/** The few system calls a tree walk is made of, relative to an open directory; two implementations, one meaning. */
import type { FileStat } from './file-stat.js';

/** One name of a directory. */
export interface DirectoryEntry {
  /** Latin-1. */
  readonly name: string;
  /** `d_ino`; 0 where the implementation does not know it. */
  readonly ino: bigint;
  /** Masked file type (S_IF*); 0 where the file system does not say. */
  readonly type: number;
}

/**
 * Every call is synchronous: a promise per file costs more than the call. Names are latin-1, one component, and the
 * last component is never followed. Calls throw what `node:fs` or the addon throws; callers add the path.
 */
export interface TreeCalls {
  /** Whether `xattrNames` and `xattr` work. */
  readonly xattrs: boolean;
  openDirectory(at: number, name: string): number;
  /** O_RDONLY|O_NOFOLLOW|O_NONBLOCK: never follows a link, never waits for a FIFO or a lease. */
  openFile(at: number, name: string): number;
  /**
   * Opens a directory with every link of the path resolved inside the root, as chroot(2) would, `..` stopping at the
   * root. `path` is relative, may be empty (the root itself).
   */
  resolveDirectory(root: number, path: string): number;
  stat(at: number, name: string): FileStat;
  statOpen(fd: number): FileStat;
  readlink(at: number, name: string): string;
  /** Sorted bytewise, without `.` and `..`. */
  list(fd: number): DirectoryEntry[];
  xattrNames(at: number, name: string): Buffer[];
  xattr(at: number, name: string, attribute: Buffer): Buffer | undefined;
  /** The same of an open file. */
  xattrNamesOpen(fd: number): Buffer[];
  xattrOpen(fd: number, attribute: Buffer): Buffer | undefined;
}

/** openat2(2) `resolve` bits. */
export const RESOLVE_NO_MAGICLINKS = 0x02;
export const RESOLVE_IN_ROOT = 0x10;
