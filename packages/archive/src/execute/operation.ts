/**
 * The operations an extraction is made of, and how a batch of them lies in memory. The planner (extract/) decides, an
 * executor obeys: the addon's on a thread of its own, or the same operations in a worker thread with Node's
 * synchronous calls when the addon is absent. One operation set, two executors, one test suite for both.
 *
 * A batch is a sequence of records, little endian, not aligned. Every record begins
 *   u8 code, u8 flags, u16 pathLength
 * then the fields of its code in the order given at the constant, then `pathLength` bytes of path, then what the
 * constant lists as trailing. Paths are bytes, relative to the root, lexically clean: no leading '/', no '.', '..' or
 * empty component, no NUL; the empty path is the root itself (DIRECTORY and OPAQUE only).
 *
 * `meta` is: u32 mode (permission bits & 07777), u32 uid, u32 gid, i64 mtimeSeconds, u32 mtimeNanoseconds,
 * i64 atimeSeconds, u32 atimeNanoseconds, u16 xattrCount. (38 bytes.)
 * An xattr is: u16 nameLength, u32 valueLength, name, value.
 */
import type { FileReader } from '../byte-source.js';

/** meta; path; xattrs. Create the directory, or take over an existing one; a non-directory in its place is replaced. */
export const OP_DIRECTORY = 1;
/**
 * meta, u64 size, u32 fileIndex; path; xattrs. Opens a new regular file and keeps it open for OP_DATA until
 * OP_FILE_END. `fileIndex` numbers the payloads of this layer from 0; a CRC-64 is reported for it. NO_INDEX: no CRC,
 * no displacement record. Flag FLAG_SPARSE: OP_DATA carries offsets, the file is truncated to `size` at the end.
 */
export const OP_FILE = 2;
/** u64 fileOffset, u32 chunkOffset, u32 length; (no path). Bytes of the chunk that came with the batch. */
export const OP_DATA = 3;
/** (nothing; no path). Applies the metadata of OP_FILE, closes. Fails if the bytes written are not `size` (not sparse). */
export const OP_FILE_END = 4;
/** u16 targetLength; path; target path. Hard link; the target's last component is not followed; metadata untouched. */
export const OP_HARDLINK = 5;
/** meta, u16 targetLength; path; target text, xattrs. */
export const OP_SYMLINK = 6;
/** meta, u32 type (S_IFCHR, S_IFBLK or S_IFIFO), u32 major, u32 minor; path; xattrs. FLAG_TOLERATE: EPERM is a warning. */
export const OP_NODE = 7;
/** u32 uid, u32 gid; path of the object that is deleted in lower layers. Carried out as the whiteout format says. */
export const OP_WHITEOUT = 8;
/** u32 uid, u32 gid; path of the directory that hides its lower content. Carried out as the whiteout format says. */
export const OP_OPAQUE = 9;
/** u16 targetLength; path; new path. Renames an object made by this extraction (AUFS plink sources). */
export const OP_MOVE = 10;
/** path. Removes the object recursively whatever made it; missing is fine. (Private scratch directory.) */
export const OP_REMOVE = 11;

export const FLAG_SPARSE = 1;
export const FLAG_TOLERATE = 2;
/** OP_FILE_END of a file whose tail is a hole, and OP_DIRECTORY for the root entry. */
export const FLAG_ROOT = 4;

export const NO_INDEX = 0xffffffff;

/**
 * How deletions are expressed on disk (spec/layer-archive.md 4.6, 4.8; spec/drivers.md 3):
 * `delete`: the lower content is in the same tree and is removed (vfs, devmapper, hard-link overlay);
 * `overlay`: character device 0/0 and `trusted.overlay.opaque=y` (`user.overlay.opaque` with userXattr);
 * `aufs`: empty files `.wh.NAME` and `.wh..wh..opq`, mode 0444, as aufs keeps them in a branch.
 * In all three a deletion concerns lower layers only: what this extraction itself made stays (OCI image-spec layer.md).
 */
export type WhiteoutFormat = 'delete' | 'overlay' | 'aufs';

export interface ExecutorOptions {
  readonly whiteouts: WhiteoutFormat;
  /** overlay format: use `user.overlay.*` instead of `trusted.overlay.*`. */
  readonly userXattr: boolean;
  /** false: a directory and a non-directory may not replace each other (NoOverwriteDirNonDir). */
  readonly replaceAcrossTypes: boolean;
  /**
   * true: a directory that is there already loses the `user.*` attributes that its entry does not name (OCI image-spec
   * layer.md). The portable executor cannot list attributes and keeps them.
   */
  readonly replaceMergedXattrs: boolean;
  /** false: never change owners (NoLchown). */
  readonly chown: boolean;
  /** Owner of parents that no entry names; mode 0755. */
  readonly impliedUid: number;
  readonly impliedGid: number;
  /**
   * What to do where the kernel refuses an owner, a device, an xattr for lack of privilege or support (EPERM, EINVAL for
   * ids outside a user namespace, ENOTSUP): `fail`, or `report` a warning and go on.
   */
  readonly ownership: 'fail' | 'report';
  readonly xattrs: 'fail' | 'report';
  readonly devices: 'fail' | 'report';
  /**
   * Where payloads that a later entry of the same layer displaces are saved before they are destroyed, as files named by
   * their decimal fileIndex. undefined: displaced payloads are not kept.
   */
  readonly stashDirectory: string | undefined;
}

export interface ExecutorWarning {
  /** `chown`, `mknod`, `setxattr`… */
  readonly syscall: string;
  readonly errno: string;
  /** Path in the root, latin-1. */
  readonly path: string;
  /** The xattr name, where it is about one. */
  readonly detail: string;
}

/** What a batch, or `finish`, did. */
export interface ExecutorResult {
  /** CRC-64/ISO of every indexed file completed by this batch, in order: `fileIndex` then the 8 bytes, big endian. */
  readonly checksums: readonly FileChecksum[];
  /**
   * Payloads that can no longer be read under their entry's name, now (or also before) saved in the stash directory.
   */
  readonly displaced: readonly number[];
  readonly warnings: readonly ExecutorWarning[];
}

export interface FileChecksum {
  readonly fileIndex: number;
  readonly crc: Uint8Array;
}

/**
 * Runs batches strictly in order. `ops` and `chunk` must not be touched until the promise settles. A batch that fails fails those
 * behind it; after a rejection only `close` may be called. Errors are LayerStoreErrors (ARCHIVE_BREAKOUT, ARCHIVE_INVALID_LINK,
 * ARCHIVE_OVERWRITE_REFUSED, ARCHIVE_IO with errno, syscall and path).
 */
export interface ExtractExecutor extends AsyncDisposable {
  /** How many calls of `run` may be waiting for their result at a time. */
  readonly depth: number;
  /** Reads a file on the thread of the batches, between them; where there is such a thread. Fails as system calls do. */
  readonly read?: FileReader;
  run(ops: Uint8Array, chunk: Uint8Array): Promise<ExecutorResult>;
  /**
   * Directory times, deepest first, skipping directories that were replaced since; then checks that every payload written
   * through a symbolic link is still found under its entry's name and stashes it if not.
   */
  finish(): Promise<ExecutorResult>;
  close(): Promise<void>;
}

/**
 * Opens an executor on `root` (an existing directory; must not be a symbolic link). Prefers the addon; `portable: true`
 * forces the worker-thread one.
 */
export type OpenExtractExecutor = (
  root: string,
  options: ExecutorOptions & { readonly portable?: boolean },
) => Promise<ExtractExecutor>;
