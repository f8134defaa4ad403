import type { Check } from '../../check.js';
import { READ_WRITE_CHECKS } from './read-write.js';
import { REGISTERING_CHECKS } from './registering.js';

/** The layer store's own suite (spec/drivers.md 6.4), on the driver under test. */
export const STORE_CHECKS: readonly Check[] = [...REGISTERING_CHECKS, ...READ_WRITE_CHECKS];
