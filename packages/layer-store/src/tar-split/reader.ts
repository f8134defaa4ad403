import { Buffer } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { errnoOf } from '@x/archive';
import { type TarSplitEntry, TYPE_FILE, TYPE_SEGMENT } from './entry.js';
import { ioError } from './gzip-file.js';
import { invalid } from './invalid.js';
import { NEED_MORE, TarSplitScanner } from './scanner.js';

/** A `tar-split.json.gz` file, or its bytes (gzip, of one or more members). */
export type TarSplitSource = string | AsyncIterable<Uint8Array>;

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
}

const INPUT_CHUNK = 256 * 1024;
/** Large: Node's 16 KiB default costs a trip to the thread pool for every ten entries. */
const OUTPUT_CHUNK = 1024 * 1024;

/**
 * The JSON text of a tar-split record. Fails with TAR_SPLIT_INVALID (not gzip, cut short, empty) and ARCHIVE_IO.
 */
export async function* inflateTarSplit(
  source: TarSplitSource,
  options: ReadOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { signal } = options;
  signal?.throwIfAborted();
  const input =
    typeof source === 'string'
      ? createReadStream(source, { highWaterMark: INPUT_CHUNK })
      : Readable.from(source);
  const gunzip = createGunzip({ chunkSize: OUTPUT_CHUNK });
  let failure: unknown;
  const piped = pipeline(input, gunzip, signal === undefined ? {} : { signal }).catch((error: unknown) => {
    failure = error;
  });
  try {
    for await (const chunk of gunzip as AsyncIterable<Uint8Array>) yield chunk;
  } catch (error) {
    gunzip.destroy();
    await piped;
    signal?.throwIfAborted();
    throw readError(source, failure ?? error);
  } finally {
    input.destroy();
    gunzip.destroy();
    await piped;
  }
}

function readError(source: TarSplitSource, error: unknown): unknown {
  if (typeof error === 'object' && error !== null && 'code' in error && String(error.code).startsWith('Z_')) {
    return invalid(`its gzip stream cannot be read (${String(error.code)})`, error);
  }
  return typeof source === 'string' && errnoOf(error) !== undefined ? ioError('read', source, error) : error;
}

/**
 * The entries of a tar-split record, in the order of the file. Their bytes are the reader's own only until the next entry
 * is asked for. Unknown entry types and keys are passed over; empty segments are not. Fails with TAR_SPLIT_INVALID and
 * ARCHIVE_IO.
 */
export async function* readTarSplit(
  source: TarSplitSource,
  options: ReadOptions = {},
): AsyncGenerator<TarSplitEntry, void, undefined> {
  const scanner = new TarSplitScanner();
  for await (const chunk of inflateTarSplit(source, options)) {
    scanner.push(chunk);
    yield* scanned(scanner);
  }
  scanner.end();
  yield* scanned(scanner);
}

function* scanned(scanner: TarSplitScanner): Generator<TarSplitEntry, void, undefined> {
  for (let type = scanner.next(); type !== NEED_MORE; type = scanner.next()) {
    const { position, size } = scanner;
    if (type === TYPE_SEGMENT) yield { type: TYPE_SEGMENT, payload: scanner.payload(), position };
    else {
      const crc = size > 0 ? Buffer.from(scanner.payload()) : undefined;
      yield { type: TYPE_FILE, name: scanner.name, size, crc, position };
    }
  }
}
