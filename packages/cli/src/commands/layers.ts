import { formatSize, LayerStoreError } from '@x/archive';
import { type LayerStore, parseChainId, type RemovedLayer, type StoredLayer } from '@x/layer-store';
import type { ConsoleIo } from '../console-io.js';
import { layerLine } from '../layer-line.js';
import type { JsonRecord, Report } from '../report.js';
import { writeOutput } from './write-output.js';

/** `export CHAIN [-o FILE]` */
export async function exportLayer(
  store: LayerStore,
  chain: string,
  file: string | undefined,
  report: Report,
  io: ConsoleIo,
): Promise<void> {
  const chainId = parseChainId(chain);
  const layer = await store.get(chainId);
  await using stream = layer.tarStream({ signal: io.signal });
  await writeOutput(stream, file, { chainId, diffId: layer.diffId }, report, io);
}

/** `ls`: parents before their children. */
export async function listLayers(store: LayerStore, report: Report): Promise<void> {
  const layers = [...store.map().values()].sort(
    (a, b) => a.depth - b.depth || (a.chainId < b.chainId ? -1 : 1),
  );
  for (const layer of layers) {
    const parent = layer.parent === undefined ? 'base' : `on ${layer.parent.chainId}`;
    await report.record(summary(layer), `${layerLine(layer)}  ${parent}`);
  }
}

/** `inspect CHAIN` */
export async function inspectLayer(store: LayerStore, chain: string, report: Report): Promise<void> {
  const layer = await store.get(parseChainId(chain));
  const record = {
    ...summary(layer),
    chainSize: layer.size(),
    archiveSize: layer.archiveSize(),
    cacheId: layer.cacheId,
    // our own handle is not a use
    references: layer.referenceCount - 1,
    labels: { ...layer.labels },
    driver: store.driverName,
    driverMetadata: { ...(await layer.metadata()) },
  };
  const lines = Object.entries(record).map(([key, value]) => `${key.padEnd(15)} ${shown(value)}`);
  await report.record(record, lines.join('\n'));
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function summary(layer: StoredLayer): JsonRecord {
  return {
    chainId: layer.chainId,
    diffId: layer.diffId,
    parent: layer.parent?.chainId ?? null,
    size: layer.diffSize(),
    depth: layer.depth,
  };
}

/** `rm CHAIN`: this layer only, unless `parents`; refused while something is built on it. */
export async function removeLayer(
  store: LayerStore,
  chain: string,
  parents: boolean,
  report: Report,
): Promise<void> {
  const chainId = parseChainId(chain);
  const layer = await store.get(chainId);
  if (layer.referenceCount > 1) {
    const users = layer.referenceCount - 1;
    await layer.release();
    throw new LayerStoreError(
      'LAYER_IN_USE',
      `layer ${chainId} is used by ${users} layer(s) or read-write layer(s): remove those first`,
      { chainId },
    );
  }
  // a handle on the parent, given up only by closing the store, keeps the parent
  if (!parents && layer.parent !== undefined) await store.get(layer.parent.chainId);
  await reportRemoved(await store.release(layer), report);
}

/** `prune [--keep CHAIN]...` */
export async function pruneLayers(store: LayerStore, keep: readonly string[], report: Report): Promise<void> {
  await reportRemoved(await store.prune({ keep: keep.map(parseChainId) }), report);
}

async function reportRemoved(removed: readonly RemovedLayer[], report: Report): Promise<void> {
  for (const layer of removed) {
    await report.record(
      { chainId: layer.chainId, diffId: layer.diffId, size: layer.diffSize },
      `removed ${layer.chainId}  ${formatSize(layer.diffSize)}`,
    );
  }
}
