/** Options of archive creation, checked once. */
import {
  assertBoolean,
  assertFunction,
  assertInteger,
  assertKnownKeys,
  assertOneOf,
  assertSignal,
  invalidOption,
} from '../options/validate.js';
import { type XattrPolicy, xattrPolicy } from '../root/xattr-policy.js';
import type { OnArchiveWarning } from './archive-warning.js';
import { PatternMatcher } from './pattern-matcher.js';

/** Ids of the host → ids inside the container. Throws ARCHIVE_ID_UNMAPPED for an id without counterpart. */
export interface OwnerMap {
  toContainer(uid: number, gid: number): { readonly uid: number; readonly gid: number };
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** What every archive writer of this package takes. */
export interface EntryOptions {
  /** Owners in the tree are the host's; the archive gets the container's. Default: as they are. */
  readonly idMap?: OwnerMap;
  /** Owner of every entry; wins over `idMap`. */
  readonly chownOpts?: Owner;
  /** `overlay`: 0/0 devices and opaque directories become `.wh.` entries. Default `aufs`: nothing is converted. */
  readonly whiteoutFormat?: 'aufs' | 'overlay';
  /** overlay format: opaque directories are marked by `user.overlay.opaque`, as in a user namespace. Default false. */
  readonly userXattr?: boolean;
  /** Attributes to store: names, or `prefix*`. Default `security.capability` and `user.*`. */
  readonly xattrs?: readonly string[];
  /** Owner records count in place of owner and mode on disk, see `applyLayer`'s `recordOwners`. Default false. */
  readonly recordedOwners?: boolean;
  /** Put the file type into the mode field as Docker up to v23 did; changes digests. Default false. */
  readonly preserveModeBits?: boolean;
  /** Keep nanoseconds of mtime in a pax record; changes digests. Default false: cut to the second. */
  readonly subSecondTimes?: boolean;
  /** Do without the native addon. Default false. */
  readonly portable?: boolean;
  /** The last step of the stream, a compressor for instance. */
  readonly compress?: (source: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
  readonly onWarning?: OnArchiveWarning;
  readonly signal?: AbortSignal;
}

export interface CreateOptions extends EntryOptions {
  /** What to archive, inside the root; links are resolved in the root. Default: the root itself. */
  readonly source?: string;
  /** Paths relative to the source; a trailing `/` or `/.` follows a link. Default: everything. */
  readonly includeFiles?: readonly string[];
  /** gitignore-like, see `compilePattern`. */
  readonly excludePatterns?: readonly string[];
  /** Include → what its first occurrence in a name becomes; `/` removes it. */
  readonly rebaseNames?: ReadonlyMap<string, string>;
  /** Store the source directory too, as `./`, and prefix every name with it. Default false. */
  readonly includeSourceDir?: boolean;
}

export interface ResolvedEntryOptions {
  readonly idMap: OwnerMap | undefined;
  readonly chownOpts: Owner | undefined;
  readonly overlayWhiteouts: boolean;
  readonly opaqueAttribute: string;
  readonly xattrPolicy: XattrPolicy;
  readonly recordedOwners: boolean;
  readonly preserveModeBits: boolean;
  readonly subSecondTimes: boolean;
  readonly portable: boolean;
  readonly compress: (source: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
  readonly onWarning: OnArchiveWarning;
  readonly signal: AbortSignal | undefined;
}

export interface ResolvedCreateOptions extends ResolvedEntryOptions {
  readonly source: string;
  readonly includeFiles: readonly string[];
  readonly excludes: PatternMatcher;
  readonly rebaseNames: ReadonlyMap<string, string>;
  readonly includeSourceDir: boolean;
}

export const ENTRY_KEYS: readonly string[] = [
  'idMap',
  'chownOpts',
  'whiteoutFormat',
  'userXattr',
  'xattrs',
  'recordedOwners',
  'preserveModeBits',
  'subSecondTimes',
  'portable',
  'compress',
  'onWarning',
  'signal',
];
const CREATE_KEYS: readonly string[] = [
  ...ENTRY_KEYS,
  'source',
  'includeFiles',
  'excludePatterns',
  'rebaseNames',
  'includeSourceDir',
];
const MAX_ID = 0xffff_fffe;

/** @throws OPTION_INVALID, OPTION_UNKNOWN, ARCHIVE_PATTERN_INVALID */
export function resolveCreateOptions(options: CreateOptions): ResolvedCreateOptions {
  const where = 'createArchive';
  assertKnownKeys(where, options, CREATE_KEYS);
  const { source = '', includeFiles = ['.'], excludePatterns = [], rebaseNames = new Map() } = options;
  if (typeof source !== 'string') invalidOption(where, 'source', 'a path inside the root', source);
  assertStrings(where, 'includeFiles', includeFiles);
  assertStrings(where, 'excludePatterns', excludePatterns);
  if (typeof rebaseNames?.get !== 'function') invalidOption(where, 'rebaseNames', 'a Map', rebaseNames);
  return {
    ...resolveEntryOptions(where, options),
    source,
    includeFiles: includeFiles.length === 0 ? ['.'] : includeFiles,
    excludes: new PatternMatcher(excludePatterns),
    rebaseNames,
    includeSourceDir: flag(where, options, 'includeSourceDir'),
  };
}

/** @throws OPTION_INVALID; unknown keys are the caller's to refuse */
export function resolveEntryOptions(where: string, options: EntryOptions): ResolvedEntryOptions {
  const { idMap, chownOpts, whiteoutFormat = 'aufs', xattrs, compress, onWarning, signal } = options;
  assertOneOf(where, 'whiteoutFormat', whiteoutFormat, ['aufs', 'overlay']);
  if (idMap !== undefined && typeof idMap?.toContainer !== 'function') {
    invalidOption(where, 'idMap', 'an id map', idMap);
  }
  if (chownOpts !== undefined) {
    assertKnownKeys(where, chownOpts, ['uid', 'gid']);
    assertInteger(where, 'chownOpts.uid', chownOpts.uid, 0, MAX_ID);
    assertInteger(where, 'chownOpts.gid', chownOpts.gid, 0, MAX_ID);
  }
  if (xattrs !== undefined) assertStrings(where, 'xattrs', xattrs);
  if (compress !== undefined) assertFunction(where, 'compress', compress);
  if (onWarning !== undefined) assertFunction(where, 'onWarning', onWarning);
  if (signal !== undefined) assertSignal(where, 'signal', signal);
  return {
    idMap,
    chownOpts,
    overlayWhiteouts: whiteoutFormat === 'overlay',
    opaqueAttribute: flag(where, options, 'userXattr') ? 'user.overlay.opaque' : 'trusted.overlay.opaque',
    xattrPolicy: xattrPolicy(xattrs),
    recordedOwners: flag(where, options, 'recordedOwners'),
    preserveModeBits: flag(where, options, 'preserveModeBits'),
    subSecondTimes: flag(where, options, 'subSecondTimes'),
    portable: flag(where, options, 'portable'),
    compress: compress ?? ((stream) => stream),
    onWarning: onWarning ?? (() => {}),
    signal,
  };
}

function flag<K extends string>(where: string, options: { readonly [key in K]?: boolean }, key: K): boolean {
  const value: unknown = options[key];
  if (value === undefined) return false;
  assertBoolean(where, key, value);
  return value;
}

/** Texts without NUL. @throws OPTION_INVALID */
export function assertStrings(
  where: string,
  option: string,
  value: unknown,
): asserts value is readonly string[] {
  if (!Array.isArray(value)) invalidOption(where, option, 'an array of strings', value);
  for (const item of value) {
    if (typeof item !== 'string' || item.includes('\0')) {
      invalidOption(where, option, 'an array of strings without NUL', item);
    }
  }
}
