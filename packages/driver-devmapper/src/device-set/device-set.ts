import { BASE_HASH, type DeviceRecord } from '../metadata/device-record.js';
import { isTombstone } from '../metadata/file-names.js';
import { activate, deactivate } from './activation.js';
import { type AddDeviceOptions, addDevice } from './add-device.js';
import { DeferredDeletionWorker } from './deferred-deletion.js';
import { type DeletionOutcome, deleteDevice } from './deletion.js';
import { activeDevice, type DeviceSetCore, saveRecord } from './device-set-core.js';
import { anythingOpen, removeActiveDevices } from './leftover-devices.js';
import { mountDevice, releaseMount, unmountDevice } from './mount-device.js';
import { mountPoints } from './mount-points.js';
import { type OpenDeviceSetOptions, openDeviceSet } from './open-device-set.js';
import { growPool, type PoolSizes } from './pool-growth.js';
import { shutDown } from './shutdown.js';

/**
 * The thin devices of one home: a pool, a base device, one device per layer (spec/drivers.md 2). Docker's DeviceSet, with the
 * same operations. Everything is serialised as {@link ./device-locks.ts} says, so callers may do anything at any time; only
 * balancing mounts is theirs.
 */
export class DeviceSet {
  /** What the operations work on; for status and inspection. */
  readonly core: DeviceSetCore;
  readonly #worker: DeferredDeletionWorker;

  private constructor(core: DeviceSetCore) {
    this.core = core;
    this.#worker = new DeferredDeletionWorker(core);
  }

  /** Opens and recovers; see {@link openDeviceSet}. */
  static async open(options: OpenDeviceSetOptions): Promise<DeviceSet> {
    const set = new DeviceSet(await openDeviceSet(options));
    if (set.core.options.deferredDeletion) set.#worker.start();
    return set;
  }

  /** Every hash there is a record of: the base as the empty text, layers, deleted devices that wait. */
  list(): string[] {
    return this.core.table.hashes();
  }

  /** Hashes of layers only. */
  layers(): string[] {
    return this.list().filter((hash) => hash !== BASE_HASH && !isTombstone(hash));
  }

  async hasDevice(hash: string): Promise<boolean> {
    return (await this.find(hash)) !== undefined;
  }

  /** The record of a device that is not deleted. */
  async find(hash: string): Promise<DeviceRecord | undefined> {
    const record = await this.core.table.find(hash);
    return record?.deleted === true ? undefined : record;
  }

  async hasActivatedDevice(hash: string): Promise<boolean> {
    return (await activeDevice(this.core, hash)) !== undefined;
  }

  /** A snapshot of `baseHash`, the empty text being the base device. */
  addDevice(hash: string, baseHash: string, options: AddDeviceOptions = {}): Promise<void> {
    return addDevice(this.core, hash, baseHash, options);
  }

  deleteDevice(hash: string, options: { readonly sync: boolean }): Promise<DeletionOutcome> {
    return deleteDevice(this.core, hash, options);
  }

  mountDevice(
    hash: string,
    mountPoint: string,
    options: { readonly mountLabel?: string } = {},
  ): Promise<void> {
    return mountDevice(this.core, hash, mountPoint, options);
  }

  unmountDevice(hash: string, mountPoint: string): Promise<void> {
    return unmountDevice(this.core, hash, mountPoint);
  }

  /** Runs `use` on the active device's node; one that was not active before is taken away again. */
  withActive<T>(hash: string, record: DeviceRecord, use: (path: string) => Promise<T>): Promise<T> {
    return this.core.locks.withDevice(hash, async () => {
      const active = await this.hasActivatedDevice(hash);
      const path = await activate(this.core, hash, record);
      try {
        return await use(path);
      } finally {
        if (!active) await deactivate(this.core, hash);
      }
    });
  }

  /** Grows the loop files below the pool. */
  growPool(sizes: PoolSizes): Promise<void> {
    return growPool(this.core, sizes);
  }

  /** One round of the deletion worker, now. */
  deleteTombstones(): Promise<void> {
    return this.#worker.runOnce();
  }

  /** Unmounts everything and takes every device away; the pool stays, and the set goes on. */
  async cleanUp(): Promise<void> {
    for (const mountPoint of await mountPoints(this.core.home)) await releaseMount(this.core, mountPoint);
    await removeActiveDevices(this.core);
  }

  /**
   * The end: as {@link shutDown}, or with `keep` only what later starts need is written and what is mounted stays as it is, its pool
   * too. With nothing mounted there is nothing to keep, and pool and loop devices go all the same.
   */
  async close(mounts: 'unmount' | 'keep' = 'unmount'): Promise<void> {
    await this.#worker.stop();
    if (mounts === 'keep' && (await anythingOpen(this.core))) await saveRecord(this.core);
    else await shutDown(this.core);
  }
}
