import type { DriverId } from './contract.js';

interface MountCount {
  count: number;
  path: string | undefined;
  /** One of the uses is a mount that was there before anybody here asked for it. */
  adopted: boolean;
}

/** What the counter asks of a driver. Calls for one id never overlap. */
export interface Mounter {
  isMounted(id: DriverId): Promise<boolean>;
  /** Mounts, or returns the path of what is mounted already. */
  mount(id: DriverId): Promise<string>;
  unmount(id: DriverId): Promise<void>;
}

/**
 * Counts who uses a mounted layer (spec/drivers.md 1.7). The first touch of an id asks the driver whether it is mounted
 * already: a mount that outlived its process counts as one use, which a `put` without a `get` gives up. An id is
 * forgotten at zero, so that after a failed unmount the next touch asks again and everything still ends balanced.
 *
 * The caller serialises calls per id.
 */
export class MountCounts {
  readonly #counts = new Map<DriverId, MountCount>();

  /** Uses of an id that this counter knows of. */
  count(id: DriverId): number {
    return this.#counts.get(id)?.count ?? 0;
  }

  /** Whether one of its uses is a mount that was found, and which nobody has given up yet. */
  isAdopted(id: DriverId): boolean {
    return this.#counts.get(id)?.adopted ?? false;
  }

  /** Counts a mount that was found as one use. */
  adopt(id: DriverId): void {
    if (!this.#counts.has(id)) this.#counts.set(id, { count: 1, path: undefined, adopted: true });
  }

  /** Gives up the use that {@link adopt} counted; false if there is none. */
  async disown(id: DriverId, mounter: Mounter): Promise<boolean> {
    const entry = this.#counts.get(id);
    if (entry?.adopted !== true) return false;
    entry.adopted = false;
    await this.put(id, mounter);
    return true;
  }

  /** Forgets an id whose layer is gone. */
  forget(id: DriverId): void {
    this.#counts.delete(id);
  }

  /** Ids in use. */
  ids(): DriverId[] {
    return [...this.#counts.keys()];
  }

  async get(id: DriverId, mounter: Mounter): Promise<string> {
    const entry = await this.#touch(id, mounter);
    if (entry.path !== undefined) {
      entry.count += 1;
      return entry.path;
    }
    const path = await mounter.mount(id);
    entry.path = path;
    entry.count += 1;
    this.#counts.set(id, entry);
    return path;
  }

  async put(id: DriverId, mounter: Mounter): Promise<void> {
    const entry = await this.#touch(id, mounter);
    if (entry.count === 0) return;
    if (entry.count > 1) {
      entry.count -= 1;
      this.#counts.set(id, entry);
      return;
    }
    this.#counts.delete(id);
    await mounter.unmount(id);
  }

  /** Forgets every count: after a cleanup nothing is mounted. */
  clear(): void {
    this.#counts.clear();
  }

  async #touch(id: DriverId, mounter: Mounter): Promise<MountCount> {
    const known = this.#counts.get(id);
    if (known !== undefined) return known;
    const adopted = await mounter.isMounted(id);
    return { count: adopted ? 1 : 0, path: undefined, adopted };
  }
}
