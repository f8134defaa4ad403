import type { DeviceIdBitmap } from '../metadata/device-id-bitmap.js';
import type { DeviceRecord } from '../metadata/device-record.js';
import { isTombstone } from '../metadata/file-names.js';
import type { MetadataDirectory } from '../metadata/metadata-directory.js';

/** The devices of a home: what is on disk, held in memory. A record here says nothing about whether the pool has the device. */
export class DeviceTable {
  readonly #metadata: MetadataDirectory;
  readonly #ids: DeviceIdBitmap;
  readonly #records = new Map<string, DeviceRecord>();

  constructor(metadata: MetadataDirectory, ids: DeviceIdBitmap) {
    this.#metadata = metadata;
    this.#ids = ids;
  }

  /** Takes over what a scan found. */
  adopt(records: ReadonlyMap<string, DeviceRecord>): void {
    for (const [hash, record] of records) this.#remember(hash, record);
  }

  /** Every hash: layers, the base as the empty text, tombstones. */
  hashes(): string[] {
    return [...this.#records.keys()];
  }

  /** Devices that the pool still has to give up. */
  tombstones(): string[] {
    return this.hashes().filter(isTombstone);
  }

  /** What is in memory. */
  get(hash: string): DeviceRecord | undefined {
    return this.#records.get(hash);
  }

  /** As {@link get}, but a file that has appeared meanwhile is taken up. */
  async find(hash: string): Promise<DeviceRecord | undefined> {
    const known = this.#records.get(hash);
    if (known !== undefined) return known;
    const record = await this.#metadata.loadDevice(hash);
    if (record !== undefined) this.#remember(hash, record);
    return record;
  }

  /** Hashes other than `hash` whose device has this id. */
  claimants(deviceId: number, hash: string): string[] {
    return this.hashes().filter((other) => other !== hash && this.#records.get(other)?.deviceId === deviceId);
  }

  /** Durable when it returns. A device whose file could not be written is not in the table. */
  async register(hash: string, record: DeviceRecord): Promise<void> {
    this.#remember(hash, record);
    try {
      await this.#metadata.saveDevice(hash, record);
    } catch (error) {
      this.#records.delete(hash);
      throw error;
    }
  }

  /** Replaces the record of a device; on failure the old one holds. */
  async update(hash: string, record: DeviceRecord): Promise<void> {
    await this.#metadata.saveDevice(hash, record);
    this.#records.set(hash, record);
  }

  /** A file that cannot be removed does not put the device back: the next start meets it again. */
  async unregister(hash: string): Promise<void> {
    this.#records.delete(hash);
    await this.#metadata.removeDevice(hash);
  }

  /** Gives a deleted device its waiting place; its layer's id is free again. */
  async entomb(hash: string): Promise<string> {
    const record = this.#records.get(hash);
    if (record === undefined || isTombstone(hash)) return hash;
    const tombstone = await this.#metadata.entomb(hash, record);
    this.#records.delete(hash);
    this.#records.set(tombstone, { ...record, deleted: true });
    return tombstone;
  }

  #remember(hash: string, record: DeviceRecord): void {
    this.#records.set(hash, record);
    this.#ids.markUsed(record.deviceId);
  }
}
