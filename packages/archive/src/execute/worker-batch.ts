/** Decodes the batches of operation.ts. One set of objects serves all records; an operation must not keep them. */
import { LayerStoreError } from '../errors.js';
import type { TarXattr } from '../tar/entry.js';
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
import type { NodeMeta } from './worker-metadata.js';

export type OperationXattrs = readonly TarXattr[];

/** Who obeys. Paths are latin-1 strings. */
export interface OperationTarget {
  /** Called before every operation, with its path. */
  begin(path: string): void;
  directory(path: string, meta: NodeMeta, xattrs: OperationXattrs): void;
  file(
    path: string,
    meta: NodeMeta,
    xattrs: OperationXattrs,
    size: number,
    fileIndex: number,
    flags: number,
  ): void;
  data(fileOffset: number, bytes: Uint8Array): void;
  fileEnd(): void;
  hardlink(path: string, target: string): void;
  symlink(path: string, target: Uint8Array, meta: NodeMeta, xattrs: OperationXattrs): void;
  node(
    path: string,
    meta: NodeMeta,
    xattrs: OperationXattrs,
    type: number,
    device: readonly [major: number, minor: number],
    flags: number,
  ): void;
  whiteout(path: string, uid: number, gid: number): void;
  opaque(path: string, uid: number, gid: number): void;
  move(path: string, to: string): void;
  remove(path: string): void;
}

const NO_XATTRS: OperationXattrs = [];
const META_LENGTH = 38;
const HIGH = 0x1_0000_0000;

/**
 * libuv takes times as doubles of seconds and cuts them to whole microseconds. Half of one is added so that the rounding of
 * the double cannot push a time into the microsecond before it.
 */
function utimesSeconds(seconds: number, nanoseconds: number): number {
  return seconds + (Math.floor(nanoseconds / 1000) + 0.5) / 1e6;
}

/** The planner cleans paths; a last component `..` must not get past here even if it did not. */
function refuseClimbing(path: string): string {
  if (!path.includes('..') || !path.split('/').includes('..')) return path;
  throw new LayerStoreError('ARCHIVE_BREAKOUT', `"${path}" contains "..", do not trust this archive`, {
    path,
  });
}

export class BatchDecoder {
  readonly #target: OperationTarget;
  readonly #meta: NodeMeta = { mode: 0, uid: 0, gid: 0, mtime: 0, atime: 0 };
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #xattrCount = 0;

  constructor(target: OperationTarget) {
    this.#target = target;
  }

  run(ops: Buffer, chunk: Uint8Array): void {
    this.#bytes = ops;
    this.#at = 0;
    while (this.#at < ops.length) {
      const code = ops[this.#at] as number;
      const flags = ops[this.#at + 1] as number;
      const pathLength = ops.readUInt16LE(this.#at + 2);
      this.#at += 4;
      this.#record(code, flags, pathLength, chunk);
    }
  }

  #record(code: number, flags: number, pathLength: number, chunk: Uint8Array): void {
    const target = this.#target;
    switch (code) {
      case OP_DATA: {
        const fileOffset = this.#uint64();
        const start = this.#uint32();
        const length = this.#uint32();
        target.data(fileOffset, chunk.subarray(start, start + length));
        return;
      }
      case OP_FILE_END:
        target.fileEnd();
        return;
      case OP_FILE: {
        const meta = this.#readMeta();
        const size = this.#uint64();
        const fileIndex = this.#uint32();
        target.file(this.#path(pathLength), meta, this.#xattrs(), size, fileIndex, flags);
        return;
      }
      case OP_DIRECTORY: {
        const meta = this.#readMeta();
        target.directory(this.#path(pathLength), meta, this.#xattrs());
        return;
      }
      case OP_SYMLINK: {
        const meta = this.#readMeta();
        const textLength = this.#uint16();
        const path = this.#path(pathLength);
        target.symlink(path, this.#take(textLength), meta, this.#xattrs());
        return;
      }
      case OP_NODE: {
        const meta = this.#readMeta();
        const type = this.#uint32();
        const device = [this.#uint32(), this.#uint32()] as const;
        target.node(this.#path(pathLength), meta, this.#xattrs(), type, device, flags);
        return;
      }
      case OP_HARDLINK:
      case OP_MOVE: {
        const otherLength = this.#uint16();
        const path = this.#path(pathLength);
        const other = refuseClimbing(this.#take(otherLength).toString('latin1'));
        if (code === OP_HARDLINK) target.hardlink(path, other);
        else target.move(path, other);
        return;
      }
      case OP_WHITEOUT:
      case OP_OPAQUE: {
        const uid = this.#uint32();
        const gid = this.#uint32();
        if (code === OP_WHITEOUT) target.whiteout(this.#path(pathLength), uid, gid);
        else target.opaque(this.#path(pathLength), uid, gid);
        return;
      }
      case OP_REMOVE:
        target.remove(this.#path(pathLength));
        return;
      default:
        throw new LayerStoreError(
          'STORE_INVARIANT',
          `operation ${code} is not known to this executor; please report it`,
        );
    }
  }

  /** Every record but data and the end of a file has its path read exactly once. */
  #path(length: number): string {
    const path = refuseClimbing(this.#bytes.toString('latin1', this.#at, this.#at + length));
    this.#at += length;
    this.#target.begin(path);
    return path;
  }

  #take(length: number): Buffer {
    const piece = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return piece;
  }

  #uint16(): number {
    this.#at += 2;
    return this.#bytes.readUInt16LE(this.#at - 2);
  }

  #uint32(): number {
    this.#at += 4;
    return this.#bytes.readUInt32LE(this.#at - 4);
  }

  #uint64(): number {
    const low = this.#uint32();
    return low + this.#uint32() * HIGH;
  }

  #readMeta(): NodeMeta {
    const bytes = this.#bytes;
    const meta = this.#meta;
    const at = this.#at;
    meta.mode = bytes.readUInt32LE(at);
    meta.uid = bytes.readUInt32LE(at + 4);
    meta.gid = bytes.readUInt32LE(at + 8);
    meta.mtime = this.#time(at + 12);
    meta.atime = this.#time(at + 24);
    this.#xattrCount = bytes.readUInt16LE(at + 36);
    this.#at = at + META_LENGTH;
    return meta;
  }

  #time(at: number): number {
    const seconds = this.#bytes.readUInt32LE(at) + this.#bytes.readInt32LE(at + 4) * HIGH;
    return utimesSeconds(seconds, this.#bytes.readUInt32LE(at + 8));
  }

  #xattrs(): OperationXattrs {
    if (this.#xattrCount === 0) return NO_XATTRS;
    const xattrs: TarXattr[] = [];
    for (let index = 0; index < this.#xattrCount; index++) {
      const nameLength = this.#uint16();
      const valueLength = this.#uint32();
      const name = this.#take(nameLength);
      xattrs.push({ name, value: this.#take(valueLength) });
    }
    return xattrs;
  }
}
