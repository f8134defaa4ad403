/** What the planner is told: the options of applyLayer and untar, resolved. */
import type { WhiteoutFormat } from '../execute/operation.js';
import type { IdMap, IdPair } from '../idmap/id-map.js';

/** Bounds on what an archive may make. ARCHIVE_LIMIT_EXCEEDED beyond them. */
export interface UnpackLimits {
  /** Entries of the archive. */
  readonly entries: number;
  /** Sum of logical file sizes: holes of sparse files count in full. */
  readonly bytes: number;
  /** Components of a name. */
  readonly depth: number;
}

/** Far above any real image, low enough that counters and inode maps stay small: 10 million entries, 16 TiB, 1024 levels. */
export const DEFAULT_LIMITS: UnpackLimits = { entries: 10_000_000, bytes: 2 ** 44, depth: 1024 };

/**
 * How the option `recordOwners` is carried out: root needs no workable modes, it reads everything.
 * @param euid effective user id of the process
 */
export function ownerRecordPolicy(
  recordOwners: boolean,
  euid: number | undefined,
): UnpackPolicy['ownerRecords'] {
  return recordOwners ? { workableModes: euid !== 0 } : undefined;
}

export interface UnpackPolicy {
  /** `layer`: UnpackLayer's rules; `tree`: Unpack's (spec/layer-archive.md 4.7). */
  readonly semantics: 'layer' | 'tree';
  /** `literal`: names of whiteouts are ordinary names. */
  readonly whiteouts: WhiteoutFormat | 'literal';
  readonly chown: boolean;
  /** Container → host; undefined: ids are taken as they are. */
  readonly idMap: IdMap | undefined;
  /** Owner of everything, whatever the headers and the map say. */
  readonly owner: IdPair | undefined;
  /** Owner of directories nobody describes. */
  readonly implied: IdPair;
  /** Prefixes of clean names that are left out. */
  readonly excluded: readonly Uint8Array[];
  /**
   * Files and directories get a record of owner and mode; with `workableModes` also a mode on disk that leaves them
   * readable to their owner.
   */
  readonly ownerRecords: { readonly workableModes: boolean } | undefined;
  /** Devices are left out, a FIFO that is not permitted is a warning. */
  readonly userNamespace: boolean;
  readonly limits: UnpackLimits;
  /** Name of a private directory at the top of the root, unguessable: where AUFS's hard link sources are put for the time. */
  readonly scratchName: string;
}
