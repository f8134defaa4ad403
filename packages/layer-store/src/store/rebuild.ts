import { type CacheId, type ChainId, childChainId, type DiffId } from '../ids.js';
import type { LayerRecord, RemovalRecord } from '../metadata/records.js';
import type { BrokenObject } from './broken-registry.js';
import type { StoreContext } from './context.js';
import type { LayerNode } from './layer-node.js';

/*
 * Registering a layer that is recorded but damaged puts it in order (spec/field.md 2.2). Announced by `expectedDiffId` it
 * is rebuilt under its old cache id, so that layers that mount it as their parent find it again; otherwise the new data
 * gets a new id and the old goes when the new layer is committed.
 */

/** The cache id of the damaged layer that is about to be registered again, if it can be used. */
export function rebuildTarget(
  ctx: StoreContext,
  parent: ChainId | undefined,
  expected: DiffId | undefined,
): CacheId | undefined {
  if (expected === undefined) return undefined;
  const record = ctx.broken.find('layer', childChainId(parent, expected))?.record;
  return record !== undefined && !usedCacheIds(ctx).has(record.cacheId) ? record.cacheId : undefined;
}

/** What a new layer leaves to be deleted of a damaged one of the same chain. */
export function supersede(ctx: StoreContext, record: LayerRecord): RemovalRecord[] {
  const broken = ctx.broken.find('layer', record.chainId);
  if (broken === undefined) return [];
  return removalsOf(ctx, broken, record.cacheId);
}

/** Removal records for the data of a damaged object, without what a whole one uses. */
export function removalsOf(ctx: StoreContext, broken: BrokenObject, except?: string): RemovalRecord[] {
  const used = usedCacheIds(ctx);
  const ids = broken.driverIds.filter((id) => id !== except && !used.has(id));
  return ids.map((id) => ({
    id,
    kind: broken.kind,
    driverIds: [id],
    ...(broken.kind === 'layer' ? { tarSplit: id as CacheId } : {}),
  }));
}

/**
 * Forgets that a layer was damaged, and takes back what was unusable only because of it. Layers on other drivers than
 * those that copy (whiteouts `delete`) refer to the parent's cache id: they come back only if that is unchanged.
 */
export function revive(ctx: StoreContext, node: LayerNode): void {
  const { broken, graph, mounts, driver } = ctx;
  const previous = broken.find('layer', node.record.chainId);
  if (previous === undefined) return;
  broken.drop('layer', node.record.chainId);
  const sameData = previous.record?.cacheId === node.record.cacheId;
  if (!sameData && driver.capabilities.whiteouts !== 'delete') return;
  const parents = [node];
  for (let parent = parents.pop(); parent !== undefined; parent = parents.pop()) {
    for (const object of broken.all()) {
      if (!object.onlyParent) continue;
      const { record, mount } = object;
      if (record?.parent === parent.record.chainId) {
        parents.push(graph.add(record, parent));
      } else if (mount?.parent === parent.record.chainId) {
        mounts.add(mount, parent);
      } else {
        continue;
      }
      broken.drop(object.kind, object.id);
    }
  }
}

function usedCacheIds(ctx: StoreContext): Set<string> {
  const used = new Set<string>();
  for (const node of ctx.graph.nodes()) used.add(node.record.cacheId);
  for (const mount of ctx.mounts.all()) for (const id of mount.driverIds) used.add(id);
  return used;
}
