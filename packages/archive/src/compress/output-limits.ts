import { LayerStoreError } from '../errors.js';
import { assertKnownKeys, invalidOption } from '../options/validate.js';

/** Bounds on what a stream may expand to. `Infinity` lifts one; there is no way to have none by accident. */
export interface OutputLimits {
  /** Most output bytes of one stream. Default: no bound of its own, the ratio bounds what compressed input can do. */
  readonly maxBytes?: number;
  /** Most output bytes per input byte. Default 1000: deflate cannot pass 1032, and only for nothing but one byte value. */
  readonly maxRatio?: number;
  /** The ratio counts only after this many output bytes, so that a small file of zeros passes. Default 1 GiB. */
  readonly ratioFloor?: number;
}

export const DEFAULT_OUTPUT_LIMITS: Required<OutputLimits> = Object.freeze({
  maxBytes: Number.POSITIVE_INFINITY,
  maxRatio: 1000,
  ratioFloor: 1024 ** 3,
});

/** Checks and completes limits given by a user. @throws OPTION_INVALID, OPTION_UNKNOWN */
export function resolveOutputLimits(where: string, limits: OutputLimits | undefined): Required<OutputLimits> {
  if (limits === undefined) return DEFAULT_OUTPUT_LIMITS;
  assertKnownKeys(where, limits, ['maxBytes', 'maxRatio', 'ratioFloor']);
  const resolved = { ...DEFAULT_OUTPUT_LIMITS };
  for (const key of ['maxBytes', 'maxRatio', 'ratioFloor'] as const) {
    const value: unknown = limits[key];
    if (value === undefined) continue;
    if (typeof value !== 'number' || !(value >= 0))
      invalidOption(where, key, 'a number of at least 0', value);
    resolved[key] = value;
  }
  return Object.freeze(resolved);
}

/**
 * Counts what comes out of a decoder and stops it before the bytes that pass a limit are handed on (SEC-37).
 * `consumed` tells the compressed bytes read so far; `undefined` where there is no compression and so no ratio.
 */
export async function* limitOutput(
  chunks: AsyncIterable<Uint8Array>,
  limits: Required<OutputLimits>,
  consumed: (() => number) | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  let produced = 0;
  for await (const chunk of chunks) {
    produced += chunk.byteLength;
    if (produced > limits.maxBytes) {
      throw new LayerStoreError(
        'ARCHIVE_LIMIT_EXCEEDED',
        `The stream is larger than the limit of ${limits.maxBytes} bytes; raise limits.maxBytes if it is trusted`,
        { option: 'maxBytes' },
      );
    }
    if (consumed !== undefined && produced > limits.ratioFloor && produced > limits.maxRatio * consumed()) {
      throw new LayerStoreError(
        'ARCHIVE_LIMIT_EXCEEDED',
        `${consumed()} compressed bytes expanded to over ${produced}, more than ${limits.maxRatio} times; ` +
          'raise limits.maxRatio or limits.ratioFloor if the stream is trusted',
        { option: 'maxRatio' },
      );
    }
    yield chunk;
  }
}
