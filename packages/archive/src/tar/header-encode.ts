/**
 * Encodes tar headers. The default gives the bytes that Docker's Go writer gives for the same entry (spec/layer-archive.md
 * 4.4): plain ustar when everything fits, else a pax header in front.
 */
import { LayerStoreError } from '../errors.js';
import { concatBytes, latin1Bytes } from './bytes.js';
import { blockSum, checksumOfSum } from './checksum.js';
import type { TarTime } from './entry.js';
import { formatsOf } from './header-formats.js';
import { type HeaderFields, resolveHeader, type TarHeaderInit, unencodable } from './header-init.js';
import * as at from './layout.js';
import { formatNumeric, formatOctal } from './numeric.js';
import { paxHeaderName, rawFileName } from './pax-header-name.js';
import { formatPaxRecord } from './pax-records.js';
import { splitUstarPath } from './ustar-path-split.js';

/**
 * - `pax`: ustar blocks, with a pax header where ustar cannot say it all (default)
 * - `ustar`: ustar blocks or an error
 * - `gnu`: GNU blocks, with base-256 numbers and long name entries
 */
export type EncodeFormat = 'pax' | 'ustar' | 'gnu';

export interface EncodeTarHeaderOptions {
  readonly format?: EncodeFormat;
  /** Keep nanoseconds, in pax records; without it times are cut to whole seconds, as Docker does. Default false. */
  readonly subSecondTimes?: boolean;
}

const FORMATS: readonly string[] = ['pax', 'ustar', 'gnu'] satisfies readonly EncodeFormat[];
const OPTIONS: readonly string[] = [
  'format',
  'subSecondTimes',
] satisfies readonly (keyof EncodeTarHeaderOptions)[];
/** Readers refuse more (CVE-2022-2879). */
const MAX_PAX_BODY = 1024 * 1024;
const GNU_LONG_NAME = '././@LongLink';
const DEFAULT_GLOBAL_NAME = 'GlobalHead.0.0';
const USTAR_MAGIC: Uint8Array = latin1Bytes('ustar\x0000');
const GNU_MAGIC: Uint8Array = latin1Bytes('ustar  \0');
const NUL: Uint8Array = new Uint8Array(1);

/** @throws OPTION_UNKNOWN, OPTION_INVALID */
export function assertEncodeOptions(options: EncodeTarHeaderOptions): void {
  for (const option of Object.keys(options)) {
    if (!OPTIONS.includes(option)) {
      throw new LayerStoreError('OPTION_UNKNOWN', `encodeTarHeader: option "${option}" is not known`, {
        option,
      });
    }
  }
  if (options.format !== undefined && !FORMATS.includes(options.format)) {
    throw new LayerStoreError(
      'OPTION_INVALID',
      `encodeTarHeader: format must be one of ${FORMATS.join(', ')}`,
      {
        option: 'format',
      },
    );
  }
  if (options.subSecondTimes !== undefined && typeof options.subSecondTimes !== 'boolean') {
    throw new LayerStoreError('OPTION_INVALID', 'encodeTarHeader: subSecondTimes must be true or false', {
      option: 'subSecondTimes',
    });
  }
}

/**
 * All blocks of an entry's header, pax and GNU extensions included; a multiple of 512 bytes. The body and its padding
 * ({@link tarPadding}) follow.
 * @throws ARCHIVE_HEADER_UNENCODABLE when the format cannot hold a value, OPTION_UNKNOWN, OPTION_INVALID
 */
export function encodeTarHeader(init: TarHeaderInit, options: EncodeTarHeaderOptions = {}): Uint8Array {
  assertEncodeOptions(options);
  const exact = resolveHeader(init);
  const header = options.subSecondTimes === true ? exact : withWholeSeconds(exact);
  const formats = formatsOf(header);
  const format = options.format ?? 'pax';
  if (format === 'gnu') {
    if (formats.gnu !== undefined) throw unencodable(header.name, `in GNU format ${formats.gnu}`);
    return encodeGnu(header);
  }
  if (formats.ustar === undefined && (format === 'ustar' || !formats.prefersPax)) return encodeUstar(header);
  const fault = format === 'ustar' ? formats.ustar : formats.pax;
  if (fault !== undefined) throw unencodable(header.name, `in ${format} format ${fault}`);
  return encodePax(header, formats.records);
}

function withWholeSeconds(header: HeaderFields): HeaderFields {
  const { mtime, atime, ctime } = header;
  return {
    ...header,
    mtime: wholeSeconds(mtime),
    atime: atime && wholeSeconds(atime),
    ctime: ctime && wholeSeconds(ctime),
  };
}

function wholeSeconds(time: TarTime): TarTime {
  return time.nanoseconds === 0 ? time : { seconds: time.seconds, nanoseconds: 0 };
}

type NumberFormat = typeof formatOctal;

function encodeUstar(header: HeaderFields): Uint8Array {
  const path = splitUstarPath(header.name);
  const block = mainBlock(path === undefined ? header : { ...header, name: path.name }, formatOctal);
  if (path !== undefined) block.set(path.prefix, at.PREFIX_OFFSET);
  return seal(block, USTAR_MAGIC);
}

function encodePax(header: HeaderFields, records: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const isGlobal = header.kind === 'global';
  const parts: Uint8Array[] = [];
  if (records.size > 0 || isGlobal) {
    const body = paxBody(header, records);
    const globalName = header.name.length === 0 ? DEFAULT_GLOBAL_NAME : String.fromCharCode(...header.name);
    const name = isGlobal ? rawFileName(globalName) : paxHeaderName(header.name);
    parts.push(...rawFile(name, isGlobal ? at.TYPE_PAX_GLOBAL : at.TYPE_PAX_LOCAL, body, USTAR_MAGIC));
  }
  if (!isGlobal) parts.push(seal(mainBlock(asciiOnly(header), formatOctal), USTAR_MAGIC));
  return concatBytes(parts);
}

