import {
  assertAsyncIterable,
  assertBoolean,
  assertFunction,
  assertKnownKeys,
  assertSignal,
  type ByteSource,
  invalidOption,
} from '@x/archive';
import { type DiffId, parseDiffId } from '../ids.js';
import type { LayerDescriptor } from '../metadata/records.js';
import { assertDecompressChoice, type DecompressChoice, type LayerInputOptions } from './layer-input.js';

/** Options of `register`. */
export interface RegisterOptions extends LayerInputOptions {
  /**
   * The DiffID the stream must have (LAYER_DIGEST_MISMATCH). If the layer is there already the stream is not read, and
   * of several registers of the same layer one does the work.
   */
  readonly expectedDiffId?: string;
  /** Stored with the layer. */
  readonly descriptor?: LayerDescriptor;
  /** Stored with the layer. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Assemble the layer once from what was written before it becomes visible (ARCHIVE_NOT_REPRODUCIBLE). Default false. */
  readonly verify?: boolean;
}

const WHERE = 'register';
const KEYS: readonly (keyof RegisterOptions)[] = [
  'expectedDiffId',
  'descriptor',
  'labels',
  'verify',
  'decompress',
  'onProgress',
  'signal',
];

/** {@link RegisterOptions}, checked. */
export interface CheckedRegisterOptions extends Omit<RegisterOptions, 'expectedDiffId'> {
  readonly expectedDiffId?: DiffId;
  readonly decompress: DecompressChoice;
  readonly verify: boolean;
}

/** Throws OPTION_INVALID, OPTION_UNKNOWN and DIGEST_INVALID. */
export function checkRegisterOptions(source: ByteSource, options: RegisterOptions): CheckedRegisterOptions {
  assertAsyncIterable(WHERE, 'source', source);
  assertKnownKeys(WHERE, options, KEYS);
  const {
    expectedDiffId,
    descriptor,
    labels,
    verify = false,
    decompress = true,
    onProgress,
    signal,
  } = options;
  assertBoolean(WHERE, 'verify', verify);
  assertDecompressChoice(WHERE, decompress);
  if (onProgress !== undefined) assertFunction(WHERE, 'onProgress', onProgress);
  if (signal !== undefined) assertSignal(WHERE, 'signal', signal);
  if (labels !== undefined) assertLabels(WHERE, labels);
  if (descriptor !== undefined && typeof descriptor.digest !== 'string') {
    invalidOption(WHERE, 'descriptor', 'an OCI descriptor with a digest', descriptor);
  }
  return {
    verify,
    decompress,
    ...(expectedDiffId === undefined ? {} : { expectedDiffId: parseDiffId(expectedDiffId) }),
    ...(descriptor === undefined ? {} : { descriptor }),
    ...(labels === undefined ? {} : { labels }),
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(signal === undefined ? {} : { signal }),
  };
}

/** An object whose values are texts. Throws OPTION_INVALID. */
export function assertLabels(
  where: string,
  labels: unknown,
): asserts labels is Readonly<Record<string, string>> {
  const valid =
    typeof labels === 'object' &&
    labels !== null &&
    !Array.isArray(labels) &&
    Object.values(labels).every((value) => typeof value === 'string');
  if (!valid) invalidOption(where, 'labels', 'an object of strings', labels);
}
