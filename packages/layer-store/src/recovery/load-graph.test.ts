import { describe, expect, it } from '@jest/globals';
import { type CacheId, childChainId, type DiffId, type MountId, randomId } from '../ids.js';
import type { LayerRecord, MetadataContents, MountRecord, UnreadableRecord } from '../metadata/records.js';
import { type DiskInventory, loadGraph } from './load-graph.js';

function layer(number: number, parent?: LayerRecord): LayerRecord {
  const diffId = `sha256:${number.toString(16).padStart(64, '0')}` as DiffId;
  return {
    chainId: childChainId(parent?.chainId, diffId),
    diffId,
    ...(parent === undefined ? {} : { parent: parent.chainId }),
    cacheId: randomId() as CacheId,
    size: number,
    archiveSize: number,
  };
}

function contents(
  layers: readonly LayerRecord[],
  mounts: readonly MountRecord[] = [],
  unreadable: readonly UnreadableRecord[] = [],
): MetadataContents {
  return { schema: 1, storeId: 'x', generation: 1, layers, mounts, intents: [], removals: [], unreadable };
}

function diskOf(layers: readonly LayerRecord[], more: readonly string[] = []): DiskInventory {
  const ids = layers.map(({ cacheId }) => cacheId as string);
  return { driverIds: new Set([...ids, ...more]), tarSplits: new Set(ids) };
}

describe('loadGraph', () => {
  const base = layer(1);
  const middle = layer(2, base);
  const top = layer(3, middle);
  const chain = [top, base, middle];

  it('builds chains whatever order the records come in, with parents counted once per child', () => {
    const { graph, broken } = loadGraph(contents(chain), diskOf(chain));
    expect(broken.all()).toEqual([]);
    const node = graph.require(top.chainId);
    expect(node.depth).toBe(3);
    expect(node.chainSize).toBe(6);
    expect(node.referenceCount).toBe(0);
    expect(graph.require(base.chainId).referenceCount).toBe(1);
  });

  it('a damaged layer takes its descendants and their mounts with it, and nothing else', () => {
    const other = layer(9);
    const mount: MountRecord = { name: 'm', mountId: randomId() as MountId, parent: top.chainId };
    const disk = diskOf([base, top, other], [mount.mountId]);
    const { graph, broken, mounts } = loadGraph(contents([...chain, other], [mount]), disk);
    expect([...graph.nodes()].map((node) => node.record)).toEqual(expect.arrayContaining([base, other]));
    expect(graph.size).toBe(2);
    expect(mounts).toEqual([]);
    expect(broken.find('layer', middle.chainId)).toMatchObject({ onlyParent: false, record: middle });
    expect(broken.find('layer', middle.chainId)?.problems).toHaveLength(2);
    expect(broken.find('layer', top.chainId)).toMatchObject({ onlyParent: true });
    expect(broken.find('mount', 'm')).toMatchObject({ onlyParent: true });
    expect(graph.require(base.chainId).referenceCount).toBe(0);
  });

  it.each([
    ['driver data', (disk: DiskInventory) => ({ ...disk, driverIds: new Set<string>() })],
    ['tar-split file', (disk: DiskInventory) => ({ ...disk, tarSplits: new Set<string>() })],
  ])('a layer without its %s is broken', (_what, damage) => {
    const { graph, broken } = loadGraph(contents([base]), damage(diskOf([base])));
    expect(graph.size).toBe(0);
    expect(broken.find('layer', base.chainId)?.problems).toHaveLength(1);
  });

  it('a missing parent, a parent of its own and a cycle are broken, and end', () => {
    const orphan = layer(5, layer(4));
    const self = { ...layer(6), parent: layer(6).chainId };
    const first = layer(7, base);
    const second = { ...layer(8, first) };
    const cyclic = { ...first, parent: second.chainId };
    const records = [orphan, self, cyclic, second];
    const { graph, broken } = loadGraph(contents(records), diskOf(records));
    expect(graph.size).toBe(0);
    for (const { chainId } of records) expect(broken.find('layer', chainId)).toBeDefined();
    expect(broken.find('layer', orphan.chainId)?.problems[0]).toContain('does not exist');
  });

  it('a mount that lost its init layer or its parent is broken, and its name is known', () => {
    const mountId = randomId() as MountId;
    const noInit: MountRecord = { name: 'a', mountId, initId: `${mountId}-init` };
    const noParent: MountRecord = { name: 'b', mountId, parent: top.chainId };
    const { broken } = loadGraph(contents([], [noInit, noParent]), diskOf([], [mountId]));
    expect(broken.find('mount', 'a')).toMatchObject({ onlyParent: false });
    expect(broken.find('mount', 'b')).toMatchObject({ onlyParent: true });
  });

  it('a record that cannot be read is broken under its key', () => {
    const unreadable: UnreadableRecord = { kind: 'mount', key: 'm', problem: 'torn', driverIds: ['x'] };
    const { broken } = loadGraph(contents([], [], [unreadable]), diskOf([]));
    expect(broken.find('mount', 'm')).toMatchObject({ driverIds: ['x'] });
  });

  it('a chain far deeper than any stack loads', () => {
    const deep: LayerRecord[] = [];
    for (let n = 0; n < 20_000; n += 1) deep.push(layer(n + 1, deep.at(-1)));
    const { graph } = loadGraph(contents(deep.toReversed()), diskOf(deep));
    expect(graph.require(deep.at(-1)?.chainId ?? base.chainId).depth).toBe(20_000);
  });
});
