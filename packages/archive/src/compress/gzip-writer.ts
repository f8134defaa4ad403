/**
 * gzip as one member made of independently deflated blocks, so that all cores can work on it. Each block starts with
 * the 32 KiB before it as dictionary and ends on a byte boundary, so the blocks simply follow one another (the method
 * of pigz). The bytes depend on the input and the level only: not on chunk sizes, threads or time.
 */
import { constants, crc32, deflateRaw } from 'node:zlib';
import { rechunk } from './chunks.js';

/** Input per deflate block. Larger compresses no better, smaller loses to block ends. */
const BLOCK_BYTES = 1024 * 1024;
/** The farthest back deflate can refer to (RFC 1951 section 2). */
const DICTIONARY_BYTES = 32 * 1024;

/** RFC 1952 section 2.3: deflate, no flags, no time (so that equal input gives equal bytes), unknown system. */
const GZIP_HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff);

function deflateBlock(
  block: Uint8Array,
  dictionary: Uint8Array | undefined,
  level: number,
  last: boolean,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const options = {
      level,
      chunkSize: 256 * 1024,
      finishFlush: last ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
      ...(dictionary === undefined ? {} : { dictionary }),
    };
    deflateRaw(block, options, (error, result) => (error === null ? resolve(result) : reject(error)));
  });
}

/**
 * Compresses to gzip with up to `threads` blocks at work at a time; memory is bounded by that many MiB, twice.
 * `level` 0..9. The source's own errors pass through.
 */
export async function* gzip(
  source: AsyncIterable<Uint8Array>,
  level: number,
  threads: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const working: Promise<Uint8Array>[] = [];
  let checksum = 0;
  let length = 0;
  let previous: Uint8Array | undefined;
  const start = (block: Uint8Array, last: boolean): void => {
    const dictionary = previous?.subarray(-DICTIONARY_BYTES);
    const deflated = deflateBlock(block, dictionary, level, last);
    // Awaited in order below; a failure before its turn must not count as unhandled.
    deflated.catch(() => undefined);
    working.push(deflated);
    previous = block;
  };

  yield GZIP_HEADER;
  // One block late: only the source's end tells which block is the last.
  let held: Uint8Array | undefined;
  for await (const block of rechunk(source, BLOCK_BYTES)) {
    checksum = crc32(block, checksum);
    length = (length + block.byteLength) % 2 ** 32;
    if (held !== undefined) start(held, false);
    held = block;
    const next = working.length >= threads ? working.shift() : undefined;
    if (next !== undefined) yield await next;
  }
  start(held ?? new Uint8Array(0), true);
  for (const deflated of working) yield await deflated;

  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(checksum, 0);
  trailer.writeUInt32LE(length, 4);
  yield trailer;
}
