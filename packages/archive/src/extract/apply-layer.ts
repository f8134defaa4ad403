import { resolve } from 'node:path';
import type { ByteSource, FileReader } from '../byte-source.js';
import type { ExecutorWarning, WhiteoutFormat } from '../execute/operation.js';
import {
  assertAsyncIterable,
  assertBoolean,
  assertFunction,
  assertKnownKeys,
  assertOneOf,
  assertPath,
  invalidOption,
} from '../options/validate.js';
import type { LayerRecorder } from './layer-recorder.js';
import { unpack } from './unpack.js';
import {
  assertCommonOptions,
  COMMON_KEYS,
  type CommonUnpackOptions,
  resolveLimits,
} from './unpack-options.js';
import { ownerRecordPolicy } from './unpack-policy.js';

export interface ApplyLayerOptions extends CommonUnpackOptions {
  /** How deletions of lower content are expressed on disk. Default `delete`: the lower content is in the same tree. */
  readonly whiteouts?: WhiteoutFormat;
  /** overlay format: `user.overlay.*` attributes, for mounts in a user namespace. Default false. */
  readonly userXattr?: boolean;
  /** Told what is needed to give the archive back byte for byte. Needs `stashDirectory`. */
  readonly recorder?: LayerRecorder;
  /** An empty directory, best on the same file system, for payloads that later entries of the layer displace. */
  readonly stashDirectory?: string;
  /**
   * Every input byte, in order, also what follows the end of the archive. For digests. Valid during the call, or until the
   * promise it gives has settled; a rejection ends the unpack.
   */
  readonly onChunk?: (chunk: Uint8Array) => unknown;
  /**
   * Every chunk when nobody looks at it any more, for a source behind `source`; see `RecyclingSource`. Default: `source` itself
   * gets them, if it takes them.
   */
  readonly recycle?: (chunk: Uint8Array) => void;
  /** As `recycle`: takes the reader to read a file with, and undefined when it is gone; see `RecyclingSource.readBy`. */
  readonly lendReader?: (reader: FileReader | undefined) => void;
}

export interface ApplyLayerResult {
  /** Sum of the sizes in all headers: what Docker reports as the size of a layer. */
  readonly size: number;
  /** Payload bytes of regular files; each hard-linked file counts once. */
  readonly payloadBytes: number;
  readonly entries: number;
  /** The first 1000. */
  readonly warnings: readonly ExecutorWarning[];
}

const WHERE = 'applyLayer';
const KEYS = [
  ...COMMON_KEYS,
  'whiteouts',
  'userXattr',
  'recorder',
  'stashDirectory',
  'onChunk',
  'recycle',
  'lendReader',
];
const FORMATS = ['delete', 'overlay', 'aufs'] as const;

/**
 * Unpacks one image layer (an uncompressed tar) onto `root`, with the meaning that names of whiteouts have there
 * (spec/layer-archive.md 4.5, 4.6). The source is read to its very end, and destroyed on failure; what was unpacked by then
 * stays. Every name is resolved inside `root`, links included.
 *
 * @throws ARCHIVE_* as in the README: ARCHIVE_BREAKOUT, ARCHIVE_INVALID_NAME, ARCHIVE_INVALID_LINK,
 * ARCHIVE_INVALID_WHITEOUT, ARCHIVE_TYPE_UNSUPPORTED, ARCHIVE_DEVICE_RANGE, ARCHIVE_LIMIT_EXCEEDED, ARCHIVE_ID_UNMAPPED,
 * ARCHIVE_TRUNCATED and the other codes of the tar reader, ARCHIVE_IO; OPTION_*; `signal.reason`
 *
 * @example
 * const hash = createHash('sha256');
 * const { size } = await applyLayer(decompress(stream), '/srv/rootfs', { onChunk: (chunk) => hash.update(chunk) });
 */
export async function applyLayer(
  source: ByteSource,
  root: string,
  options: ApplyLayerOptions = {},
): Promise<ApplyLayerResult> {
  assertOptions(source, root, options);
  const {
    whiteouts = 'delete',
    idMap,
    noLchown = false,
    recorder,
    onChunk,
    recycle,
    lendReader,
    onWarning,
    onProgress,
    signal,
  } = options;
  const implied = idMap?.rootPair ?? { uid: 0, gid: 0 };
  return await unpack({
    source,
    root: resolve(root),
    policy: {
      semantics: 'layer',
      whiteouts,
      chown: !noLchown,
      idMap,
      owner: undefined,
      implied,
      ownerRecords: ownerRecordPolicy(options.recordOwners ?? false, process.geteuid?.()),
      excluded: [],
      userNamespace: false,
      limits: resolveLimits(WHERE, options.limits),
    },
    executor: {
      whiteouts,
      userXattr: options.userXattr ?? false,
      replaceAcrossTypes: true,
      replaceMergedXattrs: true,
      chown: !noLchown,
      impliedUid: implied.uid,
      impliedGid: implied.gid,
      ownership: options.ownership ?? 'fail',
      xattrs: options.xattrs ?? 'fail',
      devices: options.devices ?? 'fail',
      stashDirectory: options.stashDirectory === undefined ? undefined : resolve(options.stashDirectory),
      portable: options.portable ?? false,
    },
    recorder,
    onChunk,
    recycle,
    lendReader,
    onWarning,
    onProgress,
    signal,
  });
}

function assertOptions(source: unknown, root: unknown, options: ApplyLayerOptions): void {
  assertAsyncIterable(WHERE, 'source', source);
  assertPath(WHERE, 'root', root);
  assertKnownKeys(WHERE, options, KEYS);
  assertCommonOptions(WHERE, options);
  const { whiteouts, userXattr, recorder, stashDirectory, onChunk, recycle, lendReader } = options;
  if (whiteouts !== undefined) assertOneOf(WHERE, 'whiteouts', whiteouts, FORMATS);
  if (userXattr !== undefined) assertBoolean(WHERE, 'userXattr', userXattr);
  if (stashDirectory !== undefined) assertPath(WHERE, 'stashDirectory', stashDirectory);
  if (onChunk !== undefined) assertFunction(WHERE, 'onChunk', onChunk);
  if (recycle !== undefined) assertFunction(WHERE, 'recycle', recycle);
  if (lendReader !== undefined) assertFunction(WHERE, 'lendReader', lendReader);
  if (recorder === undefined) return;
  for (const method of ['segment', 'entry', 'checksum', 'displaced'] as const) {
    if (typeof recorder[method] !== 'function') invalidOption(WHERE, 'recorder', 'a LayerRecorder', recorder);
  }
  // A displaced payload that is not kept would make a layer that can never be given back.
  if (stashDirectory === undefined)
    invalidOption(WHERE, 'stashDirectory', 'given when there is a recorder', undefined);
}
