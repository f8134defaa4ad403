/** Builds the byte batches of operation.ts: one growing buffer, used again for every chunk, nothing allocated per operation. */

import type { TarTime, TarXattr } from '../tar/entry.js';
import {
  OP_DATA,
  OP_DIRECTORY,
  OP_FILE,
  OP_FILE_END,
  OP_HARDLINK,
  OP_MOVE,
  OP_NODE,
  OP_OPAQUE,
  OP_REMOVE,
  OP_SYMLINK,
  OP_WHITEOUT,
} from './operation.js';

/** Owner, permission bits (07777) and times of an object to be made. */
export interface OperationMeta {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: TarTime;
  readonly atime: TarTime;
}

const HEADER_LENGTH = 4;
const META_LENGTH = 38;
const XATTR_HEADER_LENGTH = 6;
const INITIAL_CAPACITY = 64 * 1024;

/**
 * One batch of operations in the making. Paths and link texts are at most 65,535 bytes (the planner refuses longer
 * names before they get here). The bytes are valid until the next `reset` or the next operation added.
 */
export class OperationBatch {
  #bytes: Uint8Array = new Uint8Array(INITIAL_CAPACITY);
  #view: DataView = new DataView(this.#bytes.buffer);
  #length = 0;

  /** True when no operation was added since the last `reset`. */
  get empty(): boolean {
    return this.#length === 0;
  }

  /** Length of the batch in bytes so far. */
  get length(): number {
    return this.#length;
  }

  /** The batch, without a copy. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Starts a new batch in the same memory. */
  reset(): void {
    this.#length = 0;
  }

  /** Makes a directory, or takes over the existing one. */
  directory(path: Uint8Array, meta: OperationMeta, xattrs: readonly TarXattr[], flags = 0): void {
    const at = this.#begin(OP_DIRECTORY, flags, path, META_LENGTH, xattrsLength(xattrs));
    this.#meta(at, meta, xattrs.length);
    this.#xattrs(this.#path(at + META_LENGTH, path), xattrs);
  }

  /** Opens a regular file of `size` bytes (logical size if sparse); data and `fileEnd` follow. */
  file(
    path: Uint8Array,
    meta: OperationMeta,
    xattrs: readonly TarXattr[],
    size: number,
    fileIndex: number,
    flags = 0,
  ): void {
    const at = this.#begin(OP_FILE, flags, path, META_LENGTH + 12, xattrsLength(xattrs));
    this.#meta(at, meta, xattrs.length);
    this.#uint64(at + META_LENGTH, size);
    this.#view.setUint32(at + META_LENGTH + 8, fileIndex, true);
    this.#xattrs(this.#path(at + META_LENGTH + 12, path), xattrs);
  }

  /** `length` bytes of the chunk at `chunkOffset` go to `fileOffset` of the open file. */
  data(fileOffset: number, chunkOffset: number, length: number): void {
    const at = this.#begin(OP_DATA, 0, undefined, 16, 0);
    this.#uint64(at, fileOffset);
    this.#view.setUint32(at + 8, chunkOffset, true);
    this.#view.setUint32(at + 12, length, true);
  }

  /** Closes the open file. */
  fileEnd(flags = 0): void {
    this.#begin(OP_FILE_END, flags, undefined, 0, 0);
  }

  /** A hard link `path` to the existing `target`. */
  hardlink(path: Uint8Array, target: Uint8Array): void {
    this.#twoNames(OP_HARDLINK, path, target);
  }

  /** A symbolic link with the text `target`, stored as it is. */
  symlink(path: Uint8Array, target: Uint8Array, meta: OperationMeta, xattrs: readonly TarXattr[]): void {
    const at = this.#begin(OP_SYMLINK, 0, path, META_LENGTH + 2, target.length + xattrsLength(xattrs));
    this.#meta(at, meta, xattrs.length);
    this.#view.setUint16(at + META_LENGTH, target.length, true);
    const afterPath = this.#path(at + META_LENGTH + 2, path);
    this.#xattrs(this.#path(afterPath, target), xattrs);
  }

