import type { Check } from '../../check.js';
import { ADOPTION_CHECKS } from './adoption.js';
import { ISOLATION_CHECKS } from './isolation.js';
import { USE_CHECKS } from './use.js';

/** Layers in use: counted, kept from removal, apart from each other, and found again by the next process. */
export const MOUNTS_CHECKS: readonly Check[] = [...USE_CHECKS, ...ISOLATION_CHECKS, ...ADOPTION_CHECKS];
