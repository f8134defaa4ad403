import { assertKnownKeys, invalidOption } from '@x/archive';
import { type ChainId, parseChainId } from '../ids.js';
import type { StoreContext } from './context.js';
import type { LayerNode } from './layer-node.js';
import { collectUnwanted, type RemovedLayers } from './release.js';

/** Options of `prune`. */
export interface PruneOptions {
  /** ChainIDs that stay, with their ancestors, though nothing refers to them. Default none. */
  readonly keep?: Iterable<string>;
}

/** Throws OPTION_INVALID, OPTION_UNKNOWN, DIGEST_INVALID. */
export function checkPruneOptions(options: PruneOptions): ReadonlySet<ChainId> {
  assertKnownKeys('prune', options, ['keep']);
  const { keep = [] } = options;
  if (typeof keep === 'string' || typeof keep[Symbol.iterator] !== 'function') {
    invalidOption('prune', 'keep', 'a list of chain ids', keep);
  }
  return new Set([...keep].map(parseChainId));
}

/** Deletes every layer that nothing refers to and that is neither kept nor an ancestor of one that is. */
export async function pruneLayers(ctx: StoreContext, keep: ReadonlySet<ChainId>): Promise<RemovedLayers> {
  const kept = [...keep].map((chainId) => ctx.graph.find(chainId)).filter((node) => node !== undefined);
  // Pinned meanwhile, so that the collection of their children does not go on into them.
  for (const node of kept) node.pins += 1;
  try {
    const unreferenced: LayerNode[] = [...ctx.graph.nodes()].filter((node) => node.referenceCount === 0);
    return await collectUnwanted(ctx, unreferenced);
  } finally {
    for (const node of kept) {
      node.pins -= 1;
      node.unwanted = false;
    }
  }
}
