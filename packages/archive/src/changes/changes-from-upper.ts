/** What a read-write branch changed in the layers below it, from the branch alone. */
import { assertOneOf, assertPath, invalidOption } from '../options/validate.js';
import { ownerRecordXattrs } from '../owner-record/owner-record-reader.js';
import { joinName } from '../root/byte-name.js';
import { type FileStat, isDirectory } from '../root/file-stat.js';
import { ioError, isMissing } from '../root/io-error.js';
import { type OpenDirectory, RootDirectory } from '../root/root-directory.js';
import { openXattrSource } from '../root/xattr-source.js';
import type { Change } from './change.js';
import { ChangeCollector } from './change-collector.js';
import {
  COMPARE_KEYS,
  type CompareOptions,
  type ResolvedCompareOptions,
  resolveCompareOptions,
} from './compare-options.js';
import { sameTime } from './entry-comparison.js';
import {
  type LayerAccess,
  type LayerDirectory,
  type LayerFormat,
  openLowers,
  readLayerDirectory,
  visibleNames,
  visibleObject,
} from './layer-directory.js';
import { ObjectComparison, type ObjectView } from './object-comparison.js';
import { runInTurns } from './turn-taking.js';

export interface UpperOptions extends CompareOptions {
  /** How branch and layers express deletions. Default `aufs`. */
  readonly whiteoutFormat?: 'aufs' | 'overlay';
  /** overlay format: opaque directories are marked by `user.overlay.opaque`. Default false. */
  readonly userXattr?: boolean;
  /**
   * `branch`: every object in the branch is a change, except a directory of the same size, mode and time as below; parents
   * are listed for additions and deletions (what aufs reports). `tree`: exactly what comparing the two merged
   * trees gives. Default `branch`.
   */
  readonly semantics?: 'branch' | 'tree';
}

/**
 * Walks the branch only and looks up its names in the layers (spec/layer-archive.md 4.10). Deletions and opaque
 * directories in the layers between are honoured, links are never followed. Sorted bytewise by path.
 *
 * @param layers directories of the layers, top first
 * @throws OPTION_INVALID, OPTION_UNKNOWN, ARCHIVE_IO, or the signal's reason
 */
export async function changesFromUpper(
  layers: readonly string[],
  rw: string,
  options: UpperOptions = {},
): Promise<Change[]> {
  const where = 'changesFromUpper';
  if (!Array.isArray(layers)) invalidOption(where, 'layers', 'an array of paths', layers);
  for (const layer of layers) assertPath(where, 'layers', layer);
  assertPath(where, 'rw', rw);
  const resolved = resolveCompareOptions(where, options, [
    ...COMPARE_KEYS,
    'whiteoutFormat',
    'userXattr',
    'semantics',
  ]);
  const { whiteoutFormat = 'aufs', userXattr = false, semantics = 'branch' } = options;
  assertOneOf(where, 'whiteoutFormat', whiteoutFormat, ['aufs', 'overlay']);
  assertOneOf(where, 'semantics', semantics, ['branch', 'tree']);
  const format: LayerFormat =
    whiteoutFormat === 'aufs'
      ? { kind: 'aufs' }
      : { kind: 'overlay', attribute: userXattr ? 'user.overlay.opaque' : 'trusted.overlay.opaque' };
  resolved.signal?.throwIfAborted();
  const stack = new LayerStack(format, resolved);
  try {
    const upper = await stack.open(rw);
    const lowers: OpenLayer[] = [];
    for (const layer of layers) lowers.push(await stack.open(layer));
    return await runInTurns(
      compareWithLayers(upper, lowers, new UpperWalk(resolved, semantics)),
      resolved.signal,
    );
  } finally {
    await stack.close();
  }
}

interface OpenLayer {
  readonly root: RootDirectory;
  readonly access: LayerAccess;
}

/** The open layers, closed together. */
class LayerStack {
  readonly #format: LayerFormat;
  readonly #options: ResolvedCompareOptions;
  readonly #roots: RootDirectory[] = [];

  constructor(format: LayerFormat, options: ResolvedCompareOptions) {
    this.#format = format;
    this.#options = options;
  }

