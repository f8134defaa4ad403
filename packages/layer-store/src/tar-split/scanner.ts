import { Buffer } from 'node:buffer';
import { TYPE_FILE, TYPE_SEGMENT } from './entry.js';
import { invalid } from './invalid.js';
import { JsonValueEnd } from './json-value-end.js';

/** Longest JSON value accepted. Docker's own lines reach 1.4 MB (a 1 MiB segment); headers with large xattrs a few times that. */
const VALUE_LIMIT = 64 * 1024 * 1024;

const TYPE_KEY = Buffer.from('{"type":');
const PAYLOAD_KEY = Buffer.from(',"payload":');
const NAME_KEY = Buffer.from(',"name":"');
const SIZE_KEY = Buffer.from(',"size":');
const POSITION_KEY = Buffer.from(',"position":');
const NULL = Buffer.from('null');

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const CLOSE = 0x7d;
const EQUALS = 0x3d;
const EMPTY: Buffer = Buffer.alloc(0);
const CHECKSUM_BYTES = 8;
const BASE64_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const NO_DIGIT = 64;
/** What a character of base64 stands for, or {@link NO_DIGIT}. */
const BASE64_DIGITS: Uint8Array = base64Digits();

function base64Digits(): Uint8Array {
  const digits = new Uint8Array(256).fill(NO_DIGIT);
  for (let digit = 0; digit < 64; digit++) digits[BASE64_CHARACTERS.charCodeAt(digit)] = digit;
  return digits;
}

/** {@link TarSplitScanner.next} has used up its input. */
export const NEED_MORE = 0;

/**
 * Pulls entries out of a stream of JSON values. Lines as Docker and this package write them are taken apart in place;
 * anything else that is JSON (other key order, white space, unknown keys, several values a line) goes through JSON.parse.
 * The fields describe the entry that {@link next} returned last and are valid until the next call.
 * Fails with TAR_SPLIT_INVALID.
 */
export class TarSplitScanner {
  /** Entry name, for TYPE_FILE. */
  name: Buffer = EMPTY;
  /** Payload bytes read back from the layer, for TYPE_FILE. */
  size = 0;
  /** `position` of the entry. */
  position = 0;
  /** Decoded length: of the segment, or of the checksum (8, or 0 without one). */
  payloadLength = 0;

  #bytes: Buffer = EMPTY;
  #joined: Buffer = EMPTY;
  #at = 0;
  #newlineFrom = 0;
  #ended = false;
  /** Set while a value is read that the fast path did not know. */
  #slow: JsonValueEnd | undefined;
  #decoded: Buffer | undefined;
  readonly #checksum: Buffer = Buffer.alloc(CHECKSUM_BYTES);
  #textStart = 0;
  #textEnd = 0;
  /** Where the fast path stands in a line. */
  #cursor = 0;

  /** More input; `chunk` must stay as it is until everything in it has been scanned. */
  push(chunk: Uint8Array): void {
    const more = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const left = this.#bytes.length - this.#at;
    if (left + more.length > VALUE_LIMIT + 2 * 1024 * 1024) {
      throw invalid(`an entry is longer than ${VALUE_LIMIT} bytes`);
    }
    this.#newlineFrom = Math.max(0, this.#newlineFrom - this.#at);
    this.#bytes = left === 0 ? more : this.#join(left, more);
    this.#at = 0;
  }

  /** The last `left` bytes and `more`, in memory that is used again for every chunk. */
  #join(left: number, more: Buffer): Buffer {
    const needed = left + more.length;
    // `set` copes with a source in the same memory.
    const rest = this.#bytes.subarray(this.#at);
    if (needed > this.#joined.length) this.#joined = Buffer.allocUnsafeSlow(needed * 2);
    this.#joined.set(rest);
    this.#joined.set(more, left);
    return this.#joined.subarray(0, needed);
  }

  /** No more input: what is left must be complete. */
  end(): void {
    this.#ended = true;
  }

