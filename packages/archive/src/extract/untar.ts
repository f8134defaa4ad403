import { resolve } from 'node:path';
import type { ByteSource } from '../byte-source.js';
import type { ExecutorWarning } from '../execute/operation.js';
import type { IdPair } from '../idmap/id-map.js';
import {
  assertAsyncIterable,
  assertBoolean,
  assertInteger,
  assertKnownKeys,
  assertOneOf,
  assertPath,
  assertString,
  invalidOption,
} from '../options/validate.js';
import { unpack } from './unpack.js';
import {
  assertCommonOptions,
  COMMON_KEYS,
  type CommonUnpackOptions,
  resolveLimits,
} from './unpack-options.js';
import { ownerRecordPolicy } from './unpack-policy.js';

/** TarOptions of the extracting side (spec/layer-archive.md 4.2). */
export interface UntarOptions extends CommonUnpackOptions {
  /** Entries whose clean name begins with one of these are left out. Plain prefixes, no patterns. */
  readonly excludePatterns?: readonly string[];
  /** Owner of everything; wins over headers and `idMap`. */
  readonly chownOpts?: IdPair;
  /** A directory and a non-directory may not replace each other. Default false. */
  readonly noOverwriteDirNonDir?: boolean;
  /** `overlay`: names of whiteouts become overlay's devices and attributes. `aufs` (default): they are ordinary names. */
  readonly whiteoutFormat?: 'aufs' | 'overlay';
  /** Leave out devices and use `user.overlay.*`, as a user namespace needs. Default false. */
  readonly inUserNS?: boolean;
  /** Extended attributes that are refused are warnings; short for `xattrs: 'report'`. Default false. */
  readonly bestEffortXattrs?: boolean;
}

export interface UntarResult {
  /** Payload bytes of regular files. */
  readonly payloadBytes: number;
  readonly entries: number;
  /** The first 1000. */
  readonly warnings: readonly ExecutorWarning[];
}

const WHERE = 'untar';
const BOOLEANS = ['noOverwriteDirNonDir', 'inUserNS', 'bestEffortXattrs'] as const;
const KEYS = [...COMMON_KEYS, ...BOOLEANS, 'excludePatterns', 'chownOpts', 'whiteoutFormat'];
const FORMATS = ['aufs', 'overlay'] as const;
const MAX_ID = 0xffff_fffe;

/**
 * Unpacks a plain tar under the existing directory `root` (spec/layer-archive.md 4.5, Unpack). Every name is resolved inside
 * `root`, links included. The source is read to its end, and destroyed on failure.
 *
 * @throws as `applyLayer`, and ARCHIVE_OVERWRITE_REFUSED
 *
 * @example
 * await untar(createReadStream('rootfs.tar'), '/srv/rootfs', { excludePatterns: ['dev/'] });
 */
export async function untar(
  source: ByteSource,
  root: string,
  options: UntarOptions = {},
): Promise<UntarResult> {
  assertOptions(source, root, options);
  const { idMap, noLchown = false, chownOpts, inUserNS = false, onWarning, onProgress, signal } = options;
  const overlay = options.whiteoutFormat === 'overlay';
  const implied = chownOpts ?? idMap?.rootPair ?? { uid: 0, gid: 0 };
  const { payloadBytes, entries, warnings } = await unpack({
    source,
    root: resolve(root),
    policy: {
      semantics: 'tree',
      whiteouts: overlay ? 'overlay' : 'literal',
      chown: !noLchown,
      idMap,
      owner: chownOpts,
      implied,
      ownerRecords: ownerRecordPolicy(options.recordOwners ?? false, process.geteuid?.()),
      excluded: (options.excludePatterns ?? []).map((prefix) => Buffer.from(prefix)),
      userNamespace: inUserNS,
      limits: resolveLimits(WHERE, options.limits),
    },
    executor: {
      whiteouts: overlay ? 'overlay' : 'delete',
      userXattr: inUserNS,
      replaceAcrossTypes: options.noOverwriteDirNonDir !== true,
      replaceMergedXattrs: false,
      chown: !noLchown,
      impliedUid: implied.uid,
      impliedGid: implied.gid,
      ownership: options.ownership ?? 'fail',
      xattrs: options.bestEffortXattrs === true ? 'report' : (options.xattrs ?? 'fail'),
      devices: options.devices ?? 'fail',
      stashDirectory: undefined,
      portable: options.portable ?? false,
    },
    onWarning,
    onProgress,
    signal,
  });
  return { payloadBytes, entries, warnings };
}

function assertOptions(source: unknown, root: unknown, options: UntarOptions): void {
  assertAsyncIterable(WHERE, 'source', source);
  assertPath(WHERE, 'root', root);
  assertKnownKeys(WHERE, options, KEYS);
  assertCommonOptions(WHERE, options);
  const { excludePatterns, chownOpts, whiteoutFormat } = options;
  for (const option of BOOLEANS) {
    if (options[option] !== undefined) assertBoolean(WHERE, option, options[option]);
  }
  if (whiteoutFormat !== undefined) assertOneOf(WHERE, 'whiteoutFormat', whiteoutFormat, FORMATS);
  if (chownOpts !== undefined) {
    assertKnownKeys(`${WHERE}: chownOpts`, chownOpts, ['uid', 'gid']);
    assertInteger(WHERE, 'chownOpts.uid', chownOpts.uid, 0, MAX_ID);
    assertInteger(WHERE, 'chownOpts.gid', chownOpts.gid, 0, MAX_ID);
  }
  if (excludePatterns === undefined) return;
  if (!Array.isArray(excludePatterns))
    invalidOption(WHERE, 'excludePatterns', 'an array of prefixes', excludePatterns);
  for (const prefix of excludePatterns) assertString(WHERE, 'excludePatterns', prefix);
}
