/** Runs a TarReader over bytes and keeps what it reports. */
import { Buffer } from 'node:buffer';
import { expect } from '@jest/globals';
import { type ErrorCode, isLayerStoreError, type LayerStoreError } from '../errors.js';
import type { TarHeader } from './entry.js';
import type { TarLimits } from './limits.js';
import { TarReader } from './reader.js';
import { SparseCursor } from './sparse-map.js';

export interface ReadEntry {
  readonly header: TarHeader;
  /** Stored payload. */
  readonly payload: Buffer;
  /** Raw bytes between the previous payload and this entry's. */
  readonly raw: number;
}

export interface ReadResult {
  readonly entries: readonly ReadEntry[];
  /** Everything reported, raw and payload, in order. */
  readonly bytes: Buffer;
  /** Calls in order, runs of the same sort joined: `raw 512`, `header name`, `payload 5`, `end`. */
  readonly events: readonly string[];
}

export interface ReadOptions {
  /** Chunk sizes, repeated; default: everything in one chunk. */
  readonly chunks?: readonly number[];
  readonly limits?: TarLimits;
  /** Buffers are overwritten after each write, so that whatever was kept by reference is seen to break. */
  readonly poison?: boolean;
}

class Recorder {
  readonly entries: { header: TarHeader; parts: Buffer[]; raw: number }[] = [];
  readonly parts: Buffer[] = [];
  readonly events: (readonly [string, number | string])[] = [];
  #raw = 0;

  raw(bytes: Uint8Array, start: number, end: number): void {
    this.#keep('raw', bytes, start, end);
    this.#raw += end - start;
  }

  header(header: TarHeader): void {
    this.entries.push({ header, parts: [], raw: this.#raw });
    this.#raw = 0;
    this.events.push(['header', Buffer.from(header.name).toString('latin1')]);
  }

  payload(bytes: Uint8Array, start: number, end: number): void {
    this.entries.at(-1)?.parts.push(this.#keep('payload', bytes, start, end));
  }

  entryEnd(): void {
    this.events.push(['end', '']);
  }

  #keep(kind: string, bytes: Uint8Array, start: number, end: number): Buffer {
    if (end <= start) throw new Error(`empty ${kind} report`);
    const copy = Buffer.from(bytes.subarray(start, end));
    this.parts.push(copy);
    const last = this.events.at(-1);
    if (last?.[0] === kind) this.events[this.events.length - 1] = [kind, Number(last[1]) + end - start];
    else this.events.push([kind, end - start]);
    return copy;
  }

  result(): ReadResult {
    return {
      entries: this.entries.map(({ header, parts, raw }) => ({ header, payload: Buffer.concat(parts), raw })),
      bytes: Buffer.concat(this.parts),
      events: this.events.map(([kind, value]) => `${kind} ${value}`.trim()),
    };
  }
}

/** Reads an archive to its end. @throws what the reader throws */
export function readTar(archive: Uint8Array, options: ReadOptions = {}): ReadResult {
  return run(archive, options).result();
}

/** Like {@link readTar} for an archive that must fail: what came before, and the error. */
export function readBrokenTar(
  archive: Uint8Array,
  options: ReadOptions = {},
): ReadResult & { readonly error: LayerStoreError } {
  const recorder = new Recorder();
  try {
    feed(recorder, archive, options);
  } catch (error) {
    if (!isLayerStoreError(error)) throw error;
    return { ...recorder.result(), error };
  }
  throw new Error(`archive was accepted with ${recorder.entries.length} entries`);
}

/** The archive must be refused with this code. */
export function expectRefused(archive: Uint8Array, code: ErrorCode, limits: TarLimits = {}): LayerStoreError {
  const { error } = readBrokenTar(archive, { limits });
  expect(error.code).toBe(code);
  expect(typeof error.offset).toBe('number');
  return error;
}

function run(archive: Uint8Array, options: ReadOptions): Recorder {
  const recorder = new Recorder();
  feed(recorder, archive, options);
  return recorder;
}

function feed(recorder: Recorder, archive: Uint8Array, options: ReadOptions): void {
  const reader = new TarReader(recorder, options.limits);
  const sizes = options.chunks ?? [archive.length];
  let at = 0;
  for (let i = 0; at < archive.length; i++) {
    const size = Math.max(1, sizes[i % sizes.length] ?? 1);
    const chunk =
      options.poison === true
        ? Buffer.from(archive.subarray(at, at + size))
        : archive.subarray(at, at + size);
    reader.write(chunk);
    if (options.poison === true) chunk.fill(0xaa);
    at += size;
  }
  reader.end();
}

/** What a file looks like when unpacked: sparse files with their holes. */
export function expanded({ header, payload }: ReadEntry): Buffer {
  if (header.sparse === undefined) return payload;
  const file = Buffer.alloc(header.size);
  new SparseCursor(header.sparse).advance(payload.length, (fileOffset, from, length) => {
    payload.copy(file, fileOffset, from, from + length);
  });
  return file;
}

/** Bytes as text, one character per byte. */
export function textOf(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('latin1');
}
