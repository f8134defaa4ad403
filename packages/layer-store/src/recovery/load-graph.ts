import type { ChainId } from '../ids.js';
import { childChainId } from '../ids.js';
import type { LayerRecord, MetadataContents, MountRecord } from '../metadata/records.js';
import { type BrokenObject, BrokenRegistry } from '../store/broken-registry.js';
import { LayerGraph } from '../store/layer-node.js';

/** What is really on disk, to hold the records against. */
export interface DiskInventory {
  readonly driverIds: ReadonlySet<string>;
  /** Cache ids with a tar-split file. */
  readonly tarSplits: ReadonlySet<string>;
}

/** The records sorted into what can be used and what cannot. */
export interface LoadedStore {
  readonly graph: LayerGraph;
  readonly mounts: readonly MountRecord[];
  readonly broken: BrokenRegistry;
}

/**
 * Builds the layers of a store from its records: linear, without recursion, parents before children. A record that is
 * unreadable, has lost its data, or whose parent is missing, damaged or its own descendant, goes to the registry of
 * broken objects with everything above it.
 */
export function loadGraph(contents: MetadataContents, disk: DiskInventory): LoadedStore {
  const graph = new LayerGraph();
  const broken = new BrokenRegistry();
  for (const { kind, key, problem, driverIds } of contents.unreadable) {
    if (kind !== 'layer' && kind !== 'mount') continue;
    broken.add({
      kind,
      id: key,
      problems: [`its record cannot be read: ${problem}`],
      driverIds,
      onlyParent: false,
    });
  }
  const waiting = new Map<ChainId, LayerRecord[]>();
  const ready: LayerRecord[] = [];
  const records = new Map<ChainId, LayerRecord>();
  for (const record of contents.layers) {
    records.set(record.chainId, record);
    const problems = layerProblems(record, disk);
    if (problems.length > 0) broken.add(brokenLayer(record, problems, false));
    else if (record.parent === undefined) ready.push(record);
    else waiting.set(record.parent, [...(waiting.get(record.parent) ?? []), record]);
  }
  for (let record = ready.pop(); record !== undefined; record = ready.pop()) {
    graph.add(record, record.parent === undefined ? undefined : graph.require(record.parent));
    ready.push(...(waiting.get(record.chainId) ?? []));
    waiting.delete(record.chainId);
  }
  for (const orphans of waiting.values()) {
    for (const record of orphans)
      broken.add(brokenLayer(record, [parentProblem(record, broken, records)], true));
  }
  return { graph, mounts: usableMounts(contents.mounts, disk, graph, broken), broken };
}

function layerProblems(record: LayerRecord, disk: DiskInventory): string[] {
  const problems: string[] = [];
  if (childChainId(record.parent, record.diffId) !== record.chainId) {
    problems.push('its chain id is not that of its parent and diff id');
  }
  if (!disk.driverIds.has(record.cacheId)) problems.push(`the driver has no data for it (${record.cacheId})`);
  if (!disk.tarSplits.has(record.cacheId)) problems.push(`its tar-split file is missing (${record.cacheId})`);
  return problems;
}

function parentProblem(
  record: LayerRecord,
  broken: BrokenRegistry,
  records: ReadonlyMap<ChainId, LayerRecord>,
): string {
  const parent = record.parent ?? '';
  if (broken.find('layer', parent) !== undefined) return `its parent ${parent} is broken`;
  return records.has(parent as ChainId)
    ? `its parent ${parent} cannot be loaded or is its own descendant`
    : `its parent ${parent} does not exist`;
}

function brokenLayer(record: LayerRecord, problems: readonly string[], onlyParent: boolean): BrokenObject {
  return { kind: 'layer', id: record.chainId, problems, driverIds: [record.cacheId], onlyParent, record };
}

function usableMounts(
  mounts: readonly MountRecord[],
  disk: DiskInventory,
  graph: LayerGraph,
  broken: BrokenRegistry,
): MountRecord[] {
  return mounts.filter((mount) => {
    const { name: id, mountId, initId, parent } = mount;
    const driverIds = initId === undefined ? [mountId] : [mountId, initId];
    const problems = driverIds
      .filter((driverId) => !disk.driverIds.has(driverId))
      .map((driverId) => `the driver has no data for it (${driverId})`);
    const onlyParent = problems.length === 0;
    if (parent !== undefined && graph.find(parent) === undefined) {
      problems.push(`its parent ${parent} does not exist or is broken`);
    }
    if (problems.length === 0) return true;
    broken.add({ kind: 'mount', id, problems, driverIds, onlyParent, mount });
    return false;
  });
}
