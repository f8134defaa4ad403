import { LayerStoreError } from '@x/archive';
import type { DeviceMapper, DeviceTarget } from '../device-mapper/device-mapper.js';
import { deviceMapperReason } from '../device-mapper/device-mapper-error.js';
import { parsePoolStatus } from './parse-pool-status.js';
import type { PoolStatus } from './pool-status.js';
import { type PoolTable, parsePoolTable } from './pool-table.js';

/** Largest id of a thin device: 24 bits. */
export const MAX_THIN_ID = 0xffffff;

/**
 * A pool by its dm name: its messages (spec/drivers.md 2.8), its status and its table. Each message that succeeds commits
 * the pool's metadata.
 */
export class ThinPool {
  readonly name: string;
  readonly #deviceMapper: DeviceMapper;

  constructor(deviceMapper: DeviceMapper, name: string) {
    this.#deviceMapper = deviceMapper;
    this.name = name;
  }

  /** An empty device. Reason `DeviceIDExists`: the id is taken. */
  async createThin(id: number): Promise<void> {
    await this.#send(`create_thin ${id}`);
  }

  /**
   * A device that shares all blocks of `originId`. An active origin must be suspended: see `createSnapshot` in
   * device-mapper/thin-devices.ts. Reasons `DeviceIDExists`, `NoData` (no such origin).
   */
  async createSnap(id: number, originId: number): Promise<void> {
    await this.#send(`create_snap ${id} ${originId}`);
  }

  /** Reason `Busy`: the device is active. */
  async deleteThin(id: number): Promise<'deleted' | 'absent'> {
    try {
      await this.#send(`delete ${id}`);
      return 'deleted';
    } catch (error) {
      if (deviceMapperReason(error) === 'NoData') return 'absent';
      throw error;
    }
  }

  /** Compare and set. Reason `TaskRun` with EINVAL: the pool's id is not `from`. */
  async setTransactionId(from: number, to: number): Promise<void> {
    await this.#send(`set_transaction_id ${from} ${to}`);
  }

  /** Freezes a copy of the metadata for thin_dump -m. Reason `Busy`: one is held. */
  async reserveMetadataSnapshot(): Promise<void> {
    await this.#send('reserve_metadata_snap');
  }

  async releaseMetadataSnapshot(): Promise<void> {
    await this.#send('release_metadata_snap');
  }

  /**
   * Fails with reason `Enxio` without a pool, DRIVER_POOL_UNUSABLE when the device is no thin pool. The kernel commits its
   * metadata first, so that the figures are current; with `noFlush` it does not, which is cheaper.
   */
  async status(options: { readonly noFlush?: boolean } = {}): Promise<PoolStatus> {
    const target = this.#only(await this.#deviceMapper.status(this.name, options));
    return parsePoolStatus(target.params);
  }

  /** The live table. Fails as {@link status}. */
  async table(): Promise<PoolTable> {
    return parsePoolTable(this.#only(await this.#deviceMapper.tableStatus(this.name)));
  }

  #only(targets: readonly DeviceTarget[]): DeviceTarget {
    const [target] = targets;
    if (target?.type === 'thin-pool') return target;
    throw new LayerStoreError(
      'DRIVER_POOL_UNUSABLE',
      `the device ${this.name} is ${target === undefined ? 'without a table' : `of type ${target.type}`}, not a thin pool; ` +
        'choose another one with dm.thinpooldev, or remove it',
      { driver: 'devicemapper', name: this.name },
    );
  }

  async #send(message: string): Promise<void> {
    await this.#deviceMapper.message(this.name, message);
  }
}