function paxBody(header: HeaderFields, records: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const lines: Uint8Array[] = [];
  for (const [key, value] of [...records].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const line = formatPaxRecord(key, value);
    if (line !== undefined) lines.push(line);
  }
  const body = concatBytes(lines);
  if (body.length > MAX_PAX_BODY) {
    throw unencodable(
      header.name,
      `its pax records take ${body.length} bytes, over the limit of ${MAX_PAX_BODY}`,
    );
  }
  return body;
}

function encodeGnu(header: HeaderFields): Uint8Array {
  const parts: Uint8Array[] = [];
  if (header.name.length > at.NAME_LENGTH) {
    parts.push(...rawFile(GNU_LONG_NAME, at.TYPE_GNU_LONG_NAME, concatBytes([header.name, NUL]), GNU_MAGIC));
  }
  if (header.linkName.length > at.LINK_NAME_LENGTH) {
    parts.push(
      ...rawFile(GNU_LONG_NAME, at.TYPE_GNU_LONG_LINK, concatBytes([header.linkName, NUL]), GNU_MAGIC),
    );
  }
  const block = mainBlock(header, formatNumeric);
  if (header.atime !== undefined) {
    formatNumeric(block, at.GNU_ATIME_OFFSET, at.LONG_NUMBER_LENGTH, header.atime.seconds);
  }
  if (header.ctime !== undefined) {
    formatNumeric(block, at.GNU_CTIME_OFFSET, at.LONG_NUMBER_LENGTH, header.ctime.seconds);
  }
  parts.push(seal(block, GNU_MAGIC));
  return concatBytes(parts);
}

/** The fields that all formats share; neither magic nor checksum. */
function mainBlock(header: HeaderFields, format: NumberFormat): Uint8Array {
  const block = new Uint8Array(at.BLOCK_SIZE);
  block[at.TYPEFLAG_OFFSET] = header.typeflag;
  putText(block, at.NAME_OFFSET, at.NAME_LENGTH, header.name);
  putText(block, at.LINK_NAME_OFFSET, at.LINK_NAME_LENGTH, header.linkName);
  format(block, at.MODE_OFFSET, at.SHORT_NUMBER_LENGTH, header.mode);
  format(block, at.UID_OFFSET, at.SHORT_NUMBER_LENGTH, header.uid);
  format(block, at.GID_OFFSET, at.SHORT_NUMBER_LENGTH, header.gid);
  format(block, at.SIZE_OFFSET, at.LONG_NUMBER_LENGTH, header.size);
  format(block, at.MTIME_OFFSET, at.LONG_NUMBER_LENGTH, header.mtime.seconds);
  putText(block, at.USER_NAME_OFFSET, at.OWNER_NAME_LENGTH, header.userName);
  putText(block, at.GROUP_NAME_OFFSET, at.OWNER_NAME_LENGTH, header.groupName);
  format(block, at.DEVICE_MAJOR_OFFSET, at.SHORT_NUMBER_LENGTH, header.deviceMajor);
  format(block, at.DEVICE_MINOR_OFFSET, at.SHORT_NUMBER_LENGTH, header.deviceMinor);
  return block;
}

/** Cuts to the field. A cut that would leave a slash at the end is undone: old readers would see a directory. */
function putText(block: Uint8Array, offset: number, length: number, text: Uint8Array): void {
  block.set(text.length > length ? text.subarray(0, length) : text, offset);
  if (text.length <= length || text[length - 1] !== at.SLASH) return;
  let end = length - 1;
  while (end > 0 && text[end - 1] === at.SLASH) end--;
  block[offset + end] = 0;
}

function asciiOnly(header: HeaderFields): HeaderFields {
  const filter = (text: Uint8Array): Uint8Array => text.filter((byte) => byte > 0 && byte < 0x80);
  return {
    ...header,
    name: filter(header.name),
    linkName: filter(header.linkName),
    userName: filter(header.userName),
    groupName: filter(header.groupName),
  };
}

/** An extended header: its block, its body and the padding. Owner, mode and time are zero. */
function rawFile(name: string, typeflag: number, body: Uint8Array, magic: Uint8Array): Uint8Array[] {
  const block = new Uint8Array(at.BLOCK_SIZE);
  block[at.TYPEFLAG_OFFSET] = typeflag;
  block.set(latin1Bytes(name), at.NAME_OFFSET);
  for (const offset of [at.MODE_OFFSET, at.UID_OFFSET, at.GID_OFFSET]) {
    formatOctal(block, offset, at.SHORT_NUMBER_LENGTH, 0);
  }
  formatOctal(block, at.SIZE_OFFSET, at.LONG_NUMBER_LENGTH, body.length);
  formatOctal(block, at.MTIME_OFFSET, at.LONG_NUMBER_LENGTH, 0);
  return [seal(block, magic), body, new Uint8Array(at.tarPadding(body.length))];
}

/** Sets the magic and, last, the checksum: six octal digits, NUL, space. */
function seal(block: Uint8Array, magic: Uint8Array): Uint8Array {
  block.set(magic, at.MAGIC_OFFSET);
  const sum = checksumOfSum(blockSum(new DataView(block.buffer), 0), block, 0);
  formatOctal(block, at.CHECKSUM_OFFSET, at.CHECKSUM_LENGTH - 1, sum);
  block[at.CHECKSUM_OFFSET + at.CHECKSUM_LENGTH - 1] = at.SPACE;
  return block;
}
