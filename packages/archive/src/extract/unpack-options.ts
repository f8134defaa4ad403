/** The options that applyLayer and untar have in common, and their checks. */
import type { ExecutorWarning } from '../execute/operation.js';
import { IdMap } from '../idmap/id-map.js';
import {
  assertBoolean,
  assertFunction,
  assertInteger,
  assertKnownKeys,
  assertOneOf,
  assertSignal,
  invalidOption,
} from '../options/validate.js';
import type { UnpackProgress } from './unpack.js';
import { DEFAULT_LIMITS, type UnpackLimits } from './unpack-policy.js';

export interface CommonUnpackOptions {
  /** Container ids of the archive → ids on disk. Default: as they are. */
  readonly idMap?: IdMap;
  /** Never change owners. Default false. */
  readonly noLchown?: boolean;
  /** What to do where the kernel refuses an owner, for lack of privilege. Default `fail`. */
  readonly ownership?: 'fail' | 'report';
  /** The same for extended attributes, also where the file system has none. Default `fail`. */
  readonly xattrs?: 'fail' | 'report';
  /** The same for device nodes. Default `fail`. */
  readonly devices?: 'fail' | 'report';
  /**
   * For a process that may not give files away: writes owner and mode of every regular file and directory into its
   * attribute `user.layerstore.owner`, as `uid:gid:mode` (ids as on disk, so after `idMap`; mode octal), where the option
   * `recordedOwners` of the reading side finds them. Not as root, files then get at least mode 0400 on disk and directories
   * 0700. Not with `noLchown`, which gives up on owners. Default false.
   */
  readonly recordOwners?: boolean;
  /** Bounds on the archive: entries, bytes of files with holes counted, depth of names. */
  readonly limits?: Partial<UnpackLimits>;
  /** Use the worker-thread executor even if the addon is there. Default false. */
  readonly portable?: boolean;
  readonly signal?: AbortSignal;
  /** Every warning, also those beyond what the result keeps. */
  readonly onWarning?: (warning: ExecutorWarning) => void;
  /** After every chunk. */
  readonly onProgress?: (progress: UnpackProgress) => void;
}

export const COMMON_KEYS: readonly string[] = [
  'idMap',
  'noLchown',
  'ownership',
  'xattrs',
  'devices',
  'recordOwners',
  'limits',
  'portable',
  'signal',
  'onWarning',
  'onProgress',
];

const REFUSAL_POLICIES = ['fail', 'report'] as const;

/** @throws OPTION_INVALID, OPTION_UNKNOWN */
export function assertCommonOptions(where: string, options: CommonUnpackOptions): void {
  const { idMap, noLchown, recordOwners, portable, signal, onWarning, onProgress } = options;
  if (idMap !== undefined && !isIdMap(idMap)) invalidOption(where, 'idMap', 'an IdMap', idMap);
  if (noLchown !== undefined) assertBoolean(where, 'noLchown', noLchown);
  if (recordOwners !== undefined) assertBoolean(where, 'recordOwners', recordOwners);
  if (recordOwners === true && noLchown === true)
    invalidOption(where, 'recordOwners', 'false with noLchown', recordOwners);
  if (portable !== undefined) assertBoolean(where, 'portable', portable);
  for (const option of ['ownership', 'xattrs', 'devices'] as const) {
    if (options[option] !== undefined) assertOneOf(where, option, options[option], REFUSAL_POLICIES);
  }
  if (signal !== undefined) assertSignal(where, 'signal', signal);
  if (onWarning !== undefined) assertFunction(where, 'onWarning', onWarning);
  if (onProgress !== undefined) assertFunction(where, 'onProgress', onProgress);
}

/** @throws OPTION_INVALID, OPTION_UNKNOWN */
export function resolveLimits(where: string, limits: Partial<UnpackLimits> = {}): UnpackLimits {
  assertKnownKeys(`${where}: limits`, limits, Object.keys(DEFAULT_LIMITS));
  const resolved = {
    entries: limits.entries ?? DEFAULT_LIMITS.entries,
    bytes: limits.bytes ?? DEFAULT_LIMITS.bytes,
    depth: limits.depth ?? DEFAULT_LIMITS.depth,
  };
  // Payload numbers are 32 bits wide, and the last stands for "none".
  assertInteger(where, 'limits.entries', resolved.entries, 0, 0xffff_fffe);
  assertInteger(where, 'limits.bytes', resolved.bytes, 0);
  assertInteger(where, 'limits.depth', resolved.depth, 1);
  return resolved;
}

/** By shape: another copy of the package has a class of its own. */
function isIdMap(value: object): value is IdMap {
  return (
    value instanceof IdMap || ('toHost' in value && typeof value.toHost === 'function' && 'rootPair' in value)
  );
}
