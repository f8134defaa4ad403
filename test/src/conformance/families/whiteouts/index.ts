import type { Check } from '../../check.js';
import { LAYER_CHECKS } from './layers.js';
import { MOUNT_CHECKS } from './mounted.js';

/** Deletions: those a layer brings, and those made in a mounted one. */
export const WHITEOUTS_CHECKS: readonly Check[] = [...LAYER_CHECKS, ...MOUNT_CHECKS];
