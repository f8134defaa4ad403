import {
  type ByteSource,
  createChunkDigester,
  isLayerStoreError,
  LayerStoreError,
  recyclingHooks,
} from '@x/archive';
import type { LayerSource, UnpackResult } from '../driver/contract.js';
import { layerSource } from '../driver/layer-source.js';
import { publish } from '../events.js';
import { step } from '../failpoint/failpoints.js';
import { type CacheId, type ChainId, childChainId, type DiffId, parseDiffId } from '../ids.js';
import type { IntentRecord, LayerRecord, RemovalRecord } from '../metadata/records.js';
import { assemblyPool, TarSplitWriter } from '../tar-split/index.js';
import { COMMIT, type StoreContext } from './context.js';
import { checkDepth } from './depth.js';
import { Layer } from './layer.js';
import { discardSource, guardedProgress, openLayerInput, pacedBy } from './layer-input.js';
import type { LayerNode } from './layer-node.js';
import { rebuildTarget, revive, supersede } from './rebuild.js';
import type { CheckedRegisterOptions } from './register-options.js';
import { unpin } from './release.js';
import { makeStaging, placeTarSplit, removeStaging, removeTarSplit, stagingOf } from './tar-split-files.js';
import { assembleVerified } from './tar-stream.js';

/** A layer that has been unpacked and recorded but is not visible yet. */
interface UnpackedLayer {
  readonly diffId: DiffId;
  readonly result: UnpackResult;
  readonly bytes: number;
}

/** What a commit came to. */
interface CommittedLayer {
  readonly handle: Layer;
  /** Somebody else was first; what was unpacked is to be thrown away. */
  readonly existing: boolean;
  /** Data of a damaged layer that the new one replaces. */
  readonly replaced: readonly RemovalRecord[];
}

/**
 * Takes a layer in. The order of what becomes durable: the intent, the driver's data, the tar-split file, and last one
 * transaction that adds the layer and takes the intent away. Until then nothing is visible, and whatever stops the
 * operation, a kill included, leaves nothing.
 */
export async function registerLayer(
  ctx: StoreContext,
  source: ByteSource,
  parentChain: ChainId | undefined,
  options: CheckedRegisterOptions,
  signal: AbortSignal,
): Promise<Layer> {
  const started = performance.now();
  let parent: LayerNode | undefined;
  try {
    parent = pinParent(ctx, parentChain);
    const { expectedDiffId } = options;
    const work = async (): Promise<Layer> => {
      const existing = expectedDiffId && ctx.graph.find(childChainId(parentChain, expectedDiffId));
      if (existing !== undefined) return await answerExisting(ctx, existing, source);
      return await unpackAndCommit(ctx, source, parent, options, signal, started);
    };
    if (expectedDiffId === undefined) return await work();
    return await ctx.flights.run(childChainId(parentChain, expectedDiffId), work, signal);
  } catch (error) {
    publish('layer-store:register-failed', ctx.paths.root, { parent: parentChain, error });
    throw error;
  } finally {
    await unpin(ctx, parent);
  }
}

function pinParent(ctx: StoreContext, parentChain: ChainId | undefined): LayerNode | undefined {
  if (parentChain === undefined) return undefined;
  const broken = ctx.broken.find('layer', parentChain);
  if (broken !== undefined) {
    throw new LayerStoreError(
      'LAYER_BROKEN',
      `the parent ${parentChain} is damaged (${broken.problems.join('; ')}): register it again first`,
      { chainId: parentChain },
    );
  }
  const parent = ctx.graph.require(parentChain);
  checkDepth(parent, ctx.driver.capabilities.maxDepth);
  parent.pins += 1;
  return parent;
}

async function answerExisting(ctx: StoreContext, node: LayerNode, source: ByteSource): Promise<Layer> {
  const handle = Layer.retain(ctx, node);
  discardSource(source);
  return handle;
}

async function unpackAndCommit(
  ctx: StoreContext,
  source: ByteSource,
  parent: LayerNode | undefined,
  options: CheckedRegisterOptions,
  signal: AbortSignal,
  started: number,
): Promise<Layer> {
  const damaged = rebuildTarget(ctx, parent?.record.chainId, options.expectedDiffId);
  const intent = await step('register.intent', () => intentOf(ctx, damaged));
  const cacheId = intent.id as CacheId;
  let committed: CommittedLayer;
  let unpacked: UnpackedLayer;
  try {
    if (damaged !== undefined) await step('register.clear', () => clearDamaged(ctx, damaged));
    unpacked = await unpack(ctx, source, cacheId, parent, options, signal);
    committed = await commit(ctx, cacheId, parent, unpacked, options, signal);
  } catch (error) {
    await ctx.pending.undo(intent);
    throw error;
  }
  const { handle, existing, replaced } = committed;
  if (existing) await ctx.pending.undo(intent);
  for (const removal of replaced) await ctx.pending.remove(removal);
  publish('layer-store:register', ctx.paths.root, {
    chainId: handle.chainId,
    diffId: handle.diffId,
    parent: parent?.record.chainId,
    bytes: unpacked.bytes,
    milliseconds: performance.now() - started,
    existing,
  });
  return handle;
}

