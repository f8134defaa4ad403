import { LayerStoreError } from '@x/archive';
import { publish } from '../events.js';
import { step } from '../failpoint/failpoints.js';
import type { RemovalRecord } from '../metadata/records.js';
import { COMMIT, type StoreContext } from './context.js';
import type { HandleToken, LayerNode } from './layer-node.js';
import type { MountNode } from './mount-table.js';
import { deleteFreed, layerRemoval, type RemovedLayers } from './release.js';

/**
 * Gives up a handle of a read-write layer; with the last one the layer goes, and the parent's reference with it. One
 * transaction takes all of it away; only then is anything deleted. If the transaction fails the handle stays good, so
 * that the caller can try again; if deleting fails, the layer is gone and the deletion is tried again later.
 *
 * `unmount` refuses, or gives up what the handle has mounted.
 */
export function releaseRWLayer(
  ctx: StoreContext,
  node: MountNode,
  token: HandleToken,
  unmount: () => Promise<void>,
): Promise<RemovedLayers> {
  const { name } = node.record;
  return ctx.names.run(name, async () => {
    if (ctx.mounts.find(name) === undefined) return Object.assign([], { errors: [] });
    if (!node.handles.has(token)) {
      throw new LayerStoreError(
        'LAYER_NOT_RETAINED',
        `layer not retained: this handle of ${name} was released already or belongs to another store`,
        { name },
      );
    }
    await unmount();
    node.handles.delete(token);
    if (node.handles.size > 0) return Object.assign([], { errors: [] });
    let freed: LayerNode[];
    try {
      freed = await commitRelease(ctx, node);
    } catch (error) {
      node.handles.add(token);
      throw error;
    }
    const error = await ctx.pending.remove(mountRemoval(node));
    publish('layer-store:mount-removed', ctx.paths.root, { name, mountId: node.record.mountId });
    const removed = await deleteFreed(ctx, freed);
    return error === undefined ? removed : Object.assign(removed, { errors: [error, ...removed.errors] });
  });
}

function commitRelease(ctx: StoreContext, node: MountNode): Promise<LayerNode[]> {
  return ctx.commits.run(COMMIT, async () => {
    ctx.mounts.drop(node);
    const freed = ctx.graph.collect(node.parent);
    const layers = freed.map((layer) => layer.record.chainId);
    const removals = [mountRemoval(node), ...freed.map(layerRemoval)];
    try {
      await step('rw-release.commit', () =>
        ctx.metadata.remove({ layers, mounts: [node.record.name], removals }),
      );
      return freed;
    } catch (error) {
      ctx.graph.reinstate(freed);
      ctx.mounts.reinstate(node);
      throw error;
    }
  });
}

function mountRemoval(node: MountNode): RemovalRecord {
  return { id: node.record.mountId, kind: 'mount', driverIds: node.driverIds };
}