  next(): typeof TYPE_FILE | typeof TYPE_SEGMENT | typeof NEED_MORE {
    for (;;) {
      if (this.#slow === undefined) {
        if (!this.#skipSpace()) return NEED_MORE;
        let lineEnd = this.#bytes.indexOf(NEWLINE, Math.max(this.#at, this.#newlineFrom));
        if (lineEnd < 0) {
          this.#newlineFrom = this.#bytes.length;
          if (!this.#ended) return NEED_MORE;
          lineEnd = this.#bytes.length;
        }
        const type = this.#canonical(this.#at, lineEnd);
        if (type !== undefined) {
          this.#at = Math.min(lineEnd + 1, this.#bytes.length);
          return type;
        }
        this.#slow = new JsonValueEnd();
      }
      const end = this.#slow.find(this.#bytes, this.#at);
      if (end === undefined) {
        if (this.#ended) throw invalid('it ends inside an entry');
        return NEED_MORE;
      }
      const text = this.#bytes.toString('utf8', this.#at, end);
      this.#slow = undefined;
      this.#at = end;
      this.#newlineFrom = end;
      const type = this.#parsed(text);
      if (type !== undefined) return type;
    }
  }

  /** The payload of the entry; a view or a copy, valid until the next call of {@link next}. */
  payload(): Buffer {
    if (this.#decoded !== undefined) return this.#decoded;
    if (this.payloadLength === CHECKSUM_BYTES) return this.#decodeChecksum();
    const decoded = Buffer.allocUnsafe(this.payloadLength);
    this.decodePayload(decoded, 0);
    return decoded;
  }

  /** Writes the payload to `target[at…]`, which must have room for {@link payloadLength} bytes. */
  decodePayload(target: Buffer, at: number): void {
    if (this.#decoded !== undefined) {
      target.set(this.#decoded, at);
      return;
    }
    const text = this.#bytes.toString('latin1', this.#textStart, this.#textEnd);
    if (target.write(text, at, this.payloadLength, 'base64') !== this.payloadLength) {
      throw invalid(`the payload of entry ${this.position} is not base64`);
    }
  }

  /** Digit by digit: every file has one, and a string and a buffer for each cost several times as much. */
  #decodeChecksum(): Buffer {
    let valid = true;
    const digit = (at: number): number => {
      const value = BASE64_DIGITS[this.#bytes[at] as number] as number;
      if (value === NO_DIGIT) valid = false;
      return value;
    };
    for (let from = this.#textStart, to = 0; to < CHECKSUM_BYTES; from += 4, to += 3) {
      const first = (digit(from) << 10) | (digit(from + 1) << 4) | (digit(from + 2) >> 2);
      this.#checksum[to] = first >> 8;
      this.#checksum[to + 1] = first;
      if (to + 2 < CHECKSUM_BYTES) this.#checksum[to + 2] = (digit(from + 2) << 6) | digit(from + 3);
    }
    if (!valid) throw invalid(`the payload of entry ${this.position} is not base64`);
    return this.#checksum;
  }

  #skipSpace(): boolean {
    const bytes = this.#bytes;
    for (; this.#at < bytes.length; this.#at++) {
      const byte = bytes[this.#at];
      if (byte !== 0x20 && byte !== NEWLINE && byte !== 0x0d && byte !== 0x09) return true;
    }
    return false;
  }

  /** Takes the line `[start, end)` apart if it has exactly the shape that writers of this format produce. */
  #canonical(start: number, end: number): typeof TYPE_FILE | typeof TYPE_SEGMENT | undefined {
    const bytes = this.#bytes;
    this.#cursor = start;
    if (!this.#take(TYPE_KEY)) return undefined;
    const type = (bytes[this.#cursor++] as number) - 0x30;
    this.#decoded = undefined;
    if (type === TYPE_SEGMENT) {
      if (!this.#take(PAYLOAD_KEY) || !this.#base64(end) || !this.#position(end)) return undefined;
      return TYPE_SEGMENT;
    }
    if (type !== TYPE_FILE || !this.#plainName(end)) return undefined;
    this.size = 0;
    if (this.#take(SIZE_KEY)) {
      const size = this.#number(end);
      if (size === undefined) return undefined;
      this.size = size;
    }
    if (!this.#take(PAYLOAD_KEY)) return undefined;
    if (this.#take(NULL)) this.#noPayload();
    else if (!this.#base64(end)) return undefined;
    if (!this.#position(end)) return undefined;
    this.#checkFile();
    return TYPE_FILE;
  }

  #take(text: Buffer): boolean {
    const bytes = this.#bytes;
    const at = this.#cursor;
    for (let index = 0; index < text.length; index++) if (bytes[at + index] !== text[index]) return false;
    this.#cursor = at + text.length;
    return true;
  }

  #base64(end: number): boolean {
    const bytes = this.#bytes;
    if (bytes[this.#cursor] !== QUOTE) return false;
    const from = this.#cursor + 1;
    const to = bytes.indexOf(QUOTE, from);
    if (to < 0 || to >= end || (to - from) % 4 !== 0) return false;
    const padding = bytes[to - 1] !== EQUALS ? 0 : bytes[to - 2] === EQUALS ? 2 : 1;
    this.#textStart = from;
    this.#textEnd = to;
    this.payloadLength = to === from ? 0 : ((to - from) / 4) * 3 - padding;
    this.#cursor = to + 1;
    return true;
  }

  #plainName(end: number): boolean {
    this.name = EMPTY;
    if (!this.#take(NAME_KEY)) return true;
    const bytes = this.#bytes;
    const from = this.#cursor;
    for (let at = from; at < end; at++) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) {
        this.name = bytes.subarray(from, at);
        this.#cursor = at + 1;
        return true;
      }
      if (byte === BACKSLASH || byte < 0x20) return false;
    }
    return false;
  }

  #number(end: number): number | undefined {
    const bytes = this.#bytes;
    const from = this.#cursor;
    let value = 0;
    let at = from;
    for (; at < end; at++) {
      const digit = (bytes[at] as number) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    this.#cursor = at;
    return at === from || at - from > 15 ? undefined : value;
  }

  #position(end: number): boolean {
    if (!this.#take(POSITION_KEY)) return false;
    const value = this.#number(end);
    if (value === undefined || this.#bytes[this.#cursor] !== CLOSE || this.#cursor + 1 !== end) return false;
    this.position = value;
    return true;
  }

  #noPayload(): void {
    this.#decoded = EMPTY;
    this.payloadLength = 0;
  }

  #parsed(text: string): typeof TYPE_FILE | typeof TYPE_SEGMENT | undefined {
    let value: Record<string, unknown>;
    try {
      value = JSON.parse(text) as Record<string, unknown>;
    } catch (cause) {
      throw invalid('an entry is not JSON', cause);
    }
    const { type, name, name_raw: rawName, size = 0, payload, position = 0 } = value;
    if (type !== TYPE_FILE && type !== TYPE_SEGMENT) return undefined;
    this.position = count(position, 'position');
    this.#noPayload();
    if (payload !== null && payload !== undefined) this.#decoded = base64(payload, 'payload');
    this.payloadLength = this.#decoded?.length ?? 0;
    if (type === TYPE_SEGMENT) return TYPE_SEGMENT;
    this.size = count(size, 'size');
    if (typeof name === 'string' && name.length > 0) this.name = Buffer.from(name, 'utf8');
    else this.name = rawName === undefined || rawName === null ? EMPTY : base64(rawName, 'name_raw');
    this.#checkFile();
    return TYPE_FILE;
  }

  #checkFile(): void {
    if (this.size > 0 && this.payloadLength !== 8) {
      throw invalid(
        `the checksum of "${this.name.toString('latin1')}" has ${this.payloadLength} bytes instead of 8`,
      );
    }
  }
}

function base64(value: unknown, field: string): Buffer {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(value) || value.length % 4 !== 0) {
    throw invalid(`"${field}" is not base64`);
  }
  return Buffer.from(value, 'base64');
}

function count(value: unknown, field: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw invalid(`"${field}" is not a size`);
  }
  return value;
}