  /** A device or FIFO; `type` is S_IFCHR, S_IFBLK or S_IFIFO. */
  node(
    path: Uint8Array,
    meta: OperationMeta,
    xattrs: readonly TarXattr[],
    type: number,
    major: number,
    minor: number,
    flags = 0,
  ): void {
    const at = this.#begin(OP_NODE, flags, path, META_LENGTH + 12, xattrsLength(xattrs));
    this.#meta(at, meta, xattrs.length);
    this.#view.setUint32(at + META_LENGTH, type, true);
    this.#view.setUint32(at + META_LENGTH + 4, major, true);
    this.#view.setUint32(at + META_LENGTH + 8, minor, true);
    this.#xattrs(this.#path(at + META_LENGTH + 12, path), xattrs);
  }

  /** `path` is deleted from lower layers. */
  whiteout(path: Uint8Array, uid: number, gid: number): void {
    this.#ownedMark(OP_WHITEOUT, path, uid, gid);
  }

  /** The directory `path` hides its lower content. */
  opaque(path: Uint8Array, uid: number, gid: number): void {
    this.#ownedMark(OP_OPAQUE, path, uid, gid);
  }

  /** Renames an object of this extraction. */
  move(path: Uint8Array, to: Uint8Array): void {
    this.#twoNames(OP_MOVE, path, to);
  }

  /** Removes an object with everything in it. */
  remove(path: Uint8Array): void {
    this.#path(this.#begin(OP_REMOVE, 0, path, 0, 0), path);
  }

  #twoNames(code: number, path: Uint8Array, other: Uint8Array): void {
    const at = this.#begin(code, 0, path, 2, other.length);
    this.#view.setUint16(at, other.length, true);
    this.#path(this.#path(at + 2, path), other);
  }

  #ownedMark(code: number, path: Uint8Array, uid: number, gid: number): void {
    const at = this.#begin(code, 0, path, 8, 0);
    this.#view.setUint32(at, uid, true);
    this.#view.setUint32(at + 4, gid, true);
    this.#path(at + 8, path);
  }

  /** Reserves a whole record, writes its header, returns where its fields begin. */
  #begin(
    code: number,
    flags: number,
    path: Uint8Array | undefined,
    fieldsLength: number,
    trailingLength: number,
  ): number {
    const pathLength = path === undefined ? 0 : path.length;
    const start = this.#length;
    const end = start + HEADER_LENGTH + fieldsLength + pathLength + trailingLength;
    if (end > this.#bytes.length) this.#grow(end);
    this.#bytes[start] = code;
    this.#bytes[start + 1] = flags;
    this.#view.setUint16(start + 2, pathLength, true);
    this.#length = end;
    return start + HEADER_LENGTH;
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  #meta(at: number, meta: OperationMeta, xattrCount: number): void {
    const view = this.#view;
    view.setUint32(at, meta.mode, true);
    view.setUint32(at + 4, meta.uid, true);
    view.setUint32(at + 8, meta.gid, true);
    this.#time(at + 12, meta.mtime);
    this.#time(at + 24, meta.atime);
    view.setUint16(at + 36, xattrCount, true);
  }

  #time(at: number, time: TarTime): void {
    this.#int64(at, time.seconds);
    this.#view.setUint32(at + 8, time.nanoseconds, true);
  }

  /** Copies a name; returns the position after it. Most names are short: a loop beats `set` and its argument checks. */
  #path(at: number, path: Uint8Array): number {
    const bytes = this.#bytes;
    const { length } = path;
    if (length > 64) bytes.set(path, at);
    else for (let index = 0; index < length; index++) bytes[at + index] = path[index] as number;
    return at + length;
  }

  #xattrs(start: number, xattrs: readonly TarXattr[]): void {
    let at = start;
    for (const { name, value } of xattrs) {
      this.#view.setUint16(at, name.length, true);
      this.#view.setUint32(at + 2, value.length, true);
      at = this.#path(this.#path(at + XATTR_HEADER_LENGTH, name), value);
    }
  }

  /** Two halves, because a BigInt per field would be the only allocation of an operation. */
  #uint64(at: number, value: number): void {
    this.#view.setUint32(at, value % 0x1_0000_0000, true);
    this.#view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true);
  }

  #int64(at: number, value: number): void {
    const high = Math.floor(value / 0x1_0000_0000);
    this.#view.setUint32(at, value - high * 0x1_0000_0000, true);
    this.#view.setInt32(at + 4, high, true);
  }
}

function xattrsLength(xattrs: readonly TarXattr[]): number {
  let length = 0;
  for (const { name, value } of xattrs) length += XATTR_HEADER_LENGTH + name.length + value.length;
  return length;
}
