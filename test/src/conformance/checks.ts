import type { Check } from './check.js';
import { CONCURRENCY_CHECKS } from './families/concurrency/index.js';
import { CONTRACT_CHECKS } from './families/contract/index.js';
import { DEEP_CHAIN_CHECKS } from './families/deep-chain/index.js';
import { GRAPHTEST_CHECKS } from './families/graphtest/index.js';
import { MOUNTS_CHECKS } from './families/mounts/index.js';
import { NATIVE_DIFF_CHECKS } from './families/native-diff/index.js';
import { RANDOM_TREE_CHECKS } from './families/random-tree/index.js';
import { RESTART_CHECKS } from './families/restart/index.js';
import { STORE_CHECKS } from './families/store/index.js';
import { WHITEOUTS_CHECKS } from './families/whiteouts/index.js';

/** Everything a driver has to do, family by family, in the order in which it is run. */
export const CHECKS: readonly Check[] = [
  ...CONTRACT_CHECKS,
  ...GRAPHTEST_CHECKS,
  ...MOUNTS_CHECKS,
  ...WHITEOUTS_CHECKS,
  ...NATIVE_DIFF_CHECKS,
  ...RANDOM_TREE_CHECKS,
  ...DEEP_CHAIN_CHECKS,
  ...CONCURRENCY_CHECKS,
  ...RESTART_CHECKS,
  ...STORE_CHECKS,
];
