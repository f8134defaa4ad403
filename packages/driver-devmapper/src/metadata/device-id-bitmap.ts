import { LayerStoreError } from '@x/archive';
import { MAX_THIN_ID } from '../pool/thin-pool.js';

/**
 * Which device ids are taken, one bit each: 2 MiB for all 24 bits (spec/drivers.md 2.9). Ids are handed out in a circle
 * behind the last one, so that an id comes back as late as possible.
 */
export class DeviceIdBitmap {
  readonly #bits: Uint8Array;
  readonly #mask: number;
  #last: number;

  /** `width` in bits is smaller than 24 only in tests. `last` is the id handed out last, 0 on a new store. */
  constructor(last: number = 0, width: number = 24) {
    this.#mask = width === 24 ? MAX_THIN_ID : 2 ** width - 1;
    this.#bits = new Uint8Array(Math.ceil((this.#mask + 1) / 8));
    this.#last = last & this.#mask;
  }

  /** The id handed out last: what `next_device_id` keeps. */
  get last(): number {
    return this.#last;
  }

  /** Goes on behind another id than before; what is taken stays taken. */
  continueBehind(last: number): void {
    this.#last = last & this.#mask;
  }

  isUsed(id: number): boolean {
    return ((this.#bits[id >> 3] ?? 0) & (1 << (id & 7))) !== 0;
  }

  markUsed(id: number): void {
    this.#bits[id >> 3] = (this.#bits[id >> 3] ?? 0) | (1 << (id & 7));
  }

  /** Only for a device that the pool has really deleted, or never made. */
  markFree(id: number): void {
    this.#bits[id >> 3] = (this.#bits[id >> 3] ?? 0) & ~(1 << (id & 7));
  }

  /** Takes the next free id; the first of a new store is 1. Throws DRIVER_FAILED when none is left. */
  next(): number {
    for (let tried = 0; tried <= this.#mask; tried++) {
      this.#last = (this.#last + 1) & this.#mask;
      if (this.isUsed(this.#last)) continue;
      this.markUsed(this.#last);
      return this.#last;
    }
    throw new LayerStoreError(
      'DRIVER_FAILED',
      `all ${this.#mask + 1} device ids of the pool are taken: remove layers first`,
      { driver: 'devicemapper' },
    );
  }
}
