import { KeyedMutex } from '@x/layer-store/driver-kit';

const POOL = 'pool';

/**
 * Who may do what at the same time (spec/drivers.md 2.23): a lock per device and one turn at the pool. Order: the parent's
 * lock, the child's, the pool's turn, and nobody takes a device's lock during a turn. The turn is a whole transaction: a second
 * one that began while the first waits would overwrite what recovery needs to know about it. Maps need no lock, as nothing
 * in them is changed across an await.
 */
export class DeviceLocks {
  readonly #devices = new KeyedMutex<string>();
  readonly #pool = new KeyedMutex<typeof POOL>();

  withDevice<T>(hash: string, work: () => Promise<T>): Promise<T> {
    return this.#devices.run(hash, work);
  }

  withPool<T>(work: () => Promise<T>): Promise<T> {
    return this.#pool.run(POOL, work);
  }
}
