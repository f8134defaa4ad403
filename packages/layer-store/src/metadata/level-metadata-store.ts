import { isLayerStoreError, LayerStoreError } from '@x/archive';
import { Level } from 'level';
import { MemoryLevel } from 'memory-level';
import { type ChainId, randomId } from '../ids.js';
import type { MetadataStore, RemovalBatch } from './metadata-store.js';
import { ensureDatabase } from './new-database.js';
import { decodeIntent, decodeLayer, decodeMount, decodeRemoval, salvageDriverIds } from './record-codec.js';
import type {
  IntentRecord,
  LayerRecord,
  MetadataContents,
  MountRecord,
  RemovalRecord,
  UnreadableRecord,
} from './records.js';

/** Version of keys and records written by this code. */
export const SCHEMA_VERSION = 1;

const META_KEY = 'meta';
/** Bounds what a recovery has to do again. */
const MOST_DEFERRED = 64;

type Operation =
  | { readonly type: 'put'; readonly key: string; readonly value: string }
  | { readonly type: 'del'; readonly key: string };

/** The part of abstract-level that is needed: ordered text, atomic batches. */
interface TextLevel {
  open(): Promise<void>;
  close(): Promise<void>;
  iterator(): { all(): Promise<[string, string][]> };
  /** The chained form costs less than the one that takes an array. */
  batch(): TextBatch;
}

interface TextBatch {
  put(key: string, value: string): unknown;
  del(key: string): unknown;
  write(options: { readonly sync: boolean }): Promise<void>;
}

/** Options of {@link levelMetadata}. */
export interface LevelMetadataOptions {
  /** Directory of the database; made when missing. */
  readonly location: string;
  /** false: a transaction survives a crash of the process but perhaps not of the machine. Default true. */
  readonly sync?: boolean;
}

/** The embedded default: LevelDB, one synced batch per transaction. */
export function levelMetadata(options: LevelMetadataOptions): MetadataStore {
  const { location, sync = true } = options;
  const connect = async (): Promise<TextLevel> => {
    await ensureDatabase(location, sync);
    return new Level<string, string>(location, { valueEncoding: 'utf8' });
  };
  return new LevelMetadataStore(connect, `the database ${location}`, sync);
}

/** In memory, for tests and stores that end with the process. Closing and opening again keeps the content. */
export function memoryMetadata(): MetadataStore {
  const level = new MemoryLevel<string, string>({ valueEncoding: 'utf8' });
  return new LevelMetadataStore(async () => level, 'the memory database', false);
}

class LevelMetadataStore implements MetadataStore {
  /** Called when it is opened: a LevelDB that exists opens itself. */
  readonly #connect: () => Promise<TextLevel>;
  #connected: TextLevel | undefined;
  readonly #subject: string;
  readonly #sync: boolean;
  #storeId: string | undefined;
  #generation = 0;
  /** Deletions of records that do no harm when a crash keeps them. */
  readonly #deferred: Operation[] = [];

  constructor(connect: () => Promise<TextLevel>, subject: string, sync: boolean) {
    this.#connect = connect;
    this.#subject = subject;
    this.#sync = sync;
  }

