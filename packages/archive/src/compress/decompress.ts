import { isAbsolute } from 'node:path';
import type { ByteSource } from '../byte-source.js';
import { PROGRAM_DIRECTORIES } from '../find-program.js';
import { parseBoolean } from '../options/parse-boolean.js';
import {
  assertAsyncIterable,
  assertBoolean,
  assertFunction,
  assertKnownKeys,
  assertOneOf,
  assertSignal,
  invalidOption,
} from '../options/validate.js';
import { BUILT_IN_CODECS } from './built-in-codecs.js';
import { rechunk } from './chunks.js';
import type { CodecContext, CodecRegistry } from './codec.js';
import { DEFAULT_STALL_TIMEOUT } from './command-stream.js';
import { DETECTION_BYTES } from './compression.js';
import { limitOutput, type OutputLimits, resolveOutputLimits } from './output-limits.js';
import { SourceReader } from './source-reader.js';

/** Options of {@link decompress}. */
export interface DecompressOptions {
  /** Always in force; see {@link OutputLimits} for the defaults. */
  readonly limits?: OutputLimits;
  /** `'on'` allows external programs: `xz`, `bzip2`, `zstd`, `unpigz`. Default `'off'`. */
  readonly helpers?: 'on' | 'off';
  /** Where helpers are looked for, absolute. Default {@link PROGRAM_DIRECTORIES}. Never name a directory of an image tree. */
  readonly helperDirectories?: readonly string[];
  /**
   * Use `unpigz` for gzip where helpers are on, unless the environment has a true `MOBY_DISABLE_PIGZ`. Default false: Node's zlib is
   * as fast, and unpigz says nothing about what follows the last member.
   */
  readonly pigz?: boolean;
  /** Which zstd decoder; default `'auto'`: Node's, then the package fzstd, then the program. */
  readonly zstd?: 'auto' | 'node' | 'fzstd' | 'helper';
  /** Milliseconds a helper may do nothing while it could work. Default 60,000; `Infinity` for no bound. */
  readonly stallTimeout?: number;
  /** The codecs to choose from. Default {@link BUILT_IN_CODECS}. */
  readonly codecs?: CodecRegistry;
  /** Told the kind (`'none'` included) once it is known, before the first chunk. */
  readonly onDetected?: (kind: string) => void;
  readonly signal?: AbortSignal;
}

const KEYS: readonly (keyof DecompressOptions)[] = [
  'limits',
  'helpers',
  'helperDirectories',
  'pigz',
  'zstd',
  'stallTimeout',
  'codecs',
  'onDetected',
  'signal',
];
const WHERE = 'decompress';

interface ResolvedOptions extends CodecContext {
  readonly limits: Required<OutputLimits>;
  readonly codecs: CodecRegistry;
  readonly onDetected: ((kind: string) => void) | undefined;
}

/** Docker's rule: only a value that means true switches pigz off; one that means nothing does not. */
function pigzAllowed(): boolean {
  return parseBoolean(process.env.MOBY_DISABLE_PIGZ ?? '') !== true;
}

/** Checks a list of directories for helper programs. @throws OPTION_INVALID */
export function resolveHelperDirectories(where: string, value: unknown): readonly string[] {
  if (value === undefined) return PROGRAM_DIRECTORIES;
  const valid =
    Array.isArray(value) && value.every((entry) => typeof entry === 'string' && isAbsolute(entry));
  if (!valid) invalidOption(where, 'helperDirectories', 'an array of absolute paths', value);
  return Object.freeze([...(value as readonly string[])]);
}

function resolveOptions(options: DecompressOptions): ResolvedOptions {
  assertKnownKeys(WHERE, options, KEYS);
  const {
    helpers = 'off',
    zstd = 'auto',
    pigz,
    stallTimeout = DEFAULT_STALL_TIMEOUT,
    onDetected,
    signal,
  } = options;
  assertOneOf(WHERE, 'helpers', helpers, ['on', 'off']);
  assertOneOf(WHERE, 'zstd', zstd, ['auto', 'node', 'fzstd', 'helper']);
  if (pigz !== undefined) assertBoolean(WHERE, 'pigz', pigz);
  if (typeof stallTimeout !== 'number' || !(stallTimeout > 0)) {
    invalidOption(WHERE, 'stallTimeout', 'a positive number of milliseconds', stallTimeout);
  }
  if (onDetected !== undefined) assertFunction(WHERE, 'onDetected', onDetected);
  if (signal !== undefined) assertSignal(WHERE, 'signal', signal);
  return Object.freeze({
    helpers,
    helperDirectories: resolveHelperDirectories(WHERE, options.helperDirectories),
    pigz: pigz === true && pigzAllowed(),
    zstd,
    stallTimeout,
    signal,
    limits: resolveOutputLimits(WHERE, options.limits),
    codecs: options.codecs ?? BUILT_IN_CODECS,
    onDetected,
  });
}

/**
 * Gives the bytes of a stream uncompressed, whatever it is compressed with, told by its leading bytes. An uncompressed
 * stream passes through, its chunks unchanged; decoded bytes come in chunks of 1 MiB. One level only: what comes out is
 * not looked at again. Zero bytes in, zero bytes out. The source is closed in every case.
 *
 * ```ts
 * for await (const chunk of decompress(createReadStream('layer.tar.gz'))) hash.update(chunk);
 * ```
 * @throws COMPRESSION_FAILED after everything before the damage; COMPRESSION_UNSUPPORTED when nothing here can decode
 * it; ARCHIVE_LIMIT_EXCEEDED; the source's own error; the signal's reason; OPTION_INVALID and OPTION_UNKNOWN at once
 */
export function decompress(
  source: ByteSource,
  options: DecompressOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  assertAsyncIterable(WHERE, 'source', source);
  return decompressChecked(source, resolveOptions(options));
}

async function* decompressChecked(
  source: ByteSource,
  options: ResolvedOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  await using reader = new SourceReader(source, options.signal);
  const codec = options.codecs.find(await reader.peek(DETECTION_BYTES));
  options.onDetected?.(codec?.kind ?? 'none');
  if (codec === undefined) {
    yield* limitOutput(reader, options.limits, undefined);
    return;
  }
  const decoded = codec.decode(reader, options);
  yield* rechunk(limitOutput(decoded, options.limits, () => reader.bytesRead));
}
