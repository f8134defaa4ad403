import { Buffer, isUtf8 } from 'node:buffer';

/** Characters of a base64 CRC-64. */
export const CHECKSUM_CHARACTERS = 12;

const SEGMENT_HEAD = Buffer.from('{"type":2,"payload":"');
const FILE_HEAD = Buffer.from('{"type":1');
const NAME_KEY = Buffer.from(',"name":"');
const RAW_NAME_KEY = Buffer.from(',"name_raw":"');
const SIZE_KEY = Buffer.from(',"size":');
const PAYLOAD_KEY = Buffer.from(',"payload":"');
const NULL_PAYLOAD = Buffer.from(',"payload":null');
const POSITION_KEY = Buffer.from(',"position":');
const PLACEHOLDER = Buffer.alloc(CHECKSUM_CHARACTERS, 'A');
const LINE_END = Buffer.from('}\n');
const BASE64_DIGITS = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');

const QUOTE = 0x22;
const EQUALS = 0x3d;
const HEX = '0123456789abcdef';
/** Keys, punctuation and two numbers of up to 16 digits; generous. */
const FIXED_PART = 128;
/** `\u00XX` is the longest a single byte of a name becomes. */
const LONGEST_ESCAPE = 6;

/** 1 for bytes that stand for themselves in Go's JSON strings and are ASCII. */
const PLAIN: Uint8Array = plainBytes();

function plainBytes(): Uint8Array {
  const plain = new Uint8Array(256);
  plain.fill(1, 0x20, 0x80);
  for (const special of '"\\<>&') plain[special.charCodeAt(0)] = 0;
  return plain;
}

/** Room a segment line of `length` raw bytes needs. */
export function segmentLineRoom(length: number): number {
  return FIXED_PART + base64Length(length);
}

/** Room the line of an entry with a name of `length` bytes needs. */
export function fileLineRoom(length: number): number {
  return FIXED_PART + length * LONGEST_ESCAPE;
}

/** The lines of segments, written into a caller's buffer. */
export class SegmentLineEncoder {
  /** Where in the line encoded last the base64 belongs: see {@link fillBase64Rooms}. */
  roomAt = 0;

  /** Writes the line at `at`, with room for the base64 of `raw[start…end)`, and returns where the line ends. */
  encode(target: Buffer, at: number, raw: Buffer, start: number, end: number, position: number): number {
    const room = put(target, at, SEGMENT_HEAD);
    this.roomAt = room;
    let to = room + base64Length(end - start);
    raw.copy(target, to - (end - start), start, end);
    target[to++] = QUOTE;
    to = put(target, to, POSITION_KEY);
    to = putNumber(target, to, position);
    return put(target, to, LINE_END);
  }
}

/**
 * Encodes what waits in rooms for base64: pairs of where a room begins and how many bytes lie at the end of it. The addon does
 * the same as it compresses a block.
 */
export function fillBase64Rooms(lines: Buffer, rooms: Uint32Array): void {
  for (let index = 0; index < rooms.length; index += 2) {
    const at = rooms[index] as number;
    const length = rooms[index + 1] as number;
    const end = at + base64Length(length);
    lines.write(lines.toString('base64', end - length, end), at, 'latin1');
  }
}

function base64Length(length: number): number {
  return Math.ceil(length / 3) * 4;
}

/** The lines of entries, written into a caller's buffer. */
export class FileLineEncoder {
  /** Where the line encoded last has the {@link CHECKSUM_CHARACTERS} of its checksum; meaningless for size 0. */
  checksumAt = 0;

  /** Writes the line at `at` with a placeholder for the checksum and returns where the line ends. */
  encode(target: Buffer, at: number, name: Uint8Array, size: number, position: number): number {
    let to = put(target, at, FILE_HEAD);
    if (name.length > 0) to = putName(target, to, name);
    if (size > 0) {
      to = put(target, to, SIZE_KEY);
      to = putNumber(target, to, size);
      to = put(target, to, PAYLOAD_KEY);
      this.checksumAt = to;
      to = put(target, to, PLACEHOLDER);
      target[to++] = QUOTE;
    } else {
      to = put(target, to, NULL_PAYLOAD);
    }
    to = put(target, to, POSITION_KEY);
    to = putNumber(target, to, position);
    return put(target, to, LINE_END);
  }
}

/** Replaces the placeholder at `at` by the base64 of the 8 bytes of `crc`. */
export function patchChecksum(target: Buffer, at: number, crc: Uint8Array): void {
  // Digit by digit: to make a string of it costs several times as much.
  let to = at;
  for (let from = 0; from < 9; from += 3) {
    const three = ((crc[from] as number) << 16) | ((crc[from + 1] as number) << 8) | (crc[from + 2] ?? 0);
    target[to++] = BASE64_DIGITS[three >> 18] as number;
    target[to++] = BASE64_DIGITS[(three >> 12) & 63] as number;
    target[to++] = BASE64_DIGITS[(three >> 6) & 63] as number;
    target[to++] = BASE64_DIGITS[three & 63] as number;
  }
  target[to - 1] = EQUALS;
}

function put(target: Buffer, at: number, text: Uint8Array): number {
  // A loop: these are a dozen bytes each, and a call out of JavaScript costs more than that.
  for (let index = 0; index < text.length; index++) target[at + index] = text[index] as number;
  return at + text.length;
}

function putNumber(target: Buffer, at: number, value: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  let rest = value;
  for (let index = at + digits - 1; index >= at; index--) {
    const next = Math.floor(rest / 10);
    target[index] = 0x30 + (rest - next * 10);
    rest = next;
  }
  return at + digits;
}

function putName(target: Buffer, at: number, name: Uint8Array): number {
  let to = put(target, at, NAME_KEY);
  const start = to;
  for (let index = 0; index < name.length; index++) {
    const byte = name[index] as number;
    if (PLAIN[byte] === 0) return putUnusualName(target, at, start, name, index);
    target[to++] = byte;
  }
  target[to++] = QUOTE;
  return to;
}

/** A name with something to escape (from byte `from` on), or one that is no UTF-8 and goes under `name_raw`. */
function putUnusualName(
  target: Buffer,
  keyAt: number,
  textAt: number,
  name: Uint8Array,
  from: number,
): number {
  if (!isUtf8(name)) {
    const to = put(target, keyAt, RAW_NAME_KEY);
    const text = Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString('base64');
    const end = to + target.write(text, to, 'latin1');
    target[end] = QUOTE;
    return end + 1;
  }
  let to = textAt + from;
  for (let index = from; index < name.length; index++) {
    const byte = name[index] as number;
    if (PLAIN[byte] === 1) {
      target[to++] = byte;
    } else if (byte < 0x80) {
      to += target.write(escapeAscii(byte), to, 'latin1');
    } else if (byte === 0xe2 && name[index + 1] === 0x80 && ((name[index + 2] as number) & 0xfe) === 0xa8) {
      // Go escapes U+2028 and U+2029, which are line ends to JavaScript.
      to += target.write(name[index + 2] === 0xa8 ? '\\u2028' : '\\u2029', to, 'latin1');
      index += 2;
    } else {
      target[to++] = byte;
    }
  }
  target[to++] = QUOTE;
  return to;
}

function escapeAscii(byte: number): string {
  switch (byte) {
    case 0x22:
      return '\\"';
    case 0x5c:
      return '\\\\';
    case 0x0a:
      return '\\n';
    case 0x0d:
      return '\\r';
    case 0x09:
      return '\\t';
    default:
      return `\\u00${HEX[byte >> 4]}${HEX[byte & 15]}`;
  }
}
