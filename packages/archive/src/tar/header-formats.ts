/**
 * Which formats can hold a header, and the pax records it needs (spec/layer-archive.md 4.4). The rules are those of Go's
 * writer, so that the same tree gets the same digest as from Docker.
 */
import { isAscii, latin1Bytes } from './bytes.js';
import type { TarTime } from './entry.js';
import { type HeaderFields, unencodable } from './header-init.js';
import * as at from './layout.js';
import { fitsInBase256, fitsInOctal } from './numeric.js';
import * as pax from './pax-records.js';
import { formatPaxTime } from './pax-time.js';
import { splitUstarPath } from './ustar-path-split.js';

export interface HeaderFormats {
  /** Why a format cannot hold the header; undefined when it can. */
  readonly ustar: string | undefined;
  readonly pax: string | undefined;
  readonly gnu: string | undefined;
  /** ustar would do, but would lose nanoseconds. */
  readonly prefersPax: boolean;
  /** What the header blocks of the pax format cannot say themselves. */
  readonly records: ReadonlyMap<string, Uint8Array>;
}

/** Records that say what header fields say: never taken from the caller's own records. */
const FIELD_KEYS: ReadonlySet<string> = new Set([
  pax.PAX_PATH,
  pax.PAX_LINK_PATH,
  pax.PAX_SIZE,
  pax.PAX_UID,
  pax.PAX_GID,
  pax.PAX_USER_NAME,
  pax.PAX_GROUP_NAME,
  pax.PAX_MTIME,
  pax.PAX_ATIME,
  pax.PAX_CTIME,
]);

/** @throws ARCHIVE_HEADER_UNENCODABLE for a pax record that no archive can hold */
export function formatsOf(header: HeaderFields): HeaderFormats {
  const survey = new FormatSurvey(header);
  survey.text('name', header.name, at.NAME_LENGTH, pax.PAX_PATH);
  survey.text('link name', header.linkName, at.LINK_NAME_LENGTH, pax.PAX_LINK_PATH);
  survey.text('user name', header.userName, at.OWNER_NAME_LENGTH, pax.PAX_USER_NAME);
  survey.text('group name', header.groupName, at.OWNER_NAME_LENGTH, pax.PAX_GROUP_NAME);
  survey.number('mode', header.mode, at.SHORT_NUMBER_LENGTH, undefined);
  survey.number('uid', header.uid, at.SHORT_NUMBER_LENGTH, pax.PAX_UID);
  survey.number('gid', header.gid, at.SHORT_NUMBER_LENGTH, pax.PAX_GID);
  survey.number('size', header.size, at.LONG_NUMBER_LENGTH, pax.PAX_SIZE);
  survey.number('device major', header.deviceMajor, at.SHORT_NUMBER_LENGTH, undefined);
  survey.number('device minor', header.deviceMinor, at.SHORT_NUMBER_LENGTH, undefined);
  survey.modificationTime(header.mtime);
  survey.otherTime('atime', header.atime, pax.PAX_ATIME);
  survey.otherTime('ctime', header.ctime, pax.PAX_CTIME);
  survey.callersRecords(header);
  return survey;
}

class FormatSurvey implements HeaderFormats {
  ustar: string | undefined = undefined;
  pax: string | undefined = undefined;
  gnu: string | undefined = undefined;
  prefersPax = false;
  readonly records = new Map<string, Uint8Array>();
  readonly #given: ReadonlyMap<string, Uint8Array>;

  constructor(header: HeaderFields) {
    this.#given = header.pax;
  }

  text(field: string, value: Uint8Array, length: number, key: string): void {
    const tooLong = value.length > length;
    const gnuTakesLong = key === pax.PAX_PATH || key === pax.PAX_LINK_PATH;
    if (value.includes(0)) this.gnu ??= `its ${field} contains NUL`;
    if (tooLong && !gnuTakesLong) this.gnu ??= `its ${field} is longer than ${length} bytes`;
    if (tooLong || !isAscii(value)) {
      const splits = key === pax.PAX_PATH && splitUstarPath(value) !== undefined;
      if (!splits) this.ustar ??= `its ${field} is too long or not ASCII`;
      this.#record(key, value);
    }
    this.#keepGiven(key, value);
  }

  number(field: string, value: number, length: number, key: string | undefined): void {
    if (!fitsInBase256(length, value)) this.gnu ??= `its ${field} ${value} is out of range`;
    const digits = latin1Bytes(`${value}`);
    if (!fitsInOctal(length, value)) {
      this.ustar ??= `its ${field} ${value} is out of range`;
      if (key === undefined) this.pax ??= `its ${field} ${value} is out of range`;
      else this.#record(key, digits);
    }
    if (key !== undefined) this.#keepGiven(key, digits);
  }

  modificationTime(time: TarTime): void {
    const fits = fitsInOctal(at.LONG_NUMBER_LENGTH, time.seconds);
    if (!fits) this.ustar ??= `its mtime ${time.seconds} is out of range`;
    const text = latin1Bytes(formatPaxTime(time));
    if (!fits || time.nanoseconds !== 0) {
      this.prefersPax = true;
      this.#record(pax.PAX_MTIME, text);
    }
    this.#keepGiven(pax.PAX_MTIME, text);
  }

  otherTime(field: string, time: TarTime | undefined, key: string): void {
    if (time === undefined) return;
    this.ustar ??= `it has an ${field}`;
    this.prefersPax = true;
    this.#record(key, latin1Bytes(formatPaxTime(time)));
  }

  callersRecords(header: HeaderFields): void {
    for (const { name, value } of header.xattrs) {
      this.#record(`${pax.PAX_XATTR_PREFIX}${String.fromCharCode(...name)}`, value);
    }
    for (const [key, value] of header.pax) {
      if (this.records.has(key)) continue;
      // A sparse map that a copied header brought along would make readers expand the body.
      const conflicts = FIELD_KEYS.has(key) || key.startsWith(pax.PAX_SPARSE_PREFIX);
      if (header.kind === 'global' || !conflicts) this.#record(key, value);
    }
    if (header.xattrs.length > 0 || header.pax.size > 0 || header.kind === 'global') {
      const why = 'it has extended attributes or pax records';
      this.ustar ??= why;
      this.gnu ??= why;
    }
    for (const [key, value] of this.records) {
      if (pax.isValidPaxRecord(key, value)) continue;
      // NUL in a name cannot be told to ustar or GNU either.
      throw unencodable(
        header.name,
        `its pax record ${JSON.stringify(key)} has a key or value that is not allowed`,
      );
    }
  }

  #record(key: string, value: Uint8Array): void {
    this.records.set(key, value);
  }

  /** A record that was asked for and says the same as the field is kept even if the field alone would do. */
  #keepGiven(key: string, value: Uint8Array): void {
    const given = this.#given.get(key);
    if (given !== undefined && given.length === value.length && given.every((byte, i) => byte === value[i])) {
      this.#record(key, value);
    }
  }
}
