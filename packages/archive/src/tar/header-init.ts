/** What a tar header is made from, and the checks on it that do not depend on the format. */
import { LayerStoreError } from '../errors.js';
import { EMPTY_BYTES, showBytes } from './bytes.js';
import type { TarTime, TarXattr } from './entry.js';
import * as at from './layout.js';

/** Kinds that can be written. `global` is a pax global header: a name, pax records, and nothing else. */
export type EncodableKind =
  | 'file'
  | 'hardlink'
  | 'symlink'
  | 'char'
  | 'block'
  | 'directory'
  | 'fifo'
  | 'global';

/** Everything but kind and name has a neutral default: 0, empty, or not written. Numbers are integers within ±(2^53-1). */
export interface TarHeaderInit {
  readonly kind: EncodableKind;
  /** Directories are given their trailing slash by the caller; files must not have one. */
  readonly name: Uint8Array;
  /** Target of a hard link (an entry name) or of a symbolic link. */
  readonly linkName?: Uint8Array;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Bytes of the body; only files have one. */
  readonly size?: number;
  readonly mtime?: TarTime;
  readonly atime?: TarTime | undefined;
  readonly ctime?: TarTime | undefined;
  readonly userName?: Uint8Array;
  readonly groupName?: Uint8Array;
  readonly deviceMajor?: number;
  readonly deviceMinor?: number;
  /** Written as `SCHILY.xattr.*`. */
  readonly xattrs?: readonly TarXattr[];
  /** Further pax records, keys as latin-1 text. Records for fields that are given above are ignored. */
  readonly pax?: ReadonlyMap<string, Uint8Array>;
}

/** A {@link TarHeaderInit} with its defaults filled in. */
export interface HeaderFields {
  readonly kind: EncodableKind;
  readonly typeflag: number;
  readonly name: Uint8Array;
  readonly linkName: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: TarTime;
  readonly atime: TarTime | undefined;
  readonly ctime: TarTime | undefined;
  readonly userName: Uint8Array;
  readonly groupName: Uint8Array;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  readonly xattrs: readonly TarXattr[];
  readonly pax: ReadonlyMap<string, Uint8Array>;
}

const TYPEFLAGS: Readonly<Record<EncodableKind, number>> = {
  file: at.TYPE_FILE,
  hardlink: at.TYPE_HARDLINK,
  symlink: at.TYPE_SYMLINK,
  char: at.TYPE_CHAR,
  block: at.TYPE_BLOCK,
  directory: at.TYPE_DIRECTORY,
  fifo: at.TYPE_FIFO,
  global: at.TYPE_PAX_GLOBAL,
};

const EPOCH: TarTime = Object.freeze({ seconds: 0, nanoseconds: 0 });
const NO_PAX: ReadonlyMap<string, Uint8Array> = new Map();
const NO_XATTRS: readonly TarXattr[] = Object.freeze([]);
const NANOSECONDS = 1_000_000_000;

export function unencodable(name: Uint8Array, why: string): LayerStoreError {
  return new LayerStoreError(
    'ARCHIVE_HEADER_UNENCODABLE',
    `cannot write a tar header for ${showBytes(name)}: ${why}`,
  );
}

/** @throws ARCHIVE_HEADER_UNENCODABLE when a value means nothing in any format */
export function resolveHeader(init: TarHeaderInit): HeaderFields {
  const fields: HeaderFields = {
    kind: init.kind,
    typeflag: TYPEFLAGS[init.kind],
    name: init.name,
    linkName: init.linkName ?? EMPTY_BYTES,
    mode: init.mode ?? 0,
    uid: init.uid ?? 0,
    gid: init.gid ?? 0,
    size: init.size ?? 0,
    mtime: init.mtime ?? EPOCH,
    atime: init.atime,
    ctime: init.ctime,
    userName: init.userName ?? EMPTY_BYTES,
    groupName: init.groupName ?? EMPTY_BYTES,
    deviceMajor: init.deviceMajor ?? 0,
    deviceMinor: init.deviceMinor ?? 0,
    xattrs: init.xattrs ?? NO_XATTRS,
    pax: init.pax ?? NO_PAX,
  };
  const fault = faultOf(fields);
  if (fault !== undefined) throw unencodable(init.name, fault);
  return fields;
}

function faultOf(fields: HeaderFields): string | undefined {
  const { mode, uid, gid, size, deviceMajor, deviceMinor } = fields;
  if (![mode, uid, gid, size, deviceMajor, deviceMinor].every(Number.isSafeInteger)) {
    return 'a number is not an integer within ±(2^53-1)';
  }
  if (![fields.mtime, fields.atime, fields.ctime].every(isTime)) {
    return 'a time needs integer seconds and 0..999999999 nanoseconds';
  }
  if (size < 0) return 'its size is negative';
  if (size > 0 && fields.kind !== 'file') {
    // Readers disagree on whether a body follows such a header, so what comes next could be hidden from some.
    return `a ${fields.kind} has no body, so its size must be 0`;
  }
  const noSlash = fields.kind !== 'directory' && fields.kind !== 'hardlink' && fields.kind !== 'symlink';
  if (noSlash && fields.kind !== 'global' && fields.name[fields.name.length - 1] === at.SLASH) {
    return `the name of a ${fields.kind} must not end with a slash`;
  }
  if (fields.kind === 'global' && !isBareGlobal(fields)) return 'a pax global header has pax records only';
  return undefined;
}

function isTime(time: TarTime | undefined): boolean {
  if (time === undefined) return true;
  const { seconds, nanoseconds } = time;
  return (
    Number.isSafeInteger(seconds) &&
    Number.isInteger(nanoseconds) &&
    nanoseconds >= 0 &&
    nanoseconds < NANOSECONDS
  );
}

function isBareGlobal(fields: HeaderFields): boolean {
  const { mode, uid, gid, deviceMajor, deviceMinor, mtime, atime, ctime } = fields;
  const numbers = [mode, uid, gid, deviceMajor, deviceMinor, mtime.seconds, mtime.nanoseconds];
  const texts = [fields.linkName, fields.userName, fields.groupName];
  return (
    numbers.every((number) => number === 0) &&
    texts.every((bytes) => bytes.length === 0) &&
    atime === undefined &&
    ctime === undefined
  );
}
