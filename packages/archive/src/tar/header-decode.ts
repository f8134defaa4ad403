/** Decodes one 512-byte header block (spec/layer-archive.md 3.6). Extended headers are applied elsewhere. */
import { LayerStoreError } from '../errors.js';
import { concatBytes, copyBytes, EMPTY_BYTES, endOfString, isAscii } from './bytes.js';
import { checksumOfSum, signedChecksum } from './checksum.js';
import type { SparseFragment, TarFormat, TarHeader, TarKind, TarTime, TarXattr } from './entry.js';
import * as at from './layout.js';
import { parseNumeric, parseOctal } from './numeric.js';

const NO_XATTRS: readonly TarXattr[] = Object.freeze([]);
const NO_PAX: ReadonlyMap<string, Uint8Array> = new Map();
const SEPARATOR: Uint8Array = Uint8Array.of(at.SLASH);
const EPOCH: TarTime = Object.freeze({ seconds: 0, nanoseconds: 0 });

/** One hidden class for every entry: this object is made a million times a second. Complete before a handler sees it. */
export class DecodedHeader implements TarHeader {
  kind: TarKind = 'other';
  typeflag = 0;
  format: TarFormat = 'v7';
  name: Uint8Array = EMPTY_BYTES;
  linkName: Uint8Array = EMPTY_BYTES;
  mode = 0;
  uid = 0;
  gid = 0;
  size = 0;
  payloadSize = 0;
  mtime: TarTime = EPOCH;
  atime: TarTime | undefined = undefined;
  ctime: TarTime | undefined = undefined;
  userName: Uint8Array = EMPTY_BYTES;
  groupName: Uint8Array = EMPTY_BYTES;
  deviceMajor = 0;
  deviceMinor = 0;
  xattrs: readonly TarXattr[] = NO_XATTRS;
  pax: ReadonlyMap<string, Uint8Array> = NO_PAX;
  sparse: readonly SparseFragment[] | undefined = undefined;
}

/** @throws always; `what` completes "tar header at byte N …" */
export function invalidHeader(offset: number, what: string): never {
  throw new LayerStoreError('ARCHIVE_INVALID_HEADER', `tar header at byte ${offset} ${what}`, { offset });
}

/** A size must be 0..2^53-1. @throws ARCHIVE_INVALID_HEADER when malformed, ARCHIVE_SIZE_UNSUPPORTED when out of range */
export function checkSize(size: number, offset: number): number {
  if (size >= 0 && size <= Number.MAX_SAFE_INTEGER) return size;
  if (Number.isNaN(size)) invalidHeader(offset, 'has a malformed size');
  throw new LayerStoreError(
    'ARCHIVE_SIZE_UNSUPPORTED',
    `tar header at byte ${offset} has a size that is ${size < 0 ? 'negative' : 'over 2^53-1 bytes'}`,
    { offset },
  );
}

/** Type flags 0x00..0x7f by index; everything not named is `other`. */
const KINDS: readonly TarKind[] = Array.from({ length: 128 }, (_, typeflag): TarKind => {
  if (typeflag === at.TYPE_HARDLINK) return 'hardlink';
  if (typeflag === at.TYPE_SYMLINK) return 'symlink';
  if (typeflag === at.TYPE_CHAR) return 'char';
  if (typeflag === at.TYPE_BLOCK) return 'block';
  if (typeflag === at.TYPE_DIRECTORY) return 'directory';
  if (typeflag === at.TYPE_FIFO) return 'fifo';
  if (typeflag === at.TYPE_GNU_SPARSE) return 'sparse';
  if (typeflag === at.TYPE_PAX_GLOBAL) return 'global';
  const isFile = typeflag === at.TYPE_FILE || typeflag === at.TYPE_NUL || typeflag === at.TYPE_CONTIGUOUS;
  return isFile ? 'file' : 'other';
});

/** Kinds whose size field says nothing about what follows them. */
export function isHeaderOnly(kind: TarKind): boolean {
  return !(kind === 'file' || kind === 'sparse' || kind === 'other' || kind === 'global');
}

const MAGIC: readonly number[] = [0x75, 0x73, 0x74, 0x61, 0x72];
const STAR_TRAILER: readonly number[] = [0x74, 0x61, 0x72, 0];

function matches(block: Uint8Array, start: number, text: readonly number[]): boolean {
  for (let i = 0; i < text.length; i++) if (block[start + i] !== text[i]) return false;
  return true;
}

function formatOf(block: Uint8Array, start: number): 'v7' | 'ustar' | 'star' | 'gnu' {
  if (!matches(block, start + at.MAGIC_OFFSET, MAGIC)) return 'v7';
  const byte = block[start + at.MAGIC_OFFSET + MAGIC.length];
  if (byte === 0) return matches(block, start + at.STAR_TRAILER_OFFSET, STAR_TRAILER) ? 'star' : 'ustar';
  const isGnu =
    byte === at.SPACE &&
    block[start + at.VERSION_OFFSET] === at.SPACE &&
    block[start + at.VERSION_OFFSET + 1] === 0;
  return isGnu ? 'gnu' : 'v7';
}

/** True when `block` has the GNU magic: only then is a type `S` header an old GNU sparse header. */
export function hasGnuMagic(block: Uint8Array, start: number): boolean {
  return formatOf(block, start) === 'gnu';
}

/** Keeps the owner names of the last header: in one archive nearly all are equal, and are then one object. */
export class HeaderDecoder {
  #user: Uint8Array = EMPTY_BYTES;
  #group: Uint8Array = EMPTY_BYTES;

