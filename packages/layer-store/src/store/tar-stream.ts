import { createDigester, LayerStoreError, openGatherer } from '@x/archive';
import type { DiffStream, SignalOptions } from '../driver/contract.js';
import type { ChainId } from '../ids.js';
import type { LayerRecord } from '../metadata/records.js';
import { assembleTar } from '../tar-split/index.js';
import type { StoreContext } from './context.js';
import type { LayerNode } from './layer-node.js';
import { tarSplitPath } from './tar-split-files.js';

/** The registered stream of a layer, assembled from its files and checked against its DiffID at the end. */
export function verifiedTarStream(ctx: StoreContext, node: LayerNode, options: SignalOptions): DiffStream {
  return ctx.operations.stream(options.signal, (signal) =>
    whileUsed(ctx, node, assembled(ctx, node.record, signal)),
  );
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

/** The bytes of one tar-split file and the directories it describes, verified. Throws LAYER_UNVERIFIED at the end. */
export async function* assembleVerified(
  ctx: Pick<StoreContext, 'driver'>,
  tarSplit: string,
  record: Pick<LayerRecord, 'cacheId' | 'diffId' | 'chainId'>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { cacheId, diffId, chainId } = record;
  await using files = await ctx.driver.fileSource(cacheId);
  await using gatherer = await openGatherer(files.roots);
  const digester = createDigester();
  for await (const chunk of assembleTar(tarSplit, gatherer, { signal, chainId })) {
    digester.update(chunk);
    yield chunk;
  }
  const actual: string = digester.digest();
  if (actual === diffId) return;
  throw new LayerStoreError(
    'LAYER_UNVERIFIED',
    `could not verify layer data for: ${diffId}: its files give ${actual}; register the layer again`,
    { chainId, diffId, cacheId, expected: diffId, actual },
  );
}

function assembled(
  ctx: StoreContext,
  record: LayerRecord,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  return assembleVerified(ctx, tarSplitPath(ctx.paths, record.cacheId), record, signal);
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
