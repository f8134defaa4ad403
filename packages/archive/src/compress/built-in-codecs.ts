import { LayerStoreError } from '../errors.js';
import { findProgram } from '../find-program.js';
import { type Codec, type CodecContext, CodecRegistry } from './codec.js';
import { commandStream } from './command-stream.js';
import { detectCompression } from './compression.js';
import { openFzstd } from './fzstd-decoder.js';
import { gunzip } from './gunzip.js';
import { decodeWithNode, nodeZstd } from './node-zstd.js';
import type { SourceReader } from './source-reader.js';

type Decoded = AsyncGenerator<Uint8Array, void, undefined>;

/** Runs a helper as decoder; the reader is the helper's input, so it is closed with it. */
function runDecoder(
  program: string,
  args: readonly string[],
  reader: SourceReader,
  context: CodecContext,
): Decoded {
  const { stallTimeout, signal } = context;
  return commandStream({
    program,
    args,
    input: reader,
    stallTimeout,
    ...(signal === undefined ? {} : { signal }),
  });
}

function unsupported(kind: string, ways: string): LayerStoreError {
  return new LayerStoreError(
    'COMPRESSION_UNSUPPORTED',
    `The stream is compressed with ${kind}; to read it, ${ways}`,
    {
      name: kind,
    },
  );
}

/** A codec that only a helper program can serve; off until the caller allows helpers. */
function helperCodec(kind: 'xz' | 'bzip2'): Codec {
  return {
    kind,
    matches: (head) => detectCompression(head) === kind,
    async *decode(reader, context): Decoded {
      if (context.helpers === 'off') {
        throw unsupported(
          kind,
          `allow helper programs with the option helpers: 'on', or register a codec for ${kind}`,
        );
      }
      const program = await findProgram(kind, context.helperDirectories);
      if (program === undefined) {
        throw unsupported(
          kind,
          `install the program "${kind}" into one of ${context.helperDirectories.join(', ')}, or register a codec for it`,
        );
      }
      yield* runDecoder(program, ['-d', '-c', '-q'], reader, context);
    },
  };
}

const gzipCodec: Codec = {
  kind: 'gzip',
  matches: (head) => detectCompression(head) === 'gzip',
  async *decode(reader, context): Decoded {
    const wanted = context.helpers === 'on' && context.pigz;
    const unpigz = wanted ? await findProgram('unpigz', context.helperDirectories) : undefined;
    yield* unpigz === undefined ? gunzip(reader) : runDecoder(unpigz, ['-d', '-c'], reader, context);
  },
};

/** The first way to decode zstd that is there: `node:zlib`, the optional package fzstd, the program zstd. */
async function openZstd(reader: SourceReader, context: CodecContext): Promise<Decoded> {
  const { zstd: wanted } = context;
  const node = nodeZstd();
  if ((wanted === 'auto' || wanted === 'node') && node !== undefined) return decodeWithNode(reader, node);
  if (wanted === 'auto' || wanted === 'fzstd') {
    const decoded = await openFzstd(reader, context.stallTimeout);
    if (decoded !== undefined) return decoded;
  }
  if ((wanted === 'auto' || wanted === 'helper') && context.helpers === 'on') {
    const program = await findProgram('zstd', context.helperDirectories);
    if (program !== undefined) return runDecoder(program, ['-d', '-c', '-q'], reader, context);
  }
  throw unsupported(
    'zstd',
    'use Node 22.15 or newer, or install the package "fzstd" beside this one, or install the program "zstd" into one of ' +
      `${context.helperDirectories.join(', ')} and allow it with the option helpers: 'on'` +
      (wanted === 'auto' ? '' : ` (only "${wanted}" was allowed by the option zstd)`),
  );
}

const zstdCodec: Codec = {
  kind: 'zstd',
  matches: (head) => detectCompression(head) === 'zstd',
  async *decode(reader, context): Decoded {
    yield* await openZstd(reader, context);
  },
};

/** bzip2, gzip, xz and zstd. */
export const BUILT_IN_CODECS: CodecRegistry = new CodecRegistry([
  helperCodec('bzip2'),
  gzipCodec,
  helperCodec('xz'),
  zstdCodec,
]);