  open(): Promise<void> {
    return this.#coded('opened', async () => {
      const level = await this.#connect();
      await level.open();
      this.#connected = level;
    });
  }

  async close(): Promise<void> {
    try {
      if (this.#deferred.length > 0) await this.#write([]);
    } finally {
      await this.#coded('closed', async () => this.#connected?.close());
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async load(): Promise<MetadataContents> {
    if (this.#deferred.length > 0) await this.#write([]);
    return this.#coded('read', async () => {
      const entries = await this.#level.iterator().all();
      const meta = entries.find(([key]) => key === META_KEY)?.[1];
      if (meta === undefined && entries.length > 0) throw this.#failure('has records but no schema version');
      const storeId = this.#readMeta(meta);
      return decodeAll(entries, { schema: SCHEMA_VERSION, storeId, generation: this.#generation });
    });
  }

  putIntents(intents: readonly IntentRecord[]): Promise<void> {
    return this.#write(intents.map((intent) => put('intent', intent.id, intent)));
  }

  dropIntents(ids: readonly string[]): Promise<void> {
    return this.#defer(ids.map((id) => del('intent', id)));
  }

  commitLayer(layer: LayerRecord, intentId: string, replaced: readonly RemovalRecord[] = []): Promise<void> {
    return this.#write([
      put('layer', layer.chainId, layer),
      del('intent', intentId),
      ...replaced.map((removal) => put('removal', removal.id, removal)),
    ]);
  }

  commitMount(mount: MountRecord, intentId: string): Promise<void> {
    return this.#write([put('mount', mount.name, mount), del('intent', intentId)]);
  }

  remove({ layers, mounts, removals }: RemovalBatch): Promise<void> {
    return this.#write([
      ...layers.map((chainId: ChainId) => del('layer', chainId)),
      ...mounts.map((name) => del('mount', name)),
      ...removals.map((removal) => put('removal', removal.id, removal)),
    ]);
  }

  finishRemoval(id: string): Promise<void> {
    return this.#defer([del('removal', id)]);
  }

  /** Leaves operations to the next transaction: each costs a trip to another thread, and on a disk a flush. */
  async #defer(operations: readonly Operation[]): Promise<void> {
    this.#deferred.push(...operations);
    if (this.#deferred.length >= MOST_DEFERRED) await this.#write([]);
  }

  #write(operations: readonly Operation[]): Promise<void> {
    this.#generation += 1;
    this.#storeId ??= randomId();
    const meta = { schema: SCHEMA_VERSION, storeId: this.#storeId, generation: this.#generation };
    // Deferred first: a record that was removed may have been written anew since.
    const batch: Operation[] = [
      ...this.#deferred.splice(0),
      ...operations,
      { type: 'put', key: META_KEY, value: JSON.stringify(meta) },
    ];
    return this.#coded('written', () => {
      const transaction = this.#level.batch();
      for (const operation of batch) {
        if (operation.type === 'put') transaction.put(operation.key, operation.value);
        else transaction.del(operation.key);
      }
      return transaction.write({ sync: this.#sync });
    });
  }

  get #level(): TextLevel {
    return this.#connected ?? this.#throwClosed();
  }

  #throwClosed(): never {
    throw this.#failure('is not open');
  }

  #readMeta(text: string | undefined): string {
    if (text === undefined) {
      this.#storeId ??= randomId();
      return this.#storeId;
    }
    const { schema, storeId, generation } = parseMeta(text) ?? {};
    if (!Number.isSafeInteger(schema) || typeof storeId !== 'string' || !Number.isSafeInteger(generation)) {
      throw this.#failure('has a damaged schema record');
    }
    if ((schema as number) > SCHEMA_VERSION) {
      throw new LayerStoreError(
        'STORE_SCHEMA_NEWER',
        `${this.#subject} has schema ${schema as number}, this version reads up to ${SCHEMA_VERSION}: upgrade @x/layer-store`,
        { expected: String(SCHEMA_VERSION), actual: String(schema) },
      );
    }
    this.#storeId = storeId;
    this.#generation = generation as number;
    return storeId;
  }

  async #coded<T>(verb: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (isLayerStoreError(error)) throw error;
      throw this.#failure(`could not be ${verb}: check the disk, and the cause`, error);
    }
  }

  #failure(what: string, cause?: unknown): LayerStoreError {
    return new LayerStoreError('STORE_METADATA_FAILED', `${this.#subject} ${what}`, { cause });
  }
}

function parseMeta(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function put(prefix: UnreadableRecord['kind'], key: string, record: object): Operation {
  return { type: 'put', key: `${prefix}!${key}`, value: JSON.stringify(record) };
}

function del(prefix: UnreadableRecord['kind'], key: string): Operation {
  return { type: 'del', key: `${prefix}!${key}` };
}

function decodeAll(
  entries: readonly [string, string][],
  meta: Pick<MetadataContents, 'schema' | 'storeId' | 'generation'>,
): MetadataContents {
  const layers: LayerRecord[] = [];
  const mounts: MountRecord[] = [];
  const intents: IntentRecord[] = [];
  const removals: RemovalRecord[] = [];
  const unreadable: UnreadableRecord[] = [];
  const into: Record<UnreadableRecord['kind'], (key: string, text: string) => void> = {
    layer: (key, text) => layers.push(decodeLayer(key, text)),
    mount: (key, text) => mounts.push(decodeMount(key, text)),
    intent: (key, text) => intents.push(decodeIntent(key, text)),
    removal: (key, text) => removals.push(decodeRemoval(key, text)),
  };
  for (const [stored, text] of entries) {
    const bang = stored.indexOf('!');
    const kind = stored.slice(0, bang);
    if (bang < 0 || !Object.hasOwn(into, kind)) continue;
    const key = stored.slice(bang + 1);
    try {
      into[kind as UnreadableRecord['kind']](key, text);
    } catch (error) {
      const problem = error instanceof Object && 'message' in error ? String(error.message) : String(error);
      unreadable.push({
        kind: kind as UnreadableRecord['kind'],
        key,
        problem,
        driverIds: salvageDriverIds(text),
      });
    }
  }
  return { ...meta, layers, mounts, intents, removals, unreadable };
}
