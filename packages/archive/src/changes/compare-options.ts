/** Options of change detection, checked once. */
import { assertStrings } from '../create/create-options.js';
import {
  assertBoolean,
  assertKnownKeys,
  assertOneOf,
  assertSignal,
  invalidOption,
} from '../options/validate.js';
import { type XattrPolicy, xattrPolicy } from '../root/xattr-policy.js';

export interface CompareOptions {
  /**
   * When files whose metadata is the same are read and compared: `racy` where their times prove nothing (see
   * `contentEvidence`), `always`, or `never` (what Docker does). Default `racy`.
   */
  readonly contentCheck?: 'racy' | 'always' | 'never';
  /**
   * Nanoseconds since the epoch at which the newer tree was complete as a copy of the older, on the clock that stamps
   * its files. Files not touched since are then not read at all.
   */
  readonly snapshotTime?: bigint;
  /** Extended attributes that count: names, or `prefix*`. Default `security.capability` and `user.*`. */
  readonly xattrs?: readonly string[];
  /** Owner records count in place of owner and mode on disk, see `applyLayer`'s `recordOwners`. Default false. */
  readonly recordedOwners?: boolean;
  /** Do without the native addon. Default false. */
  readonly portable?: boolean;
  readonly signal?: AbortSignal;
}

export interface ResolvedCompareOptions {
  readonly contentCheck: 'racy' | 'always' | 'never';
  readonly snapshotTime: bigint | undefined;
  readonly xattrPolicy: XattrPolicy;
  readonly recordedOwners: boolean;
  readonly portable: boolean;
  readonly signal: AbortSignal | undefined;
}

export const COMPARE_KEYS: readonly string[] = [
  'contentCheck',
  'snapshotTime',
  'xattrs',
  'recordedOwners',
  'portable',
  'signal',
];

/** @throws OPTION_INVALID, OPTION_UNKNOWN */
export function resolveCompareOptions(
  where: string,
  options: CompareOptions,
  knownKeys: readonly string[] = COMPARE_KEYS,
): ResolvedCompareOptions {
  assertKnownKeys(where, options, knownKeys);
  const { contentCheck = 'racy', snapshotTime, xattrs, signal } = options;
  const { recordedOwners = false, portable = false } = options;
  assertOneOf(where, 'contentCheck', contentCheck, ['racy', 'always', 'never']);
  if (snapshotTime !== undefined && typeof snapshotTime !== 'bigint') {
    invalidOption(where, 'snapshotTime', 'a bigint of nanoseconds', snapshotTime);
  }
  if (xattrs !== undefined) assertStrings(where, 'xattrs', xattrs);
  assertBoolean(where, 'recordedOwners', recordedOwners);
  assertBoolean(where, 'portable', portable);
  if (signal !== undefined) assertSignal(where, 'signal', signal);
  return { contentCheck, snapshotTime, xattrPolicy: xattrPolicy(xattrs), recordedOwners, portable, signal };
}
