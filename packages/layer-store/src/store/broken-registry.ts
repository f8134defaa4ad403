import type { LayerRecord, MountRecord } from '../metadata/records.js';

/** A layer or read-write layer that is recorded but cannot be used. */
export interface BrokenObject {
  readonly kind: 'layer' | 'mount';
  /** ChainID or name. */
  readonly id: string;
  /** What is wrong with it, one sentence each. */
  readonly problems: readonly string[];
  /** Driver ids that belong to it. */
  readonly driverIds: readonly string[];
  /** It would be whole if its parent were. */
  readonly onlyParent: boolean;
  /** Layers: the record, where it can be read. */
  readonly record?: LayerRecord;
  /** Read-write layers: the record, where it can be read. */
  readonly mount?: MountRecord;
}

/** What is recorded but damaged. It is reported, its names stay taken, and registering the same layer replaces it. */
export class BrokenRegistry {
  readonly #layers = new Map<string, BrokenObject>();
  readonly #mounts = new Map<string, BrokenObject>();

  add(object: BrokenObject): void {
    this.#of(object.kind).set(object.id, object);
  }

  find(kind: BrokenObject['kind'], id: string): BrokenObject | undefined {
    return this.#of(kind).get(id);
  }

  drop(kind: BrokenObject['kind'], id: string): void {
    this.#of(kind).delete(id);
  }

  all(): BrokenObject[] {
    return [...this.#layers.values(), ...this.#mounts.values()];
  }

  layers(): BrokenObject[] {
    return [...this.#layers.values()];
  }

  #of(kind: BrokenObject['kind']): Map<string, BrokenObject> {
    return kind === 'layer' ? this.#layers : this.#mounts;
  }
}
