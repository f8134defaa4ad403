import { LayerStoreError } from '@x/archive';
import type { ChainId } from '../ids.js';
import type { LayerRecord } from '../metadata/records.js';

/** The identity of a handle; what it can do is in `layer.ts`. */
export type HandleToken = object;

/**
 * A layer in memory. Its reference count is `handles + children + mounts + pins`: handles callers hold, loaded layers and
 * read-write layers on top of it, and operations under way that will become one of these.
 */
export class LayerNode {
  readonly record: LayerRecord;
  readonly parent: LayerNode | undefined;
  /** 1 for a base layer. */
  readonly depth: number;
  /** Own size and that of all ancestors, bytes. */
  readonly chainSize: number;
  readonly handles: Set<HandleToken> = new Set();
  children = 0;
  mounts = 0;
  pins = 0;
  /**
   * The last reference went while an operation had the layer pinned; it goes when the pins do. Layers that merely have no
   * reference, as after a restart, stay until somebody asks for their deletion.
   */
  unwanted = false;

  constructor(record: LayerRecord, parent: LayerNode | undefined) {
    this.record = record;
    this.parent = parent;
    this.depth = (parent?.depth ?? 0) + 1;
    this.chainSize = (parent?.chainSize ?? 0) + record.size;
  }

  get referenceCount(): number {
    return this.handles.size + this.children + this.mounts + this.pins;
  }
}

/**
 * All layers that are registered and whole, and who holds them. Pure bookkeeping: what is freed here is deleted by
 * others (spec/layer-archive.md 1.2, 1.5).
 */
export class LayerGraph {
  readonly #nodes = new Map<ChainId, LayerNode>();

  get size(): number {
    return this.#nodes.size;
  }

  find(chainId: ChainId): LayerNode | undefined {
    return this.#nodes.get(chainId);
  }

  nodes(): IterableIterator<LayerNode> {
    return this.#nodes.values();
  }

  /** Throws LAYER_NOT_FOUND. */
  require(chainId: ChainId): LayerNode {
    const node = this.#nodes.get(chainId);
    if (node !== undefined) return node;
    throw new LayerStoreError('LAYER_NOT_FOUND', `layer does not exist: ${chainId}`, { chainId });
  }

  /** True while the node is the registered layer of its chain. */
  isLive(node: LayerNode): boolean {
    return this.#nodes.get(node.record.chainId) === node;
  }

  /** Gives a caller a reference. */
  retain(node: LayerNode, token: HandleToken): void {
    node.handles.add(token);
    node.unwanted = false;
  }

  /** Publishes a layer; it holds a reference on its parent. */
  add(record: LayerRecord, parent: LayerNode | undefined): LayerNode {
    if (this.#nodes.has(record.chainId)) {
      throw new LayerStoreError('STORE_INVARIANT', `layer ${record.chainId} is registered twice`, {
        chainId: record.chainId,
      });
    }
    const node = new LayerNode(record, parent);
    this.#nodes.set(record.chainId, node);
    if (parent !== undefined) parent.children += 1;
    return node;
  }

  /** Takes the layer away if nothing refers to it, and then its ancestors likewise; what was taken, child first. */
  collect(start: LayerNode | undefined): LayerNode[] {
    const freed: LayerNode[] = [];
    let node = start;
    for (; node !== undefined && node.referenceCount === 0; node = node.parent) {
      if (!this.#nodes.delete(node.record.chainId)) return freed;
      if (node.parent !== undefined) node.parent.children -= 1;
      freed.push(node);
    }
    if (node !== undefined && node.referenceCount === node.pins) node.unwanted = true;
    return freed;
  }

  /** Undoes {@link collect}: the deletion could not be recorded. */
  reinstate(freed: readonly LayerNode[]): void {
    for (const node of freed) {
      this.#nodes.set(node.record.chainId, node);
      if (node.parent !== undefined) node.parent.children += 1;
    }
  }
}
