import { LayerStoreError } from '@x/archive';
import type { MetadataDirectory } from '../metadata/metadata-directory.js';
import type { TransactionKind, TransactionRecord } from '../metadata/transaction-record.js';
import type { ThinPool } from '../pool/thin-pool.js';

/**
 * One transaction at a time over the pool and the files (spec/drivers.md 2.10). `open` writes down what is about to happen,
 * `close` raises the pool's own transaction id to the number written there: a start that finds a higher number in the file
 * than in the pool knows that the last operation did not come to its end. The file stays after `close`.
 */
export class PoolTransactions {
  readonly #metadata: MetadataDirectory;
  readonly #pool: ThinPool;
  #id: number;
  #open: TransactionRecord | undefined;

  /** `id` is the pool's, from its status, never from a file. */
  constructor(metadata: MetadataDirectory, pool: ThinPool, id: number) {
    this.#metadata = metadata;
    this.#pool = pool;
    this.#id = id;
  }

  /** The pool's transaction id. */
  get id(): number {
    return this.#id;
  }

  /** Id that devices made in the open transaction are recorded with. */
  get openId(): number {
    return this.#id + 1;
  }

  /** Durable when it returns; only then may the pool be told anything. */
  async open(kind: TransactionKind, deviceHash: string, deviceId: number): Promise<void> {
    if (this.#open !== undefined) throw this.#misuse(`opened for "${deviceHash}"`);
    await this.#write({ openTransactionId: this.openId, deviceHash, deviceId, kind });
  }

  /** The device gets another id: recovery must never act on one that turned out to be somebody else's. */
  async refresh(deviceId: number): Promise<void> {
    if (this.#open === undefined) throw this.#misuse('refreshed');
    await this.#write({ ...this.#open, deviceId });
  }

  /** Everything that was announced has happened. */
  async close(): Promise<void> {
    if (this.#open === undefined) throw this.#misuse('closed');
    await this.#pool.setTransactionId(this.#id, this.openId);
    this.#id = this.openId;
    this.#open = undefined;
  }

  /** Everything that was announced has been undone: the file goes, so that no later start acts on it. */
  async abandon(): Promise<void> {
    if (this.#open === undefined) throw this.#misuse('abandoned');
    this.#open = undefined;
    await this.#metadata.removeTransaction();
  }

  /** What was announced could be neither finished nor undone: the file stays for the next start. */
  leave(): void {
    this.#open = undefined;
  }

  async #write(record: TransactionRecord): Promise<void> {
    await this.#metadata.saveTransaction(record);
    this.#open = record;
  }

  #misuse(what: string): LayerStoreError {
    const state = this.#open === undefined ? 'none is open' : `one is open for "${this.#open.deviceHash}"`;
    return new LayerStoreError('STORE_INVARIANT', `a pool transaction was to be ${what} while ${state}`, {
      driver: 'devicemapper',
    });
  }
}
