export type * from './driver/contract.js';
export type { CreateKind } from './driver/create-options.js';
export { Driver } from './driver/driver.js';
export { type LayerSourceOptions, layerSource } from './driver/layer-source.js';
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
