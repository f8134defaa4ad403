import type { Check } from '../../check.js';
import { KILLED_CHECKS } from './killed.js';
import { REOPENED_CHECKS } from './reopened.js';

/** Drivers that are closed, or killed, and opened again in the middle of their work. */
export const RESTART_CHECKS: readonly Check[] = [...REOPENED_CHECKS, ...KILLED_CHECKS];
