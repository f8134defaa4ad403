import type { Check } from '../../check.js';
import { MANY_LAYERS_CHECKS } from './many-layers.js';
import { STORM_CHECKS } from './storm.js';
import { WHILE_READING_CHECKS } from './while-reading.js';

/** Many calls at the same time: each is answered as if it were alone, or refused with the right code. */
export const CONCURRENCY_CHECKS: readonly Check[] = [
  ...MANY_LAYERS_CHECKS,
  ...WHILE_READING_CHECKS,
  ...STORM_CHECKS,
];
