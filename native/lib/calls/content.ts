import type { PathLike } from '../types.js';

/** What statfs(2) says. */
export interface NativeStatfs {
  /** The magic number, masked to 32 bits unsigned. */
  readonly type: number;
  readonly bsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
}

/** Copying within the kernel, holes, whole file systems, inode flags. */
export interface ContentCalls {
  /** FICLONE: share all blocks. EOPNOTSUPP or EXDEV where the file systems cannot. */
  ficloneSync(destinationFd: number, sourceFd: number): void;
  /**
   * copy_file_range(2), once: the number of bytes copied, perhaps fewer than asked; 0 at the end of the source. An undefined
   * offset uses and moves the descriptor's own position.
   */
  copyFileRangeSync(
    sourceFd: number,
    sourceOffset: number | bigint | undefined,
    destinationFd: number,
    destinationOffset: number | bigint | undefined,
    length: number,
  ): number;
  /** The first data at or after `offset`; undefined when only a hole is left. */
  seekDataSync(fd: number, offset: number): number | undefined;
  /** The first hole at or after `offset` (the end counts as one); undefined past the end. */
  seekHoleSync(fd: number, offset: number): number | undefined;
  statfsSync(path: PathLike): NativeStatfs;
  /** Writes back the file system that holds `fd`. */
  syncfsSync(fd: number): void;
  syncSync(): void;
  /** FS_IOC_GETFLAGS: FS_IMMUTABLE_FL 0x10, FS_APPEND_FL 0x20, … ENOTTY where the file system has none. */
  getFlagsSync(fd: number): number;
  setFlagsSync(fd: number, flags: number): void;
}
