/** What turned one tree into another. */
import { assertPath } from '../options/validate.js';
import { ownerRecordXattrs } from '../owner-record/owner-record-reader.js';
import { compareNames, joinName } from '../root/byte-name.js';
import { type FileStat, isDirectory } from '../root/file-stat.js';
import { ioError, isMissing } from '../root/io-error.js';
import { type OpenDirectory, RootDirectory } from '../root/root-directory.js';
import type { DirectoryEntry } from '../root/tree-calls.js';
import { openXattrSource, type XattrSource } from '../root/xattr-source.js';
import type { Change } from './change.js';
import { ChangeCollector } from './change-collector.js';
import {
  type CompareOptions,
  type ResolvedCompareOptions,
  resolveCompareOptions,
} from './compare-options.js';
import { mountPointsBelow } from './mount-points.js';
import { ObjectComparison } from './object-comparison.js';
import { runInTurns } from './turn-taking.js';

/**
 * Compares two trees (spec/layer-archive.md 4.10, Docker's ChangesDirs). A name that is the same inode in both is
 * not looked into: trees that share files by hard link or bind compare at the speed of listing them. Mount points
 * of this process are left out with all they hold. Sorted bytewise by path; every directory that holds a change is listed
 * as modified, the root never.
 *
 * @param older undefined: everything is an addition
 * @throws OPTION_INVALID, OPTION_UNKNOWN, ARCHIVE_IO, or the signal's reason
 */
export async function changesBetween(
  newer: string,
  older: string | undefined,
  options: CompareOptions = {},
): Promise<Change[]> {
  const where = 'changesBetween';
  assertPath(where, 'newer', newer);
  if (older !== undefined) assertPath(where, 'older', older);
  const resolved = resolveCompareOptions(where, options);
  resolved.signal?.throwIfAborted();
  await using newerRoot = RootDirectory.open(newer, resolved);
  await using olderRoot = older === undefined ? undefined : RootDirectory.open(older, resolved);
  const walk = new TreeComparison(
    newerRoot,
    olderRoot,
    await attributeSources(newerRoot, olderRoot, resolved),
    resolved,
  );
  return await runInTurns(walk.run(), resolved.signal);
}

interface AttributeSources {
  readonly newer: XattrSource;
  readonly older: XattrSource;
}

async function attributeSources(
  newer: RootDirectory,
  older: RootDirectory | undefined,
  options: ResolvedCompareOptions,
): Promise<AttributeSources> {
  const wanted = {
    policy: options.xattrPolicy,
    also: ownerRecordXattrs(options.recordedOwners),
    signal: options.signal,
  };
  // Nothing is compared with a tree that is not there; the second source is then never asked.
  const source = await openXattrSource(newer, wanted);
  return { newer: source, older: older === undefined ? source : await openXattrSource(older, wanted) };
}

/** A directory open in one of the trees. */
interface Side {
  readonly directory: OpenDirectory;
  readonly stat: FileStat;
}

class TreeComparison {
  readonly #newer: RootDirectory;
  readonly #older: RootDirectory | undefined;
  readonly #xattrs: AttributeSources;
  readonly #changes: ChangeCollector = new ChangeCollector();
  readonly #objects: ObjectComparison;
  readonly #mounts: ReadonlySet<string>;

