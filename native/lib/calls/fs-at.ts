import type { PathLike } from '../types.js';

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
  /** In units of 512 bytes. */
  readonly blocks: number;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** One directory entry. */
export interface NativeDirent {
  readonly name: Buffer;
  readonly ino: bigint;
  /** DT_*: 0 unknown, 1 fifo, 2 char, 4 dir, 6 block, 8 file, 10 link, 12 socket. */
  readonly type: number;
}

/** `struct open_how` of openat2(2). */
export interface OpenHow {
  /** O_*; O_CLOEXEC is added. */
  readonly flags: number;
  /** Permission bits of a file that O_CREAT or O_TMPFILE makes; must be 0 or absent otherwise. */
  readonly mode?: number;
  /** RESOLVE_*. */
  readonly resolve?: number;
}

/** Calls relative to a directory descriptor; AT_FDCWD stands for the working directory. Flags are AT_*. */
export interface FsAtCalls {
  /**
   * openat2(2). EXDEV: the path leads out of what RESOLVE_BENEATH allows; ELOOP: a link that RESOLVE_NO_SYMLINKS forbids.
   * Where the kernel lacks the call the same rules are kept by walking, except RESOLVE_NO_XDEV (ENOSYS).
   */
  openat2Sync(dirfd: number, path: PathLike, how: OpenHow): number;
  /** statx(2). AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. */
  fstatatSync(dirfd: number, path: PathLike, flags?: number): NativeStat;
  /** The link's text as it is on disk. An empty path reads the link that `dirfd` (O_PATH|O_NOFOLLOW) is. */
  readlinkatSync(dirfd: number, path: PathLike): Buffer;
  /** `mode` (0777 if absent) is cut by the umask. */
  mkdiratSync(dirfd: number, path: PathLike, mode?: number): void;
  /** `mode` is a type (S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK, S_IFREG) and permission bits, cut by the umask. */
  mknodatSync(dirfd: number, path: PathLike, mode: number, major?: number, minor?: number): void;
  symlinkatSync(target: PathLike, dirfd: number, path: PathLike): void;
  /** AT_SYMLINK_FOLLOW, AT_EMPTY_PATH (needs CAP_DAC_READ_SEARCH). Without flags a symbolic link is linked itself. */
  linkatSync(oldDirfd: number, oldPath: PathLike, newDirfd: number, newPath: PathLike, flags?: number): void;
  /** AT_REMOVEDIR for a directory. */
  unlinkatSync(dirfd: number, path: PathLike, flags?: number): void;
  /** RENAME_NOREPLACE, RENAME_EXCHANGE. A flag that cannot be honoured is an error. */
  renameat2Sync(
    oldDirfd: number,
    oldPath: PathLike,
    newDirfd: number,
    newPath: PathLike,
    flags?: number,
  ): void;
  /** With AT_SYMLINK_NOFOLLOW a symbolic link gives EOPNOTSUPP. Also AT_EMPTY_PATH. */
  fchmodatSync(dirfd: number, path: PathLike, mode: number, flags?: number): void;
  /** -1 leaves an id as it is. AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. */
  fchownatSync(dirfd: number, path: PathLike, uid: number, gid: number, flags?: number): void;
  /** undefined leaves a time as it is. AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. Nanoseconds must fit 64 bits. */
  utimensatSync(
    dirfd: number,
    path: PathLike,
    atimeNs: bigint | undefined,
    mtimeNs: bigint | undefined,
    flags?: number,
  ): void;
  /**
   * Entries from where the descriptor stands, without `.` and `..`. Without `limit` to the end of the directory; with it
   * about that many bytes of records (at least 1024), an empty array at the end.
   */
  getdentsSync(fd: number, limit?: number): NativeDirent[];
  /**
   * Changes below `directory`, in order until one fails; those before it stay done. `steps` is verbs with their operands,
   * every word with a NUL behind it, numbers decimal: `directory PATH MODE`, `link TEXT PATH`, `file PATH MODE CONTENT` (EEXIST
   * if there), `mode PATH MODE`, `owner PATH UID GID`, `attributes FROM TO SKIPPED` (owner, mode, extended attributes but those
   * that begin with one of the comma-separated SKIPPED, times), `rename OLD NEW`, `unlink PATH`, `rmdir PATH`,
   * `unlink-if-there PATH`, `rmdir-if-there PATH`.
   */
  directoryStepsSync(directory: PathLike, steps: PathLike): void;
}