/** A layer that is made anew keeps its id: for that the intent is written now. */
async function intentOf(ctx: StoreContext, damaged: CacheId | undefined): Promise<IntentRecord> {
  if (damaged === undefined) return ctx.layerIds.take();
  const intent: IntentRecord = { id: damaged, kind: 'layer', driverIds: [damaged] };
  await ctx.metadata.putIntents([intent]);
  return intent;
}

async function clearDamaged(ctx: StoreContext, cacheId: CacheId): Promise<void> {
  await ctx.driver.remove(cacheId);
  await removeTarSplit(ctx.paths, cacheId);
}

async function unpack(
  ctx: StoreContext,
  source: ByteSource,
  cacheId: CacheId,
  parent: LayerNode | undefined,
  options: CheckedRegisterOptions,
  signal: AbortSignal,
): Promise<UnpackedLayer> {
  const { driver, paths } = ctx;
  const parentId = parent?.record.cacheId;
  const staging = stagingOf(paths, cacheId);
  await step('register.stage', () => makeStaging(staging));
  await step('register.driver-create', () => driver.create(cacheId, parentId, {}, signal));
  using digester = createChunkDigester();
  const recorder = await TarSplitWriter.open(staging.tarSplit, { stashDirectory: staging.stash });
  let result: UnpackResult | undefined;
  try {
    const onProgress = guardedProgress(options.onProgress);
    const chunks = pacedBy(recorder, openLayerInput(source, options.decompress, signal));
    const layer = layerSource(chunks, {
      recorder,
      onChunk: (chunk) => digester.update(chunk),
      ...recyclingHooks(source),
      stashDirectory: staging.stash,
      ...(driver.idMap === undefined ? {} : { idMap: driver.idMap }),
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    const capturing: LayerSource = {
      unpack: async (directory, unpackOptions) => {
        result = await layer.unpack(directory, unpackOptions);
        return result;
      },
    };
    await step('register.driver-apply', () => driver.applyDiff(cacheId, parentId, capturing, { signal }));
    await step('register.tar-split-finish', () => recorder.finish());
  } finally {
    await recorder.abort();
  }
  if (result === undefined) {
    throw new LayerStoreError('STORE_INVARIANT', `the ${driver.name} driver did not unpack the layer`, {
      cacheId,
    });
  }
  const unpacked = { diffId: parseDiffId(await digester.digest()), result, bytes: digester.size };
  checkExpectation(unpacked.diffId, options.expectedDiffId);
  if (options.verify) await verify(ctx, staging.tarSplit, cacheId, parent, unpacked.diffId, signal);
  return unpacked;
}

function checkExpectation(actual: DiffId, expected: DiffId | undefined): void {
  if (expected === undefined || expected === actual) return;
  throw new LayerStoreError(
    'LAYER_DIGEST_MISMATCH',
    `the stream has digest ${actual}, expected was ${expected}: fetch it again`,
    { diffId: expected, expected, actual },
  );
}

async function verify(
  ctx: StoreContext,
  tarSplit: string,
  cacheId: CacheId,
  parent: LayerNode | undefined,
  diffId: DiffId,
  signal: AbortSignal,
): Promise<void> {
  const chainId = childChainId(parent?.record.chainId, diffId);
  try {
    const pool = assemblyPool();
    const record = { cacheId, diffId, chainId };
    for await (const chunk of assembleVerified(ctx, tarSplit, record, { signal, pool })) {
      pool.recycle(chunk);
      signal.throwIfAborted();
    }
  } catch (cause) {
    if (signal.aborted || !isLayerStoreError(cause)) throw cause;
    throw new LayerStoreError(
      'ARCHIVE_NOT_REPRODUCIBLE',
      `the layer ${diffId} could be unpacked but not streamed back byte for byte`,
      { diffId, chainId, cause },
    );
  }
}

async function commit(
  ctx: StoreContext,
  cacheId: CacheId,
  parent: LayerNode | undefined,
  { diffId, result }: UnpackedLayer,
  { descriptor, labels }: CheckedRegisterOptions,
  signal: AbortSignal,
): Promise<CommittedLayer> {
  const chainId = childChainId(parent?.record.chainId, diffId);
  const present = ctx.graph.find(chainId);
  if (present !== undefined) return { handle: Layer.retain(ctx, present), existing: true, replaced: [] };
  if (ctx.sync) await step('register.driver-sync', () => ctx.driver.sync());
  await step('register.tar-split-rename', () => placeTarSplit(ctx.paths, cacheId, ctx.sync));
  await step('register.unstage', () => removeStaging(ctx.paths, cacheId));
  signal.throwIfAborted();
  const record: LayerRecord = {
    chainId,
    diffId,
    ...(parent === undefined ? {} : { parent: parent.record.chainId }),
    cacheId,
    size: result.payloadBytes,
    archiveSize: result.size,
    ...(descriptor === undefined ? {} : { descriptor }),
    ...(labels === undefined ? {} : { labels }),
  };
  return ctx.commits.run(COMMIT, async () => {
    const winner = ctx.graph.find(chainId);
    if (winner !== undefined) return { handle: Layer.retain(ctx, winner), existing: true, replaced: [] };
    const replaced = supersede(ctx, record);
    await step('register.commit', () => ctx.metadata.commitLayer(record, cacheId, replaced));
    const node = ctx.graph.add(record, parent);
    const handle = Layer.retain(ctx, node);
    revive(ctx, node);
    return { handle, existing: false, replaced };
  });
}
