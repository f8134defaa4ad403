import type { DriverId } from '@x/layer-store';

/**
 * Who may share files with whom. A tree made by hard links has inodes of all layers below it, and writing to one of them
 * in place would write to them all; a directory under a mounted overlay must not change either. So the tree of a layer
 * can be written to only while it stands alone: nothing below it, and nothing that was ever made on it.
 */
export class Ancestry {
  /** Nearest first; undefined for a tree of unknown origin, which may share files with any other. */
  readonly #ancestors = new Map<DriverId, readonly DriverId[] | undefined>();
  readonly #descendants = new Map<DriverId, number>();
  #unknown = 0;

  add(id: DriverId, ancestors: readonly DriverId[] | undefined): void {
    this.remove(id);
    this.#ancestors.set(id, ancestors);
    if (ancestors === undefined) this.#unknown += 1;
    for (const ancestor of ancestors ?? []) this.#count(ancestor, 1);
  }

  remove(id: DriverId): void {
    if (!this.#ancestors.has(id)) return;
    const ancestors = this.#ancestors.get(id);
    this.#ancestors.delete(id);
    if (ancestors === undefined) this.#unknown -= 1;
    for (const ancestor of ancestors ?? []) this.#count(ancestor, -1);
  }

  clear(): void {
    this.#ancestors.clear();
    this.#descendants.clear();
    this.#unknown = 0;
  }

  /** Those of a layer made on `parent`, nearest first. */
  below(parent: DriverId): readonly DriverId[] {
    return [parent, ...(this.#ancestors.get(parent) ?? [])];
  }

  /** Whether the layer's own tree may be written to. */
  standsAlone(id: DriverId): boolean {
    return (
      this.#unknown === 0 && this.#ancestors.get(id)?.length === 0 && (this.#descendants.get(id) ?? 0) === 0
    );
  }

  #count(id: DriverId, change: number): void {
    const count = (this.#descendants.get(id) ?? 0) + change;
    if (count === 0) this.#descendants.delete(id);
    else this.#descendants.set(id, count);
  }
}
