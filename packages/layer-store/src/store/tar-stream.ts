import { createDigester, LayerStoreError, openGatherer, type RecyclingSource } from '@x/archive';
import type { DiffStream, SignalOptions } from '../driver/contract.js';
import type { ChainId } from '../ids.js';
import type { LayerRecord } from '../metadata/records.js';
import { type AssembleOptions, assembleTar, assemblyPool } from '../tar-split/index.js';
import type { StoreContext } from './context.js';
import type { LayerNode } from './layer-node.js';
import { tarSplitPath } from './tar-split-files.js';

/** A registered stream: its chunks may be given back with `recycle`, which spares V8 most of its work on a big layer. */
export interface LayerStream extends DiffStream, RecyclingSource {}

/** The registered stream of a layer, assembled from its files and checked against its DiffID at the end. */
export function verifiedTarStream(ctx: StoreContext, node: LayerNode, options: SignalOptions): LayerStream {
  const pool = assemblyPool();
  const tarSplit = tarSplitPath(ctx.paths, node.record.cacheId);
  const stream = ctx.operations.stream(options.signal, (signal) =>
    whileUsed(ctx, node, assembleVerified(ctx, tarSplit, node.record, { signal, pool })),
  );
  return Object.assign(stream, { recycle: (chunk: Uint8Array) => pool.recycle(chunk) });
}

/** The files of a layer over those of an ancestor, or all of them. */
export function flattenedStream(
  ctx: StoreContext,
  node: LayerNode,
  ancestor: ChainId | undefined,
  options: SignalOptions,
): DiffStream {
  const base = ancestor === undefined ? undefined : findAncestor(node, ancestor);
  return ctx.operations.stream(options.signal, (signal) => {
    const { cacheId } = node.record;
    return whileUsed(ctx, node, ctx.driver.diff(cacheId, base?.record.cacheId, { signal }));
  });
}

/**
 * The bytes of one tar-split file and the directories it describes. The last chunk is withheld until the digest of all was
 * right: nobody has a complete stream that is not. Throws LAYER_UNVERIFIED at the end.
 */
export async function* assembleVerified(
  ctx: Pick<StoreContext, 'driver'>,
  tarSplit: string,
  record: Pick<LayerRecord, 'cacheId' | 'diffId' | 'chainId'>,
  options: Pick<AssembleOptions, 'signal' | 'pool'>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { cacheId, diffId, chainId } = record;
  await using files = await ctx.driver.fileSource(cacheId);
  await using gatherer = await openGatherer(files.roots);
  const digester = createDigester();
  let withheld: Uint8Array | undefined;
  for await (const chunk of assembleTar(tarSplit, gatherer, { ...options, chainId })) {
    digester.update(chunk);
    if (withheld !== undefined) yield withheld;
    withheld = chunk;
  }
  const actual: string = digester.digest();
  if (actual === diffId) {
    if (withheld !== undefined) yield withheld;
    return;
  }
  throw new LayerStoreError(
    'LAYER_UNVERIFIED',
    `could not verify layer data for: ${diffId}: its files give ${actual}; register the layer again`,
    { chainId, diffId, cacheId, expected: diffId, actual },
  );
}

/** A layer that goes while it is read is deleted on disk afterwards: the driver refuses to before. */
async function* whileUsed(
  ctx: StoreContext,
  node: LayerNode,
  stream: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (!ctx.graph.isLive(node)) ctx.graph.require(node.record.chainId);
  try {
    yield* stream;
  } finally {
    if (!ctx.graph.isLive(node)) await ctx.pending.retry(node.record.cacheId);
  }
}

function findAncestor(node: LayerNode, ancestor: ChainId): LayerNode {
  for (let found = node.parent; found !== undefined; found = found.parent) {
    if (found.record.chainId === ancestor) return found;
  }
  const { chainId } = node.record;
  throw new LayerStoreError(
    'LAYER_NOT_ANCESTOR',
    `layer ID '${ancestor}' is not a parent of the specified layer: cannot provide diff to non-parent of ${chainId}`,
    { chainId, actual: ancestor },
  );
}
