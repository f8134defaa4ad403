import {
  type Change,
  changesBetween,
  changesSize,
  createArchive,
  exportChanges,
  type IdMap,
  treeSize,
} from '@x/archive';
import type { DriverId, DriverUsage, LayerSource } from './contract.js';

/**
 * The diff operations of drivers that only know directories (spec/layer-archive.md 5): trees are compared, deletions are
 * carried out. Edits within one clock tick of the parent are found by comparing contents (the racy-timestamp rule of
 * `changesBetween`), so that no diff has to wait for the next second.
 */
export interface MountedTrees {
  get(id: DriverId): Promise<string>;
  put(id: DriverId): Promise<void>;
  readonly idMap: IdMap | undefined;
  /** Owners are in records where the kernel refused them; see `applyLayer`'s `recordOwners`. */
  readonly recordsOwners: boolean;
}

/** The whole tree, or what distinguishes it from the parent's. The parent is given up once it has been compared. */
export async function* genericDiff(
  trees: MountedTrees,
  id: DriverId,
  parent: DriverId | undefined,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const compare = compareOptions(trees, signal);
  const options = { ...compare, ...(trees.idMap === undefined ? {} : { idMap: trees.idMap }) };
  const path = await trees.get(id);
  try {
    if (parent === undefined) {
      yield* createArchive(path, options);
    } else {
      const changes = await withTree(trees, parent, (older) => changesBetween(path, older, compare));
      yield* exportChanges(path, changes, options);
    }
  } finally {
    await trees.put(id);
  }
}

/** Changes of one tree against another; everything is an addition without a parent. */
export function genericChanges(
  trees: MountedTrees,
  id: DriverId,
  parent: DriverId | undefined,
  signal: AbortSignal | undefined,
): Promise<Change[]> {
  const options = compareOptions(trees, signal);
  return withTree(trees, id, (path) =>
    parent === undefined
      ? changesBetween(path, undefined, options)
      : withTree(trees, parent, (older) => changesBetween(path, older, options)),
  );
}

/** Bytes of added and modified files. */
export async function genericDiffSize(
  trees: MountedTrees,
  id: DriverId,
  parent: DriverId | undefined,
  signal: AbortSignal | undefined,
): Promise<number> {
  return withTree(trees, id, async (path) => {
    const changes = await genericChanges(trees, id, parent, signal);
    return changesSize(path, changes, signal === undefined ? {} : { signal });
  });
}

/** Unpacks onto the full tree; the parent's content is there already, so deletions are carried out. */
export function genericApplyDiff(
  trees: MountedTrees,
  id: DriverId,
  layer: LayerSource,
  signal: AbortSignal | undefined,
): Promise<number> {
  return withTree(trees, id, async (path) => {
    const result = await layer.unpack(path, {
      whiteouts: 'delete',
      ...(trees.recordsOwners ? { recordOwners: true } : {}),
      ...(signal === undefined ? {} : { signal }),
    });
    return result.size;
  });
}

/** What the full tree takes, hard links once. */
export function genericUsage(trees: MountedTrees, id: DriverId): Promise<DriverUsage> {
  return withTree(trees, id, async (path) => ({ bytes: await treeSize(path) }));
}

function compareOptions(
  trees: MountedTrees,
  signal: AbortSignal | undefined,
): { readonly recordedOwners: boolean; readonly signal?: AbortSignal } {
  return { recordedOwners: trees.recordsOwners, ...(signal === undefined ? {} : { signal }) };
}

async function withTree<T>(trees: MountedTrees, id: DriverId, use: (path: string) => Promise<T>): Promise<T> {
  const path = await trees.get(id);
  try {
    return await use(path);
  } finally {
    await trees.put(id);
  }
}
