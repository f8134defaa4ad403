/** Changes of a tree as a layer: what `docker commit` stores. */
import { type Change, compareChanges } from '../changes/change.js';
import { errnoOf, LayerStoreError } from '../errors.js';
import { assertInteger, assertKnownKeys, assertPath, invalidOption } from '../options/validate.js';
import { baseName, displayName, nameOf, parentName } from '../root/byte-name.js';
import { DirectoryTrail } from '../root/directory-trail.js';
import { S_IFDIR, S_IFMT } from '../root/file-stat.js';
import { ioError, isMissing } from '../root/io-error.js';
import { type OpenDirectory, RootDirectory } from '../root/root-directory.js';
import { openXattrSource } from '../root/xattr-source.js';
import type { TarTime } from '../tar/entry.js';
import { type ArchiveItem, archiveStream } from './archive-stream.js';
import {
  ENTRY_KEYS,
  type EntryOptions,
  type ResolvedEntryOptions,
  resolveEntryOptions,
} from './create-options.js';
import { attributesBesides, EntryEmitter } from './entry-emitter.js';
import { deletionHeader } from './entry-header.js';

export interface ExportOptions extends EntryOptions {
  /**
   * Modification time of whiteouts, in seconds since the epoch. Default: the environment's SOURCE_DATE_EPOCH, else 0.
   * Docker takes the current time, which gives every commit of the same change another digest.
   */
  readonly whiteoutTime?: number;
}

/**
 * Archives the changed paths of `root` in bytewise order of path; a deletion becomes an empty entry `dir/.wh.NAME`. Every
 * changed name of a hard-link group is in the layer, the first in path order with the payload, in whichever order
 * the changes were given. The failure contract is that of `createArchive`.
 *
 * @throws at once OPTION_INVALID, OPTION_UNKNOWN, ARCHIVE_INVALID_NAME for a change that is no absolute clean path; while
 *   iterating ARCHIVE_IO, ARCHIVE_ID_UNMAPPED, ARCHIVE_HEADER_UNENCODABLE, or the signal's reason
 */
export function exportChanges(
  root: string,
  changes: readonly Change[],
  options: ExportOptions = {},
): AsyncIterable<Uint8Array> {
  const where = 'exportChanges';
  assertPath(where, 'root', root);
  assertKnownKeys(where, options, [...ENTRY_KEYS, 'whiteoutTime']);
  const resolved = resolveEntryOptions(where, options);
  const time = { seconds: whiteoutSeconds(where, options.whiteoutTime), nanoseconds: 0 };
  if (!Array.isArray(changes)) invalidOption(where, 'changes', 'an array of changes', changes);
  for (const change of changes) assertChangePath(change);
  const ordered = [...changes].sort(compareChanges);
  return resolved.compress(generate(root, ordered, time, resolved));
}

async function* generate(
  path: string,
  changes: readonly Change[],
  whiteoutTime: TarTime,
  options: ResolvedEntryOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  options.signal?.throwIfAborted();
  await using root = RootDirectory.open(path, { portable: options.portable });
  const { xattrPolicy: policy, signal } = options;
  const xattrs = await openXattrSource(root, {
    policy,
    also: attributesBesides(options),
    signal,
  });
  const emitter = new EntryEmitter(options, xattrs);
  if (!xattrs.available) emitter.warn('xattrs-unavailable', '');
  yield* archiveStream(items(root, changes, whiteoutTime, emitter), emitter, signal);
}

function* items(
  root: RootDirectory,
  changes: readonly Change[],
  whiteoutTime: TarTime,
  emitter: EntryEmitter,
): Generator<ArchiveItem, void, undefined> {
  using trail = new DirectoryTrail(root.top);
  for (const change of changes) {
    const path = nameOf(change.path).slice(1);
    if (change.kind === 'delete') {
      yield { kind: 'header', header: deletionHeader(path, whiteoutTime) };
      continue;
    }
    const opened = openChanged(trail, path);
    if (opened === undefined) {
      emitter.warn('vanished', path);
      continue;
    }
    const { parent, type, directory } = opened;
    try {
      yield {
        kind: 'object',
        source: { parent, name: baseName(path), path, archiveName: path, type, directory },
      };
    } finally {
      directory?.close();
    }
  }
}

interface OpenedChange {
  readonly parent: OpenDirectory;
  readonly type: number;
  readonly directory: OpenDirectory | undefined;
}

/** Undefined when the path, or a directory on the way to it, has gone since the trees were compared. */
function openChanged(trail: DirectoryTrail, path: string): OpenedChange | undefined {
  try {
    const parent = trail.enter(parentName(path));
    const name = baseName(path);
    const type = parent.lstat(name).mode & S_IFMT;
    return { parent, type, directory: type === S_IFDIR ? parent.openDirectory(name) : undefined };
  } catch (error) {
    if (isMissing(error) || errnoOf(error) === 'ELOOP') return undefined;
    throw ioError(error, 'archive', path);
  }
}

function whiteoutSeconds(where: string, given: number | undefined): number {
  if (given !== undefined) {
    assertInteger(where, 'whiteoutTime', given, 0);
    return given;
  }
  // https://reproducible-builds.org/specs/source-date-epoch/
  const fromEnvironment = process.env.SOURCE_DATE_EPOCH;
  if (fromEnvironment === undefined || fromEnvironment === '') return 0;
  const seconds = /^\d+$/.test(fromEnvironment) ? Number(fromEnvironment) : Number.NaN;
  assertInteger(where, 'SOURCE_DATE_EPOCH', seconds, 0);
  return seconds;
}

function assertChangePath(change: Change): void {
  const path = nameOf(change.path);
  const clean =
    path.startsWith('/') &&
    !path.includes('\0') &&
    path
      .slice(1)
      .split('/')
      .every((part) => part !== '' && part !== '.' && part !== '..');
  if (clean) return;
  throw new LayerStoreError(
    'ARCHIVE_INVALID_NAME',
    `"${displayName(path)}" is not the path of a change: absolute, clean, below the root`,
    { path: displayName(path) },
  );
}