  async open(path: string): Promise<OpenLayer> {
    const { portable, signal, xattrPolicy: policy } = this.#options;
    const root = RootDirectory.open(path, { portable });
    this.#roots.push(root);
    const also = [
      ...(this.#format.kind === 'overlay' ? [this.#format.attribute] : []),
      ...ownerRecordXattrs(this.#options.recordedOwners),
    ];
    return {
      root,
      access: { format: this.#format, xattrs: await openXattrSource(root, { policy, also, signal }) },
    };
  }

  async close(): Promise<void> {
    for (const root of this.#roots) await root.close();
  }
}

function* compareWithLayers(
  upper: OpenLayer,
  lowers: readonly OpenLayer[],
  walk: UpperWalk,
): Generator<void, Change[], undefined> {
  const opened: OpenDirectory[] = [];
  using top = upper.root.directory('');
  try {
    const tops: LayerDirectory[] = [];
    for (const { root, access } of lowers) {
      const directory = root.directory('');
      opened.push(directory);
      tops.push(readLayerDirectory(access, directory, ''));
      if (tops.at(-1)?.opaque === true) break;
    }
    yield* walk.directory(readLayerDirectory(upper.access, top, ''), tops);
  } finally {
    for (const directory of opened) directory.close();
  }
  return walk.changes.list();
}

class UpperWalk {
  readonly changes: ChangeCollector = new ChangeCollector();
  readonly #tree: boolean;
  readonly #objects: ObjectComparison;

  constructor(options: ResolvedCompareOptions, semantics: 'branch' | 'tree') {
    this.#tree = semantics === 'tree';
    this.#objects = new ObjectComparison(options);
  }

  *directory(upper: LayerDirectory, lowers: readonly LayerDirectory[]): Generator<void, void, undefined> {
    for (const name of this.#deletions(upper, lowers)) this.#record('delete', joinName(upper.path, name));
    for (const name of upper.names) {
      yield;
      yield* this.#object(upper, lowers, name);
    }
  }

  /** Whiteouts; and what an opaque directory hides without having it itself. */
  #deletions(upper: LayerDirectory, lowers: readonly LayerDirectory[]): Iterable<string> {
    const names = new Set<string>();
    const visible = this.#tree || upper.opaque ? visibleNames(lowers) : undefined;
    for (const name of upper.deleted) {
      // A name deleted and made again is a change of what was there, and listed as such.
      if (!upper.present.has(name) && (!this.#tree || visible?.has(name) === true)) names.add(name);
    }
    if (upper.opaque) for (const name of visible ?? []) if (!upper.present.has(name)) names.add(name);
    return names;
  }

  *#object(
    upper: LayerDirectory,
    lowers: readonly LayerDirectory[],
    name: string,
  ): Generator<void, void, undefined> {
    const path = joinName(upper.path, name);
    const opened = look(upper.directory, name, path);
    if (opened === undefined) return;
    const { stat, directory } = opened;
    let merged: LayerDirectory[] = [];
    try {
      const below = visibleObject(lowers, name);
      if (below === undefined) {
        this.#record('add', path);
      } else if (this.#tree) {
        using belowDirectory = isDirectory(below.stat)
          ? below.holder.directory.openDirectory(name)
          : undefined;
        const older = { ...view(below.holder, below.stat), directory: belowDirectory };
        const newer = { ...view(upper, stat), directory };
        if (yield* this.#objects.differs(older, newer, name, path)) this.#record('modify', path);
      } else {
        const before = this.#objects.statOf(view(below.holder, below.stat), name, path);
        const after = this.#objects.statOf({ ...view(upper, stat), directory }, name, path);
        if (directory === undefined || !sameDirectory(after, before)) this.#record('modify', path);
      }
      if (directory === undefined) return;
      merged = openLowers(lowers, name, path);
      const own = readLayerDirectory(upper.layer, directory, path);
      // What hides a directory's lower content hides that of all below it.
      yield* this.directory(
        { ...own, opaque: own.opaque || upper.opaque || upper.deleted.has(name) },
        merged,
      );
    } catch (error) {
      throw ioError(error, 'compare', path);
    } finally {
      for (const lower of merged) lower.directory.close();
      directory?.close();
    }
  }

  #record(kind: Change['kind'], path: string): void {
    this.changes.record(kind, path);
    if (this.#tree || kind !== 'modify') this.changes.touchParents(path);
  }
}

function view({ directory: parent, layer }: LayerDirectory, stat: FileStat): ObjectView {
  return { parent, stat, directory: undefined, xattrs: layer.xattrs };
}

/** A copy the branch needed for what is in it: not a change (moby #13590). */
function sameDirectory(a: FileStat, b: FileStat): boolean {
  return isDirectory(b) && a.size === b.size && a.mode === b.mode && sameTime(a.mtimeNs, b.mtimeNs);
}

function look(
  parent: OpenDirectory,
  name: string,
  path: string,
): { readonly stat: FileStat; readonly directory: OpenDirectory | undefined } | undefined {
  try {
    const stat = parent.lstat(name);
    return { stat, directory: isDirectory(stat) ? parent.openDirectory(name) : undefined };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw ioError(error, 'compare', path);
  }
}
