import type { Check } from '../../check.js';
import { ABORT_CHECKS } from './aborts.js';
import { CAPABILITY_CHECKS } from './capabilities.js';
import { HOME_CHECKS } from './home.js';
import { ID_CHECKS } from './ids.js';
import { OPTION_CHECKS } from './options.js';
import { PROBE_CHECKS } from './probe.js';
import { STATE_CHECKS } from './states.js';

/** What the contract says of every method, whatever the driver does with it. */
export const CONTRACT_CHECKS: readonly Check[] = [
  ...STATE_CHECKS,
  ...ABORT_CHECKS,
  ...ID_CHECKS,
  ...OPTION_CHECKS,
  ...CAPABILITY_CHECKS,
  ...HOME_CHECKS,
  ...PROBE_CHECKS,
];