  /**
   * @param start index of the block in `block`
   * @param sum what `blockSum` says for it
   * @param offset byte offset of the block in the archive, for errors
   * @throws ARCHIVE_INVALID_HEADER, ARCHIVE_SIZE_UNSUPPORTED
   */
  decode(block: Uint8Array, start: number, sum: number, offset: number): DecodedHeader {
    const checksum = parseOctal(block, start + at.CHECKSUM_OFFSET, at.CHECKSUM_LENGTH);
    if (checksum !== checksumOfSum(sum, block, start) && checksum !== signedChecksum(block, start)) {
      invalidHeader(offset, 'has a wrong checksum; the archive is damaged or is not a tar');
    }
    const header = new DecodedHeader();
    header.typeflag = block[start + at.TYPEFLAG_OFFSET] ?? 0;
    header.kind = KINDS[header.typeflag] ?? 'other';
    header.name = text(block, start + at.NAME_OFFSET, at.NAME_LENGTH);
    header.linkName = text(block, start + at.LINK_NAME_OFFSET, at.LINK_NAME_LENGTH);
    header.size = checkSize(parseNumeric(block, start + at.SIZE_OFFSET, at.LONG_NUMBER_LENGTH), offset);
    header.mode = shortNumber(block, start + at.MODE_OFFSET, 'mode', offset);
    header.uid = shortNumber(block, start + at.UID_OFFSET, 'uid', offset);
    header.gid = shortNumber(block, start + at.GID_OFFSET, 'gid', offset);
    header.mtime = time(block, start + at.MTIME_OFFSET, 'mtime', offset);
    const format = formatOf(block, start);
    if (format !== 'v7') this.#decodeOwnerAndDevice(header, block, start, offset);
    if (format === 'ustar') prependPrefix(header, text(block, start + at.PREFIX_OFFSET, at.PREFIX_LENGTH));
    else if (format === 'gnu') decodeGnuTimes(header, block, start);
    else if (format === 'star') decodeStar(header, block, start, offset);
    header.format = format;
    return header;
  }

  #decodeOwnerAndDevice(header: DecodedHeader, block: Uint8Array, start: number, offset: number): void {
    this.#user = sameOrCopy(this.#user, block, start + at.USER_NAME_OFFSET);
    this.#group = sameOrCopy(this.#group, block, start + at.GROUP_NAME_OFFSET);
    header.userName = this.#user;
    header.groupName = this.#group;
    header.deviceMajor = shortNumber(block, start + at.DEVICE_MAJOR_OFFSET, 'device major', offset);
    header.deviceMinor = shortNumber(block, start + at.DEVICE_MINOR_OFFSET, 'device minor', offset);
  }
}

function text(block: Uint8Array, start: number, length: number): Uint8Array {
  return copyBytes(block, start, endOfString(block, start, start + length));
}

function sameOrCopy(last: Uint8Array, block: Uint8Array, start: number): Uint8Array {
  const end = endOfString(block, start, start + at.OWNER_NAME_LENGTH);
  if (end - start !== last.length) return copyBytes(block, start, end);
  for (let i = 0; i < last.length; i++) if (last[i] !== block[start + i]) return copyBytes(block, start, end);
  return last;
}

function finite(value: number, field: string, offset: number): number {
  if (!Number.isSafeInteger(value)) {
    invalidHeader(offset, `has a ${field} that is malformed or outside ±(2^53-1)`);
  }
  return value;
}

function shortNumber(block: Uint8Array, start: number, field: string, offset: number): number {
  return finite(parseNumeric(block, start, at.SHORT_NUMBER_LENGTH), field, offset);
}

function time(block: Uint8Array, start: number, field: string, offset: number): TarTime {
  return {
    seconds: finite(parseNumeric(block, start, at.LONG_NUMBER_LENGTH), field, offset),
    nanoseconds: 0,
  };
}

function prependPrefix(header: DecodedHeader, prefix: Uint8Array): void {
  if (prefix.length > 0) header.name = concatBytes([prefix, SEPARATOR, header.name]);
}

function decodeStar(header: DecodedHeader, block: Uint8Array, start: number, offset: number): void {
  prependPrefix(header, text(block, start + at.PREFIX_OFFSET, at.STAR_PREFIX_LENGTH));
  header.atime = time(block, start + at.STAR_ATIME_OFFSET, 'atime', offset);
  header.ctime = time(block, start + at.STAR_CTIME_OFFSET, 'ctime', offset);
}

/**
 * GNU headers have no prefix, but Go's writer before 1.8 put one where the times are when a name was long and a number
 * needed base-256. Text that is no number tells such a header, and its name is completed as its writer meant it.
 */
function decodeGnuTimes(header: DecodedHeader, block: Uint8Array, start: number): void {
  const atime = gnuTime(block, start + at.GNU_ATIME_OFFSET);
  const ctime = gnuTime(block, start + at.GNU_CTIME_OFFSET);
  if (!Number.isNaN(atime) && !Number.isNaN(ctime)) {
    header.atime = optionalTime(atime);
    header.ctime = optionalTime(ctime);
    return;
  }
  const prefix = text(block, start + at.PREFIX_OFFSET, at.PREFIX_LENGTH);
  if (isAscii(prefix)) prependPrefix(header, prefix);
}

/** Infinity where there is no time: no field can say so itself. */
function gnuTime(block: Uint8Array, start: number): number {
  return block[start] === 0 ? Number.POSITIVE_INFINITY : parseNumeric(block, start, at.LONG_NUMBER_LENGTH);
}

/** A time outside ±(2^53-1) is dropped: nothing is extracted from these two fields that could be wrong then. */
function optionalTime(seconds: number): TarTime | undefined {
  return Number.isSafeInteger(seconds) ? { seconds, nanoseconds: 0 } : undefined;
}
