/** The zstd of `node:zlib`, which Node has from 22.15 and 24 on. */
import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { OUTPUT_CHUNK_BYTES } from './chunks.js';
import { SourceReader } from './source-reader.js';
import { throughTransform } from './through-transform.js';
import { type FramePart, ZstdFrames } from './zstd-frames.js';

interface ZstdOptions {
  readonly chunkSize?: number;
  readonly params?: Readonly<Record<number, number>>;
}

/** What newer versions of `node:zlib` add; the types are of the oldest version we run on. */
export interface NodeZstd {
  readonly createZstdDecompress: (options?: ZstdOptions) => Transform;
  readonly createZstdCompress: (options?: ZstdOptions) => Transform;
}

/** `node:zlib` when it has zstd, else `undefined`. */
export function nodeZstd(module: object = zlib): NodeZstd | undefined {
  const candidate = module as Partial<NodeZstd>;
  const { createZstdDecompress, createZstdCompress } = candidate;
  if (typeof createZstdDecompress !== 'function' || typeof createZstdCompress !== 'function')
    return undefined;
  return { createZstdDecompress, createZstdCompress };
}

/**
 * Decodes frame by frame, each with a decoder of its own: Node's ends with the first frame and silently drops the rest
 * of what it was given (measured with 24.21), and may report truncated input too late.
 * @throws COMPRESSION_FAILED, ARCHIVE_LIMIT_EXCEEDED (window)
 */
export async function* decodeWithNode(
  reader: SourceReader,
  zstd: NodeZstd,
): AsyncGenerator<Uint8Array, void, undefined> {
  const parts = frameParts(reader);
  try {
    for (let part = await parts.next(); part.done !== true; part = await parts.next()) {
      const frame = new SourceReader(oneFrame(part.value, parts));
      yield* throughTransform(frame, zstd.createZstdDecompress({ chunkSize: OUTPUT_CHUNK_BYTES }), 'zstd');
    }
  } finally {
    await reader.close();
    await parts.return(undefined);
  }
}

async function* frameParts(reader: SourceReader): AsyncGenerator<FramePart, void, undefined> {
  const frames = new ZstdFrames();
  for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next())
    yield* frames.push(chunk);
  frames.end();
}

async function* oneFrame(
  first: FramePart,
  parts: AsyncGenerator<FramePart, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield first.bytes;
  for (let part = await parts.next(); part.done !== true; part = await parts.next()) {
    yield part.value.bytes;
    if (part.value.last) return;
  }
}