  constructor(
    newer: RootDirectory,
    older: RootDirectory | undefined,
    xattrs: AttributeSources,
    options: ResolvedCompareOptions,
  ) {
    this.#newer = newer;
    this.#older = older;
    this.#xattrs = xattrs;
    this.#objects = new ObjectComparison(options);
    this.#mounts = new Set([
      ...mountPointsBelow(newer),
      ...(older === undefined ? [] : mountPointsBelow(older)),
    ]);
  }

  *run(): Generator<void, Change[], undefined> {
    using newer = this.#newer.directory('');
    using older = this.#older?.directory('');
    const olderSide = older === undefined ? undefined : { directory: older, stat: older.stat() };
    yield* this.#directories({ directory: newer, stat: newer.stat() }, olderSide, '');
    return this.#changes.list();
  }

  *#directories(newer: Side, older: Side | undefined, path: string): Generator<void, void, undefined> {
    const newerEntries = list(newer.directory, path);
    const olderEntries = older === undefined ? [] : list(older.directory, path);
    const sameDevice = older !== undefined && newer.stat.dev === older.stat.dev;
    let [next, before] = [0, 0];
    for (;;) {
      const newerEntry = newerEntries[next];
      const olderEntry = olderEntries[before];
      if (newerEntry === undefined && olderEntry === undefined) return;
      yield;
      const order =
        newerEntry === undefined
          ? 1
          : olderEntry === undefined
            ? -1
            : compareNames(newerEntry.name, olderEntry.name);
      if (order <= 0) next++;
      if (order >= 0) before++;
      const name = (order <= 0 ? newerEntry?.name : olderEntry?.name) ?? '';
      const child = joinName(path, name);
      if (this.#mounts.has(child)) continue;
      if (order > 0) {
        this.#change('delete', child);
      } else if (order < 0 || older === undefined) {
        yield* this.#added(newer, name, child);
      } else if (!(sameDevice && sameInode(newerEntry, olderEntry))) {
        yield* this.#both(newer, older, name, child);
      }
    }
  }

  *#added(newer: Side, name: string, path: string): Generator<void, void, undefined> {
    using object = look(newer.directory, name, path);
    if (object === undefined || this.#foreign(newer, object)) return;
    this.#change('add', path);
    if (object.directory !== undefined) {
      yield* this.#directories({ directory: object.directory, stat: object.stat }, undefined, path);
    }
  }

  *#both(newer: Side, older: Side, name: string, path: string): Generator<void, void, undefined> {
    using newerObject = look(newer.directory, name, path);
    if (newerObject === undefined) {
      this.#change('delete', path);
      return;
    }
    using olderObject = look(older.directory, name, path);
    if (this.#foreign(newer, newerObject)) return;
    if (olderObject === undefined) {
      yield* this.#added(newer, name, path);
      return;
    }
    const views = {
      newer: { ...newerObject, parent: newer.directory, xattrs: this.#xattrs.newer },
      older: { ...olderObject, parent: older.directory, xattrs: this.#xattrs.older },
    };
    let differs: boolean;
    try {
      differs = yield* this.#objects.differs(views.older, views.newer, name, path);
    } catch (error) {
      // Exchanged while it was compared: changed, whatever it is now.
      if (!isMissing(error)) throw ioError(error, 'compare', path);
      differs = true;
    }
    if (differs) this.#change('modify', path);
    if (newerObject.directory === undefined) return;
    const below = olderObject.directory;
    yield* this.#directories(
      { directory: newerObject.directory, stat: newerObject.stat },
      below === undefined ? undefined : { directory: below, stat: olderObject.stat },
      path,
    );
  }

  /** A directory on another device is a mount even where /proc does not list it. Files of an overlay are not. */
  #foreign(parent: Side, object: LookedAt): boolean {
    return object.directory !== undefined && object.stat.dev !== parent.stat.dev;
  }

  #change(kind: Change['kind'], path: string): void {
    this.#changes.record(kind, path);
    this.#changes.touchParents(path);
  }
}

interface LookedAt extends Disposable {
  readonly stat: FileStat;
  readonly directory: OpenDirectory | undefined;
}

/** Undefined when it is gone. */
function look(parent: OpenDirectory, name: string, path: string): LookedAt | undefined {
  try {
    const stat = parent.lstat(name);
    const directory = isDirectory(stat) ? parent.openDirectory(name) : undefined;
    return { stat, directory, [Symbol.dispose]: () => directory?.close() };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw ioError(error, 'compare', path);
  }
}

function list(directory: OpenDirectory, path: string): readonly DirectoryEntry[] {
  try {
    return directory.list();
  } catch (error) {
    if (isMissing(error)) return [];
    throw ioError(error, 'list the directory', path);
  }
}

/** By the listing alone. A directory counts too: the same inode below the same device is the same directory. */
function sameInode(a: DirectoryEntry | undefined, b: DirectoryEntry | undefined): boolean {
  if (a === undefined || b === undefined || a.ino === 0n) return false;
  return a.ino === b.ino && a.type === b.type && a.type !== 0;
}
