import type { Check } from '../check.js';

export const WHITEOUTS_CHECKS: readonly Check[] = [];
