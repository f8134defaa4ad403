import { assertKnownKeys, assertOneOf } from '@x/archive';
import type { CloseOptions } from './contract.js';

/** Checks the options of `close`. OPTION_UNKNOWN, OPTION_INVALID. */
export function checkCloseOptions(options: CloseOptions): 'unmount' | 'keep' {
  assertKnownKeys('close', options, ['mounts']);
  const { mounts = 'unmount' } = options;
  assertOneOf('close', 'mounts', mounts, ['unmount', 'keep']);
  return mounts;
}
