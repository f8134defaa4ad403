/**
 * pax records, `"%d key=value\n"` (POSIX.1-2001 pax, spec/layer-archive.md 3.6). Values are bytes; keys are latin-1 text
 * in a Map, so that keys such as `__proto__` are keys like any other.
 */
import { LayerStoreError } from '../errors.js';
import { concatBytes, copyBytes, latin1, latin1Bytes } from './bytes.js';
import { SPACE } from './layout.js';

export const PAX_PATH = 'path';
export const PAX_LINK_PATH = 'linkpath';
export const PAX_SIZE = 'size';
export const PAX_UID = 'uid';
export const PAX_GID = 'gid';
export const PAX_USER_NAME = 'uname';
export const PAX_GROUP_NAME = 'gname';
export const PAX_MTIME = 'mtime';
export const PAX_ATIME = 'atime';
export const PAX_CTIME = 'ctime';
/** What follows is the name of an extended attribute, as star and GNU tar write them. */
export const PAX_XATTR_PREFIX = 'SCHILY.xattr.';
export const PAX_SPARSE_PREFIX = 'GNU.sparse.';
export const PAX_SPARSE_OFFSET = 'GNU.sparse.offset';
export const PAX_SPARSE_LENGTH = 'GNU.sparse.numbytes';
export const PAX_SPARSE_MAP = 'GNU.sparse.map';

const NEWLINE = 0x0a;
const EQUALS = 0x3d;
const COMMA = 0x2c;
const COMMA_BYTES: Uint8Array = Uint8Array.of(COMMA);
/** Lengths are bounded by the size of the body, far below this many digits; leading zeros included. */
const MAX_LENGTH_DIGITS = 20;

/** Keys that nearly every record has one of, by length: found, they need no new string. */
const COMMON_KEYS: readonly (readonly { readonly key: string; readonly bytes: Uint8Array }[])[] =
  keysByLength([
    PAX_MTIME,
    PAX_ATIME,
    PAX_CTIME,
    PAX_PATH,
    PAX_LINK_PATH,
    PAX_SIZE,
    PAX_UID,
    PAX_GID,
    PAX_USER_NAME,
    PAX_GROUP_NAME,
  ]);

function keysByLength(keys: readonly string[]): { key: string; bytes: Uint8Array }[][] {
  const longest = Math.max(...keys.map((key) => key.length));
  return Array.from({ length: longest + 1 }, (_, length) =>
    keys.filter((key) => key.length === length).map((key) => ({ key, bytes: latin1Bytes(key) })),
  );
}

export interface PaxRecord {
  readonly key: string;
  readonly value: Uint8Array;
  /** Index of the byte after the record. */
  readonly next: number;
}

/** NUL may be in values of free keys (extended attributes are binary) but in no key and in no text value. */
export function isValidPaxRecord(key: string, value: Uint8Array): boolean {
  if (key === '' || key.includes('=') || key.includes('\0')) return false;
  const isText = key === PAX_PATH || key === PAX_LINK_PATH || key === PAX_USER_NAME || key === PAX_GROUP_NAME;
  return !isText || !value.includes(0);
}

/** Reads the record at `start` of `bytes[0, end)`. @returns undefined when it is malformed */
export function parsePaxRecord(bytes: Uint8Array, start: number, end: number): PaxRecord | undefined {
  let at = start;
  let length = 0;
  for (; at < end && bytes[at] !== SPACE; at++) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9 || at - start >= MAX_LENGTH_DIGITS) return undefined;
    length = length * 10 + digit;
  }
  const newline = start + length - 1;
  if (at === start || at >= end || newline >= end || newline <= at) return undefined;
  if (bytes[newline] !== NEWLINE) return undefined;
  let equals = at + 1;
  while (equals < newline && bytes[equals] !== EQUALS) equals++;
  if (equals === newline) return undefined;
  const key = keyText(bytes, at + 1, equals);
  const value = copyBytes(bytes, equals + 1, newline);
  return isValidPaxRecord(key, value) ? { key, value, next: newline + 1 } : undefined;
}

function keyText(bytes: Uint8Array, start: number, end: number): string {
  for (const { key, bytes: known } of COMMON_KEYS[end - start] ?? []) {
    let same = 0;
    while (same < known.length && known[same] === bytes[start + same]) same++;
    if (same === known.length) return key;
  }
  return latin1(bytes, start, end);
}

/**
 * The body of an extended header. Of a repeated key the last value counts. The repeated, strictly alternating offset and
 * length records of GNU sparse format 0.0 are folded into one `GNU.sparse.map`, as in format 0.1.
 * @param offset byte offset of the body in the archive, for errors
 * @throws ARCHIVE_INVALID_PAX
 */
export function parsePaxBody(
  bytes: Uint8Array,
  start: number,
  end: number,
  offset: number,
): Map<string, Uint8Array> {
  const records = new Map<string, Uint8Array>();
  const sparse: Uint8Array[] = [];
  for (let at = start; at < end; ) {
    const record = parsePaxRecord(bytes, at, end);
    if (record === undefined) throw invalidRecord(offset + at - start);
    const { key, value } = record;
    if (key === PAX_SPARSE_OFFSET || key === PAX_SPARSE_LENGTH) {
      const expected = sparse.length % 2 === 0 ? PAX_SPARSE_OFFSET : PAX_SPARSE_LENGTH;
      if (key !== expected || value.includes(COMMA)) throw invalidRecord(offset + at - start);
      sparse.push(value);
    } else {
      records.set(key, value);
    }
    at = record.next;
  }
  if (sparse.length > 0) records.set(PAX_SPARSE_MAP, joinWithCommas(sparse));
  return records;
}

function invalidRecord(offset: number): LayerStoreError {
  return new LayerStoreError(
    'ARCHIVE_INVALID_PAX',
    `pax record at byte ${offset} is malformed; rebuild the archive with a conforming writer`,
    { offset },
  );
}

function joinWithCommas(values: readonly Uint8Array[]): Uint8Array {
  return concatBytes(values.flatMap((value, i) => (i === 0 ? [value] : [COMMA_BYTES, value])));
}

/** One record; its length counts its own digits. @returns undefined when key or value cannot be in a record */
export function formatPaxRecord(key: string, value: Uint8Array): Uint8Array | undefined {
  if (!isValidPaxRecord(key, value)) return undefined;
  // Space, equals sign and newline.
  const rest = key.length + value.length + 3;
  let length = rest + `${rest}`.length;
  // Counting its own digits may have made the number one digit longer.
  if (rest + `${length}`.length !== length) length = rest + `${length}`.length;
  return concatBytes([latin1Bytes(`${length} ${key}=`), value, Uint8Array.of(NEWLINE)]);
}
