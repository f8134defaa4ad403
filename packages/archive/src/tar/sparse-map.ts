/**
 * Sparse file maps: old GNU (in the header and extension blocks), pax 0.0 and 0.1 (in records), pax 1.0 (in front of the
 * data). See spec/layer-archive.md 3.6. Numbers that came out as NaN or ±Infinity are kept until
 * {@link isValidSparseMap} refuses them.
 */
import { parseDecimal } from './decimal.js';
import type { SparseFragment } from './entry.js';
import { LONG_NUMBER_LENGTH } from './layout.js';
import { parseNumeric } from './numeric.js';

const PAIR_LENGTH = 2 * LONG_NUMBER_LENGTH;
const COMMA = 0x2c;
const NEWLINE = 0x0a;

/** Fragments are safe integers, not negative, ascending, without overlap, and inside `size`. */
export function isValidSparseMap(map: readonly SparseFragment[], size: number): boolean {
  let previousEnd = 0;
  for (const { offset, length } of map) {
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length)) return false;
    const end = offset + length;
    if (offset < previousEnd || length < 0 || end > size) return false;
    previousEnd = end;
  }
  return size >= 0;
}

/** Bytes that the archive stores for a map. */
export function storedLength(map: readonly SparseFragment[]): number {
  let sum = 0;
  for (const { length } of map) sum += length;
  return sum;
}

/** Appends up to `count` old GNU pairs at `at`; the list ends at the first pair whose offset field starts with NUL. */
export function readOldGnuPairs(block: Uint8Array, at: number, count: number, into: SparseFragment[]): void {
  for (let pair = at; pair < at + count * PAIR_LENGTH; pair += PAIR_LENGTH) {
    if (block[pair] === 0) return;
    into.push({
      offset: parseNumeric(block, pair, LONG_NUMBER_LENGTH),
      length: parseNumeric(block, pair + LONG_NUMBER_LENGTH, LONG_NUMBER_LENGTH),
    });
  }
}

/**
 * The map of pax formats 0.0 (folded) and 0.1: `offset,length,offset,length…`.
 * @returns undefined unless it has exactly `blocks` pairs
 */
export function parsePaxSparseMap(
  blocks: Uint8Array | undefined,
  map: Uint8Array | undefined,
): SparseFragment[] | undefined {
  const count = blocks === undefined ? Number.NaN : parseDecimal(blocks);
  const numbers = map === undefined || map.length === 0 ? [] : splitNumbers(map);
  if (numbers.length !== 2 * count) return undefined;
  return pairUp(numbers);
}

function splitNumbers(map: Uint8Array): number[] {
  const numbers: number[] = [];
  let start = 0;
  for (let at = 0; at <= map.length; at++) {
    if (at < map.length && map[at] !== COMMA) continue;
    numbers.push(parseDecimal(map, start, at));
    start = at + 1;
  }
  return numbers;
}

function pairUp(numbers: readonly number[]): SparseFragment[] {
  const map: SparseFragment[] = [];
  for (let i = 0; i + 1 < numbers.length; i += 2) {
    map.push({ offset: numbers[i] ?? 0, length: numbers[i + 1] ?? 0 });
  }
  return map;
}

/** Longer tokens cannot be numbers of 64 bits in any sensible spelling. */
const MAX_TOKEN = 32;

/**
 * The map of pax format 1.0: a count and then twice as many numbers, decimal, each ended by a newline, in front of the
 * data and padded to whole blocks. Fed block by block, so that no more blocks are taken than the map has.
 */
export class SparseMapReader {
  readonly #numbers: number[] = [];
  #wanted = 1;
  readonly #token: Uint8Array = new Uint8Array(MAX_TOKEN);
  #tokenLength = 0;

  /** @returns 'more' when another block is needed, 'done' when {@link map} is complete, 'invalid' when malformed */
  feed(bytes: Uint8Array, start: number, end: number): 'more' | 'done' | 'invalid' {
    for (let at = start; at < end; at++) {
      const byte = bytes[at] ?? 0;
      if (byte !== NEWLINE) {
        if (this.#tokenLength === MAX_TOKEN) return 'invalid';
        this.#token[this.#tokenLength++] = byte;
        continue;
      }
      const value = parseDecimal(this.#token, 0, this.#tokenLength);
      if (!Number.isSafeInteger(value) || value < 0) return 'invalid';
      this.#tokenLength = 0;
      this.#numbers.push(value);
      if (this.#numbers.length === 1) this.#wanted = 1 + 2 * value;
      if (this.#numbers.length === this.#wanted) return 'done';
    }
    return 'more';
  }

  map(): SparseFragment[] {
    return pairUp(this.#numbers.slice(1));
  }
}

/**
 * Walks a sparse map while its stored data comes in: says where in the expanded file each run of stored bytes belongs.
 * Fragments of length 0 (GNU tar ends maps with one to give the file its size) are passed over.
 */
export class SparseCursor {
  readonly #map: readonly SparseFragment[];
  #index = 0;
  #done = 0;

  constructor(map: readonly SparseFragment[]) {
    this.#map = map;
  }

  /** Calls `place` for each run of `length` more stored bytes; `from` counts from the first of them. */
  advance(length: number, place: (fileOffset: number, from: number, length: number) => void): void {
    let from = 0;
    while (from < length) {
      const fragment = this.#map[this.#index];
      if (fragment === undefined) return;
      const run = Math.min(fragment.length - this.#done, length - from);
      if (run > 0) place(fragment.offset + this.#done, from, run);
      from += run;
      this.#done += run;
      if (this.#done === fragment.length) {
        this.#index++;
        this.#done = 0;
      }
    }
  }
}
