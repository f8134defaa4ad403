/**
 * A set of names that keeps 8 bytes each instead of the name. Two names with the same 64-bit hash are taken for one; its
 * user (duplicate detection) is then merely more careful than it had to be, so no name needs to be kept.
 */

const INITIAL_SLOTS = 1024;
const FNV_PRIME = 0x0100_0193;
const FNV_OFFSET = 0x811c_9dc5;
const SECOND_PRIME = 0x85eb_ca6b;

export class NameSet {
  /** Pairs of half hashes; 0,0 is a free slot. Length is twice a power of two. */
  #slots = new Uint32Array(INITIAL_SLOTS * 2);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds `prefix` (a number that tells kinds of names apart) and name; false when they were there. */
  add(name: Uint8Array, prefix = 0): boolean {
    let low = FNV_OFFSET ^ prefix;
    let high = FNV_PRIME + prefix;
    for (let index = 0; index < name.length; index++) {
      const byte = name[index] as number;
      low = Math.imul(low ^ byte, FNV_PRIME);
      high = Math.imul(high + byte, SECOND_PRIME);
      high ^= high >>> 13;
    }
    low = (low ^ (low >>> 15)) >>> 0;
    // Never the free slot.
    if (!this.#insert(low, (high | 1) >>> 0)) return false;
    this.#size++;
    if (this.#size * 4 > this.#slots.length) this.#grow();
    return true;
  }

  #insert(low: number, high: number): boolean {
    const slots = this.#slots;
    const mask = slots.length / 2 - 1;
    let slot = low & mask;
    while (slots[slot * 2 + 1] !== 0) {
      if (slots[slot * 2] === low && slots[slot * 2 + 1] === high) return false;
      slot = (slot + 1) & mask;
    }
    slots[slot * 2] = low;
    slots[slot * 2 + 1] = high;
    return true;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += 2) {
      if (old[at + 1] !== 0) this.#insert(old[at] as number, old[at + 1] as number);
    }
  }
}
