import type { BrokenDriver } from './broken-driver.js';
import { LOST_METADATA } from './lost-metadata.js';
import { WRONG_CONTRACT } from './wrong-contract.js';
import { WRONG_CREATION } from './wrong-creation.js';
import { WRONG_DIFFS } from './wrong-diffs.js';
import { WRONG_MOUNTS } from './wrong-mounts.js';
import { WRONG_RECOVERY } from './wrong-recovery.js';
import { WRONG_UNPACKING } from './wrong-unpacking.js';

/** At least one for each family of checks. */
export const BROKEN_DRIVERS: readonly BrokenDriver[] = [
  ...WRONG_CONTRACT,
  ...WRONG_CREATION,
  ...LOST_METADATA,
  ...WRONG_MOUNTS,
  ...WRONG_UNPACKING,
  ...WRONG_DIFFS,
  ...WRONG_RECOVERY,
];
