import type { Check } from '../check.js';

export const GRAPHTEST_CHECKS: readonly Check[] = [];
