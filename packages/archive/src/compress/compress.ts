import { availableParallelism } from 'node:os';
import * as zlib from 'node:zlib';
import type { ByteSource } from '../byte-source.js';
import { LayerStoreError } from '../errors.js';
import { findProgram } from '../find-program.js';
import {
  assertAsyncIterable,
  assertInteger,
  assertKnownKeys,
  assertOneOf,
  assertSignal,
  assertString,
} from '../options/validate.js';
import { OUTPUT_CHUNK_BYTES, rechunk } from './chunks.js';
import { commandStream } from './command-stream.js';
import { resolveHelperDirectories } from './decompress.js';
import { gzip } from './gzip-writer.js';
import { nodeZstd } from './node-zstd.js';
import { SourceReader } from './source-reader.js';
import { throughTransform } from './through-transform.js';

/** Options of {@link compress}. */
export interface CompressOptions {
  /** Default `'gzip'`. `'none'` passes the bytes through. */
  readonly kind?: 'none' | 'gzip' | 'zstd';
  /** gzip 0..9, default 6; zstd 1..19, default 3. */
  readonly level?: number;
  /** gzip blocks compressed at a time, 1..64; default one per processor, at most four (Node's thread pool). */
  readonly threads?: number;
  /** `'on'` allows the program `zstd` where Node has none of its own. Default `'off'`. */
  readonly helpers?: 'on' | 'off';
  /** As for {@link decompress}. */
  readonly helperDirectories?: readonly string[];
  readonly signal?: AbortSignal;
}

const WHERE = 'compress';
/** Node's thread pool has four threads unless UV_THREADPOOL_SIZE says otherwise. */
const MAX_DEFAULT_THREADS = 4;

/**
 * Compresses a stream. For gzip the result depends on the input and the level only; across versions of zlib, and
 * against the blob a layer came from, compressed bytes must never be assumed to be equal.
 * @throws COMPRESSION_UNSUPPORTED for xz, bzip2 and unknown kinds at once, for zstd when neither Node nor a helper can;
 * COMPRESSION_FAILED; OPTION_INVALID, OPTION_UNKNOWN at once; the source's own error; the signal's reason
 */
export function compress(
  source: ByteSource,
  options: CompressOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  assertAsyncIterable(WHERE, 'source', source);
  assertKnownKeys(WHERE, options, ['kind', 'level', 'threads', 'helpers', 'helperDirectories', 'signal']);
  const { kind = 'gzip', helpers = 'off', signal } = options;
  assertOneOf(WHERE, 'helpers', helpers, ['on', 'off']);
  if (signal !== undefined) assertSignal(WHERE, 'signal', signal);
  const helperDirectories = resolveHelperDirectories(WHERE, options.helperDirectories);
  const reader = (): SourceReader => new SourceReader(source, signal);
  switch (kind) {
    case 'none':
      return reader()[Symbol.asyncIterator]();
    case 'gzip': {
      const { level = 6, threads = Math.min(availableParallelism(), MAX_DEFAULT_THREADS) } = options;
      assertInteger(WHERE, 'level', level, 0, 9);
      assertInteger(WHERE, 'threads', threads, 1, 64);
      return gzip(reader(), level, threads);
    }
    case 'zstd': {
      const { level = 3 } = options;
      assertInteger(WHERE, 'level', level, 1, 19);
      return zstd(reader(), level, helpers === 'on' ? helperDirectories : [], signal);
    }
    default: {
      const refused: unknown = kind;
      assertString(WHERE, 'kind', refused, true);
      throw new LayerStoreError(
        'COMPRESSION_UNSUPPORTED',
        `compress: cannot write "${refused}"; the kinds that can be written are none, gzip and zstd`,
        { name: refused },
      );
    }
  }
}

async function* zstd(
  reader: SourceReader,
  level: number,
  helperDirectories: readonly string[],
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const node = nodeZstd();
  if (node !== undefined) {
    const levelParameter = (zlib.constants as Readonly<Record<string, number>>).ZSTD_c_compressionLevel;
    const params = levelParameter === undefined ? {} : { [levelParameter]: level };
    yield* throughTransform(
      reader,
      node.createZstdCompress({ chunkSize: OUTPUT_CHUNK_BYTES, params }),
      'zstd',
    );
    return;
  }
  const program = await findProgram('zstd', helperDirectories);
  if (program === undefined) {
    await reader.close();
    throw new LayerStoreError(
      'COMPRESSION_UNSUPPORTED',
      'compress: to write zstd, use Node 22.15 or newer, or install the program "zstd" and allow it with ' +
        "the option helpers: 'on'",
      { name: 'zstd' },
    );
  }
  const args = [`-${level}`, '-c', '-q'];
  yield* rechunk(
    commandStream({ program, args, input: reader, ...(signal === undefined ? {} : { signal }) }),
  );
}
