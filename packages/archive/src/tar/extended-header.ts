/**
 * What pax local headers and GNU long names say about the next ordinary entry (spec/layer-archive.md 3.6). Fields are
 * overridden in the order header, pax, GNU long name, GNU sparse name. They never apply to other extended headers in
 * between: a pax size that changed a following long name's body would make two readers see two archives (CVE-2025-62518).
 */
import { LayerStoreError } from '../errors.js';
import { copyBytes, EMPTY_BYTES, endOfString, latin1Bytes, showBytes } from './bytes.js';
import { parseDecimal } from './decimal.js';
import type { TarTime, TarXattr } from './entry.js';
import { checkSize, type DecodedHeader, isHeaderOnly } from './header-decode.js';
import { SLASH, TYPE_NUL } from './layout.js';
import * as pax from './pax-records.js';
import { parsePaxTime } from './pax-time.js';

type Records = ReadonlyMap<string, Uint8Array>;

/** Extended headers read since the last visible entry; of each sort the last one counts. */
export class ExtendedHeader {
  #pax: Records | undefined;
  #longName: Uint8Array = EMPTY_BYTES;
  #longLink: Uint8Array = EMPTY_BYTES;
  #present = false;

  setPax(records: Records): void {
    this.#pax = records;
    this.#present = true;
  }

  /** A GNU long name body: the text before the first NUL; empty means no override. */
  setLongName(body: Uint8Array, start: number, end: number): void {
    this.#longName = copyBytes(body, start, endOfString(body, start, end));
    this.#present = true;
  }

  /** The same for link targets. */
  setLongLink(body: Uint8Array, start: number, end: number): void {
    this.#longLink = copyBytes(body, start, endOfString(body, start, end));
    this.#present = true;
  }

  /** Forgets everything; also what a pax global header does, which is an entry of its own. */
  clear(): void {
    if (!this.#present) return;
    this.#pax = undefined;
    this.#longName = EMPTY_BYTES;
    this.#longLink = EMPTY_BYTES;
    this.#present = false;
  }

  /**
   * Completes an ordinary header and decides its kind and payload size. A sparse map is not looked at here.
   * @throws ARCHIVE_INVALID_PAX, ARCHIVE_SIZE_UNSUPPORTED
   */
  applyTo(header: DecodedHeader, offset: number): void {
    if (this.#present) {
      if (this.#pax !== undefined) applyPax(header, this.#pax, offset);
      if (this.#longName.length > 0) header.name = this.#longName;
      if (this.#longLink.length > 0) header.linkName = this.#longLink;
      this.clear();
    }
    // Before ustar, a directory was a NUL type with a slash at the end of its name.
    if (header.typeflag === TYPE_NUL && header.name[header.name.length - 1] === SLASH)
      header.kind = 'directory';
    header.payloadSize = isHeaderOnly(header.kind) ? 0 : header.size;
  }
}

/** Turns the header block of a pax global header into the entry that stands for it. */
export function applyGlobal(header: DecodedHeader, records: Records): void {
  header.format = 'pax';
  header.pax = records;
  header.xattrs = xattrsOf(records);
  header.size = 0;
  header.payloadSize = 0;
  // Docker's reader names the entry after the record, and its duplicate check goes by that name.
  const path = records.get(pax.PAX_PATH);
  if (path !== undefined && path.length > 0) header.name = path;
}

function applyPax(header: DecodedHeader, records: Records, offset: number): void {
  header.format = 'pax';
  header.pax = records;
  let hasXattrs = false;
  for (const [key, value] of records) {
    // An empty value takes a record back: the header's own value stays.
    if (value.length === 0) continue;
    switch (key) {
      case pax.PAX_PATH:
        header.name = value;
        break;
      case pax.PAX_LINK_PATH:
        header.linkName = value;
        break;
      case pax.PAX_USER_NAME:
        header.userName = value;
        break;
      case pax.PAX_GROUP_NAME:
        header.groupName = value;
        break;
      case pax.PAX_SIZE:
        header.size = paxSize(key, value, offset);
        break;
      case pax.PAX_UID:
        header.uid = paxInteger(key, value, offset);
        break;
      case pax.PAX_GID:
        header.gid = paxInteger(key, value, offset);
        break;
      case pax.PAX_MTIME:
        header.mtime = paxTime(key, value, offset);
        break;
      case pax.PAX_ATIME:
        header.atime = paxTime(key, value, offset);
        break;
      case pax.PAX_CTIME:
        header.ctime = paxTime(key, value, offset);
        break;
      default:
        hasXattrs ||= key.startsWith(pax.PAX_XATTR_PREFIX);
    }
  }
  if (hasXattrs) header.xattrs = xattrsOf(records);
}

function xattrsOf(records: Records): TarXattr[] {
  const xattrs: TarXattr[] = [];
  for (const [key, value] of records) {
    if (!key.startsWith(pax.PAX_XATTR_PREFIX) || value.length === 0) continue;
    xattrs.push({ name: latin1Bytes(key.slice(pax.PAX_XATTR_PREFIX.length)), value });
  }
  return xattrs;
}

function invalidValue(key: string, value: Uint8Array, offset: number): LayerStoreError {
  return new LayerStoreError(
    'ARCHIVE_INVALID_PAX',
    `pax record ${key}=${showBytes(value)} of the tar header at byte ${offset} is not a usable number`,
    { offset },
  );
}

/** A size record. @throws ARCHIVE_INVALID_PAX when malformed, ARCHIVE_SIZE_UNSUPPORTED when negative or over 2^53-1 */
export function paxSize(key: string, value: Uint8Array, offset: number): number {
  const size = parseDecimal(value);
  if (Number.isNaN(size)) throw invalidValue(key, value, offset);
  return checkSize(size, offset);
}

function paxInteger(key: string, value: Uint8Array, offset: number): number {
  const number = parseDecimal(value);
  if (!Number.isSafeInteger(number)) throw invalidValue(key, value, offset);
  return number;
}

function paxTime(key: string, value: Uint8Array, offset: number): TarTime {
  const time = parsePaxTime(value);
  if (time === undefined) throw invalidValue(key, value, offset);
  return time;
}
