import type { Check } from '../check.js';

export const MOUNTS_CHECKS: readonly Check[] = [];
