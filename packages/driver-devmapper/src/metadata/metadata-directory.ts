import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, isLayerStoreError } from '@x/archive';
import { syncDirectory, writeFileDurably } from '@x/layer-store/driver-kit';
import { step } from '../failpoints.js';
import { type DeviceRecord, encodeDeviceRecord, parseDeviceRecord } from './device-record.js';
import {
  type DeviceSetRecord,
  EMPTY_DEVICE_SET,
  encodeDeviceSetRecord,
  parseDeviceSetRecord,
} from './device-set-record.js';
import {
  classifyFile,
  corruptFile,
  DEVICE_SET_FILE,
  deviceFile,
  TRANSACTION_FILE,
  tombstoneHash,
} from './file-names.js';
import {
  encodeTransactionRecord,
  parseTransactionRecord,
  type TransactionRecord,
} from './transaction-record.js';

const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;

/**
 * `<home>/metadata`: one file per device and two for the pool, each replaced as a whole and on stable storage when a call
 * returns. A file that cannot be read as what it should be is put aside as `<name>.corrupt` and reported, so that
 * one bad file does not take the others with it.
 */
export class MetadataDirectory {
  readonly path: string;
  readonly #onDamage: (file: string, error: unknown) => void;

  constructor(home: string, onDamage: (file: string, error: unknown) => void) {
    this.path = join(home, 'metadata');
    this.#onDamage = onDamage;
  }

  /** Makes the directory and clears away what interrupted writes left. */
  async open(): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: DIRECTORY_MODE });
    for (const name of await readdir(this.path)) {
      if (classifyFile(name).kind === 'torn') await rm(join(this.path, name), { force: true });
    }
  }

  /** Every device there is a record of, by hash, those that wait for their deletion too; and whether any was damaged. */
  async scan(): Promise<{ readonly devices: ReadonlyMap<string, DeviceRecord>; readonly damaged: boolean }> {
    const devices = new Map<string, DeviceRecord>();
    let damaged = false;
    for (const entry of await readdir(this.path, { withFileTypes: true })) {
      const file = classifyFile(entry.name);
      if (!entry.isFile() || file.kind === 'other' || file.kind === 'torn') {
        damaged ||= entry.name.endsWith(corruptFile(''));
        continue;
      }
      const record = await this.loadDevice(file.hash);
      if (record === undefined) damaged = true;
      else devices.set(file.hash, record);
    }
    return { devices, damaged };
  }

  /** Undefined: no such device. */
  loadDevice(hash: string): Promise<DeviceRecord | undefined> {
    return this.#load(deviceFile(hash), parseDeviceRecord);
  }

  saveDevice(hash: string, record: DeviceRecord): Promise<void> {
    return this.#save(deviceFile(hash), encodeDeviceRecord(record));
  }

  /** Absent is fine. */
  removeDevice(hash: string): Promise<void> {
    return this.#remove(deviceFile(hash));
  }

  /**
   * Turns a device into a tombstone in two steps and gives its new hash. Between them the file says `deleted: true` as
   * Docker has it, which the next start takes up from there.
   */
  async entomb(hash: string, record: DeviceRecord): Promise<string> {
    const tombstone = tombstoneHash(record.deviceId);
    await step('delete.mark', () => this.saveDevice(hash, { ...record, deleted: true }));
    await step('delete.entomb', async () => {
      await rename(join(this.path, deviceFile(hash)), join(this.path, deviceFile(tombstone)));
      await syncDirectory(this.path);
    });
    return tombstone;
  }

  /** A home without the file has the defaults. */
  async loadDeviceSet(): Promise<DeviceSetRecord> {
    return (await this.#load(DEVICE_SET_FILE, parseDeviceSetRecord)) ?? EMPTY_DEVICE_SET;
  }

  saveDeviceSet(record: DeviceSetRecord): Promise<void> {
    return this.#save(DEVICE_SET_FILE, encodeDeviceSetRecord(record));
  }

  /** Undefined: nothing was ever begun, or the last one was put right. */
  loadTransaction(): Promise<TransactionRecord | undefined> {
    return this.#load(TRANSACTION_FILE, parseTransactionRecord);
  }

  saveTransaction(record: TransactionRecord): Promise<void> {
    return this.#save(TRANSACTION_FILE, encodeTransactionRecord(record));
  }

  /** Absent is fine. */
  removeTransaction(): Promise<void> {
    return this.#remove(TRANSACTION_FILE);
  }

  async #load<T>(name: string, parse: (text: string, what: string) => T): Promise<T | undefined> {
    const path = join(this.path, name);
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
    try {
      return parse(text, path);
    } catch (error) {
      if (!isLayerStoreError(error, 'DRIVER_STATE_DAMAGED')) throw error;
      await rename(path, join(this.path, corruptFile(name)));
      await syncDirectory(this.path);
      this.#onDamage(corruptFile(name), error);
      return undefined;
    }
  }

  #save(name: string, text: string): Promise<void> {
    return writeFileDurably(join(this.path, name), text, FILE_MODE);
  }

  async #remove(name: string): Promise<void> {
    try {
      await rm(join(this.path, name));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return;
      throw error;
    }
    await syncDirectory(this.path);
  }
}
