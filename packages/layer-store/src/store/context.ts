import type { Driver } from '../driver/driver.js';
import type { StoreLogger } from '../events.js';
import type { KeyedMutex } from '../lock/keyed-mutex.js';
import type { MetadataStore } from '../metadata/metadata-store.js';
import type { PendingDeletions } from '../recovery/pending-deletions.js';
import type { BrokenRegistry } from './broken-registry.js';
import type { LayerGraph } from './layer-node.js';
import type { MountTable } from './mount-table.js';
import type { Operations } from './operations.js';
import type { ReservedIds } from './reserved-ids.js';
import type { StorePaths } from './root-directory.js';

/** Holds {@link StoreContext.commits}. */
export const COMMIT = 'commit';

/** What the parts of one open store share. */
export interface StoreContext {
  readonly paths: StorePaths;
  readonly driver: Driver;
  readonly metadata: MetadataStore;
  readonly graph: LayerGraph;
  readonly mounts: MountTable;
  readonly broken: BrokenRegistry;
  readonly pending: PendingDeletions;
  /** Ids for layers and for read-write layers, their intents on disk. */
  readonly layerIds: ReservedIds;
  readonly mountIds: ReservedIds;
  readonly operations: Operations;
  readonly logger: StoreLogger;
  /** false: nothing is flushed (tests and benchmarks only). */
  readonly sync: boolean;
  /**
   * Held, under {@link COMMIT}, while memory and metadata change together, so that a layer that is being deleted and the
   * same layer coming in cannot overtake each other. Never while a driver works or a stream is read.
   */
  readonly commits: KeyedMutex<typeof COMMIT>;
  /** Held by ChainID: one register of a layer that is known in advance at a time. */
  readonly flights: KeyedMutex;
  /** Held by name while a read-write layer comes or goes. */
  readonly names: KeyedMutex;
}
