import type { Check } from '../../check.js';
import { CHANGES_CHECKS } from './changes.js';
import { CREATION_CHECKS } from './creation.js';
import { DEPTH_CHECKS } from './depth.js';
import { QUOTA_CHECKS } from './quota.js';

/** The behaviours that Docker's and containers/storage's own driver tests demand (spec/drivers.md 6.2). */
export const GRAPHTEST_CHECKS: readonly Check[] = [
  ...CREATION_CHECKS,
  ...DEPTH_CHECKS,
  ...CHANGES_CHECKS,
  ...QUOTA_CHECKS,
];
