import type { DriverId } from './contract.js';

/** Layers that a long operation reads or writes without holding their lock; they cannot be removed meanwhile. */
export class Pins {
  readonly #counts = new Map<DriverId, number>();

  has(id: DriverId): boolean {
    return this.#counts.has(id);
  }

  add(id: DriverId | undefined): void {
    if (id !== undefined) this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1);
  }

  drop(id: DriverId | undefined): void {
    if (id === undefined) return;
    const count = (this.#counts.get(id) ?? 0) - 1;
    if (count > 0) this.#counts.set(id, count);
    else this.#counts.delete(id);
  }

  /** Runs `work` with the layers pinned. */
  async during<T>(ids: readonly (DriverId | undefined)[], work: () => Promise<T>): Promise<T> {
    for (const id of ids) this.add(id);
    try {
      return await work();
    } finally {
      for (const id of ids) this.drop(id);
    }
  }
}
