export { createPool, type PoolPlan } from './create-pool.js';
export { parsePoolStatus } from './parse-pool-status.js';
export {
  type ActivePoolStatus,
  type BlockUsage,
  METADATA_BLOCK_SIZE,
  type PoolMode,
  type PoolStatus,
} from './pool-status.js';
export { lowWaterMark, type PoolTable, parsePoolTable, poolTarget } from './pool-table.js';
export { MAX_THIN_ID, ThinPool } from './thin-pool.js';
