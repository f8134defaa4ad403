import type { Check } from './check.js';
import { CONTRACT_CHECKS } from './families/contract/index.js';
import { GRAPHTEST_CHECKS } from './families/graphtest/index.js';
import { MOUNTS_CHECKS } from './families/mounts/index.js';
import { WHITEOUTS_CHECKS } from './families/whiteouts/index.js';

/** Everything a driver has to do, family by family, in the order in which it is run. */
export const CHECKS: readonly Check[] = [
  ...CONTRACT_CHECKS,
  ...GRAPHTEST_CHECKS,
  ...MOUNTS_CHECKS,
  ...WHITEOUTS_CHECKS,
];
