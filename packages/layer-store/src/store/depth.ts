import { LayerStoreError } from '@x/archive';
import type { LayerNode } from './layer-node.js';

/** The strictest driver mounts 127 layers; an init and a read-write layer may come on top of a chain. */
export const MAX_DEPTH = 125;

/** Refuses a layer on a parent that is at the limit already (spec/layer-archive.md 1.2). Throws LAYER_MAX_DEPTH. */
export function checkDepth(parent: LayerNode | undefined, driverMaxDepth: number): void {
  const limit = Math.min(MAX_DEPTH, driverMaxDepth - 2);
  if (parent === undefined || parent.depth < limit) return;
  throw new LayerStoreError(
    'LAYER_MAX_DEPTH',
    `max depth exceeded: ${parent.record.chainId} has ${parent.depth} layers already, a chain may have ${limit}: squash it`,
    { chainId: parent.record.chainId },
  );
}
