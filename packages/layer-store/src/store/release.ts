import { LayerStoreError } from '@x/archive';
import { publish } from '../events.js';
import { step } from '../failpoint/failpoints.js';
import type { ChainId, DiffId } from '../ids.js';
import type { RemovalRecord } from '../metadata/records.js';
import { COMMIT, type StoreContext } from './context.js';
import type { HandleToken, LayerNode } from './layer-node.js';

/** A layer that is gone. Sizes as they were. */
export interface RemovedLayer {
  readonly chainId: ChainId;
  readonly diffId: DiffId;
  /** Of the whole chain, bytes. */
  readonly size: number;
  /** Its own. */
  readonly diffSize: number;
}

/**
 * The layers that are gone, child first. `errors` has what could not be deleted on disk: the layers are gone all the
 * same, and the deletion is tried again by `cleanup()` and at the next open.
 */
export interface RemovedLayers extends ReadonlyArray<RemovedLayer> {
  readonly errors: readonly LayerStoreError[];
}

/** Gives up a handle; deletes the layer, and then its ancestors, if that was the last reference. */
export async function releaseLayer(
  ctx: StoreContext,
  chainId: ChainId,
  token: HandleToken,
): Promise<RemovedLayers> {
  const freed = await ctx.commits.run(COMMIT, async () => {
    const node = ctx.graph.find(chainId);
    if (node === undefined) return [];
    if (!node.handles.delete(token)) throw notRetained(chainId);
    const collected = ctx.graph.collect(node);
    try {
      await commitRemoval(ctx, collected);
    } catch (error) {
      ctx.graph.reinstate(collected);
      node.handles.add(token);
      throw error;
    }
    return collected;
  });
  return deleteFreed(ctx, freed);
}

/** Drops a reference that an operation held; layers nobody wants any more are deleted with it. */
export async function unpin(ctx: StoreContext, node: LayerNode | undefined): Promise<void> {
  if (node === undefined) return;
  node.pins -= 1;
  if (node.unwanted && node.referenceCount === 0 && ctx.graph.isLive(node))
    await collectUnwanted(ctx, [node]);
}

/** Deletes layers that have no references, with the ancestors that are only held by them. */
export async function collectUnwanted(
  ctx: StoreContext,
  candidates: readonly LayerNode[],
): Promise<RemovedLayers> {
  const freed = await ctx.commits.run(COMMIT, async () => {
    const collected = candidates.flatMap((node) => ctx.graph.collect(node));
    try {
      await commitRemoval(ctx, collected);
    } catch (error) {
      ctx.graph.reinstate(collected);
      throw error;
    }
    return collected;
  });
  return deleteFreed(ctx, freed);
}

/** Deletes on disk what is logically gone: no lock is held, children go before their parents. */
export async function deleteFreed(ctx: StoreContext, freed: readonly LayerNode[]): Promise<RemovedLayers> {
  const errors: LayerStoreError[] = [];
  for (const node of freed) {
    const error = await ctx.pending.remove(layerRemoval(node));
    if (error !== undefined) errors.push(error);
    publish('layer-store:removed', ctx.paths.root, { chainId: node.record.chainId });
  }
  return Object.assign(freed.map(describe), { errors });
}

/** What has to be deleted for a layer. */
export function layerRemoval({ record }: LayerNode): RemovalRecord {
  return { id: record.cacheId, kind: 'layer', driverIds: [record.cacheId], tarSplit: record.cacheId };
}

async function commitRemoval(ctx: StoreContext, freed: readonly LayerNode[]): Promise<void> {
  if (freed.length === 0) return;
  const layers = freed.map((node) => node.record.chainId);
  const removals = freed.map(layerRemoval);
  await step('release.commit', () => ctx.metadata.remove({ layers, mounts: [], removals }));
}

function describe({ record, chainSize }: LayerNode): RemovedLayer {
  return { chainId: record.chainId, diffId: record.diffId, size: chainSize, diffSize: record.size };
}

function notRetained(chainId: ChainId): LayerStoreError {
  return new LayerStoreError(
    'LAYER_NOT_RETAINED',
    `layer not retained: this handle of ${chainId} was released already or belongs to another store`,
    { chainId },
  );
}
