import type { Check } from '../check.js';

export const CONTRACT_CHECKS: readonly Check[] = [];
