import type { MountRecord } from '../metadata/records.js';
import type { HandleToken, LayerNode } from './layer-node.js';

/** A read-write layer in memory. It holds one reference on its parent for its whole life, however many handles there are. */
export class MountNode {
  readonly record: MountRecord;
  readonly parent: LayerNode | undefined;
  readonly handles: Set<HandleToken> = new Set();

  constructor(record: MountRecord, parent: LayerNode | undefined) {
    this.record = record;
    this.parent = parent;
  }

  /** What its differences are taken against: the init layer, so that init content never shows, else the parent. */
  get driverParent(): string | undefined {
    return this.record.initId ?? this.parent?.record.cacheId;
  }

  /** Its driver ids in the order they are to be removed. */
  get driverIds(): string[] {
    const { mountId, initId } = this.record;
    return initId === undefined ? [mountId] : [mountId, initId];
  }
}

/** Read-write layers by name. */
export class MountTable {
  readonly #nodes = new Map<string, MountNode>();

  find(name: string): MountNode | undefined {
    return this.#nodes.get(name);
  }

  all(): MountNode[] {
    return [...this.#nodes.values()];
  }

  get size(): number {
    return this.#nodes.size;
  }

  /** Publishes a read-write layer; it takes its reference on the parent. */
  add(record: MountRecord, parent: LayerNode | undefined): MountNode {
    const node = new MountNode(record, parent);
    this.#nodes.set(record.name, node);
    if (parent !== undefined) parent.mounts += 1;
    return node;
  }

  /** Takes it away together with its reference. */
  drop(node: MountNode): void {
    if (this.#nodes.get(node.record.name) !== node) return;
    this.#nodes.delete(node.record.name);
    if (node.parent !== undefined) node.parent.mounts -= 1;
  }

  /** Undoes {@link drop}. */
  reinstate(node: MountNode): void {
    this.#nodes.set(node.record.name, node);
    if (node.parent !== undefined) node.parent.mounts += 1;
  }
}
