import { describe, expect, it } from '@jest/globals';
import { type CacheId, childChainId, type DiffId, randomId } from '../ids.js';
import { checkDepth, MAX_DEPTH } from './depth.js';
import { LayerGraph, type LayerNode } from './layer-node.js';

function add(graph: LayerGraph, number: number, parent?: LayerNode): LayerNode {
  const diffId = `sha256:${number.toString(16).padStart(64, '0')}` as DiffId;
  const record = {
    chainId: childChainId(parent?.record.chainId, diffId),
    diffId,
    cacheId: randomId() as CacheId,
    size: 10,
    archiveSize: 10,
  };
  return graph.add(record, parent);
}

describe('LayerGraph', () => {
  it('collects a layer and the ancestors only it held, child first', () => {
    const graph = new LayerGraph();
    const base = add(graph, 1);
    const middle = add(graph, 2, base);
    const left = add(graph, 3, middle);
    const right = add(graph, 4, middle);
    expect(graph.collect(right)).toEqual([right]);
    expect(graph.collect(left)).toEqual([left, middle, base]);
    expect(graph.size).toBe(0);
  });

  it('stops at an ancestor with a handle, a mount, a child or a pin', () => {
    const graph = new LayerGraph();
    const base = add(graph, 1);
    base.handles.add({});
    const first = add(graph, 2, base);
    expect(graph.collect(first)).toEqual([first]);
    base.handles.clear();
    base.mounts = 1;
    expect(graph.collect(base)).toEqual([]);
    base.mounts = 0;
    base.pins = 1;
    expect(graph.collect(base)).toEqual([]);
    expect(base.unwanted).toBe(true);
    graph.retain(base, {});
    expect(base.unwanted).toBe(false);
  });

  it('puts back what could not be deleted', () => {
    const graph = new LayerGraph();
    const base = add(graph, 1);
    const top = add(graph, 2, base);
    const freed = graph.collect(top);
    expect(graph.size).toBe(0);
    graph.reinstate(freed);
    expect(graph.isLive(top)).toBe(true);
    expect(base.referenceCount).toBe(1);
    expect(graph.collect(top)).toEqual([top, base]);
  });

  it('refuses to publish a chain twice, and to find one it does not have', () => {
    const graph = new LayerGraph();
    const base = add(graph, 1);
    expect(() => graph.add(base.record, undefined)).toThrow(
      expect.objectContaining({ code: 'STORE_INVARIANT' }),
    );
    graph.collect(base);
    expect(() => graph.require(base.record.chainId)).toThrow(
      expect.objectContaining({ code: 'LAYER_NOT_FOUND' }),
    );
  });
});

describe('checkDepth', () => {
  function chain(length: number): LayerNode | undefined {
    const graph = new LayerGraph();
    let node: LayerNode | undefined;
    for (let n = 1; n <= length; n += 1) node = add(graph, n, node);
    return node;
  }

  it('lets a chain grow to 125 layers and no further', () => {
    expect(MAX_DEPTH).toBe(125);
    expect(() => checkDepth(chain(124), 1000)).not.toThrow();
    expect(() => checkDepth(chain(125), 1000)).toThrow(expect.objectContaining({ code: 'LAYER_MAX_DEPTH' }));
  });

  it('leaves two layers for init and read-write where the driver is stricter', () => {
    expect(() => checkDepth(chain(9), 12)).not.toThrow();
    expect(() => checkDepth(chain(10), 12)).toThrow(expect.objectContaining({ code: 'LAYER_MAX_DEPTH' }));
    expect(() => checkDepth(undefined, 3)).not.toThrow();
  });
});
