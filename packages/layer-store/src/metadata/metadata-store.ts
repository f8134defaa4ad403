import type { ChainId } from '../ids.js';
import type { IntentRecord, LayerRecord, MetadataContents, MountRecord, RemovalRecord } from './records.js';

/** What one removal transaction takes away and what it leaves to be done. */
export interface RemovalBatch {
  readonly layers: readonly ChainId[];
  readonly mounts: readonly string[];
  readonly removals: readonly RemovalRecord[];
}

/**
 * Where a store keeps what it knows. Every operation is one whole transaction, durable when it resolves (but see
 * `dropIntents` and `finishRemoval`); all arguments and results are JSON, so that the interface can be served to other processes. Failures are STORE_METADATA_FAILED,
 * content of a newer schema is STORE_SCHEMA_NEWER.
 */
export interface MetadataStore extends AsyncDisposable {
  open(): Promise<void>;
  close(): Promise<void>;
  /** Everything, with what cannot be used in `unreadable`. */
  load(): Promise<MetadataContents>;
  /** Several at once: a store reserves ids ahead, so that not every operation pays for a transaction of its intent. */
  putIntents(intents: readonly IntentRecord[]): Promise<void>;
  /**
   * May wait for the next transaction, or for `close`: an intent that is still there after a crash is undone once more,
   * to no effect.
   */
  dropIntents(ids: readonly string[]): Promise<void>;
  /** Adds the layer, takes away the intent, and notes what the new layer replaces for removal. */
  commitLayer(layer: LayerRecord, intentId: string, replaced?: readonly RemovalRecord[]): Promise<void>;
  /** Adds the read-write layer, takes away the intent. */
  commitMount(mount: MountRecord, intentId: string): Promise<void>;
  /** Takes layers and read-write layers away, readable or not, and notes what is to be deleted for them. */
  remove(batch: RemovalBatch): Promise<void>;
  /** May wait, as `dropIntents`: what was removed is then removed once more. */
  finishRemoval(id: string): Promise<void>;
}
