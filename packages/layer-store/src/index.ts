export type * from './driver/contract.js';
export type { CreateKind } from './driver/create-options.js';
export { Driver } from './driver/driver.js';
export { type LayerSourceOptions, layerSource } from './driver/layer-source.js';
export { type DriverFactory, type DriverInit, DriverRegistry } from './driver/registry.js';
export {
  DRIVER_PRIORITY,
  type DriverCandidate,
  planSelection,
  requireSupported,
  type Selection,
  type SelectionOptions,
  selectDriver,
} from './driver/selection.js';
export type { StoreChannel, StoreEvents, StoreLogger } from './events.js';
export {
  type CacheId,
  type ChainId,
  chainIdOf,
  childChainId,
  type DiffId,
  EMPTY_LAYER_BYTES,
  EMPTY_LAYER_CHAIN_ID,
  EMPTY_LAYER_DIFF_ID,
  isEmptyDiffId,
  type MountId,
  parseChainId,
  parseDiffId,
} from './ids.js';
export {
  type LevelMetadataOptions,
  levelMetadata,
  memoryMetadata,
  SCHEMA_VERSION,
} from './metadata/level-metadata-store.js';
export type { MetadataStore, RemovalBatch } from './metadata/metadata-store.js';
export type * from './metadata/records.js';
export type { PendingDeletion } from './recovery/pending-deletions.js';
export type { BrokenObject } from './store/broken-registry.js';
export type { CreateRWLayerOptions } from './store/create-rw-layer.js';
export { MAX_DEPTH } from './store/depth.js';
export type { StoreProblem } from './store/diagnose.js';
export { EMPTY_LAYER, Layer, type LayerView, StoredLayer } from './store/layer.js';
export type { LayerInputOptions, LayerProgress } from './store/layer-input.js';
export { LayerStore, type RWLayerInfo } from './store/layer-store.js';
export type { OpenOptions } from './store/open-options.js';
export type { PruneOptions } from './store/prune.js';
export type { RegisterOptions } from './store/register-options.js';
export type { RemovedLayer, RemovedLayers } from './store/release.js';
export { type MountOptions, type ReleaseRWLayerOptions, RWLayer } from './store/rw-layer.js';
export type { LayerStream } from './store/tar-stream.js';
export * from './tar-split/index.js';
