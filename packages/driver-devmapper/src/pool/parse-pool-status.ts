import { LayerStoreError } from '@x/archive';
import type { ActivePoolStatus, BlockUsage, PoolMode, PoolStatus } from './pool-status.js';

/**
 * Reads the status line of a thin pool: `<tid> <used>/<total metadata> <used>/<total data> <held root|-> <mode> <discards>
 * <when full> <needs_check|-> <metadata low water>`, or the one word `Fail` or `Error` (spec/drivers.md 2.7). Kernels older
 * than 4.x leave fields at the end out: what is not said is taken as the kernel's default.
 * @throws DRIVER_POOL_UNUSABLE for anything else
 */
export function parsePoolStatus(params: string): PoolStatus {
  if (params === 'Fail' || params === 'Error') return { state: params };
  const [transactionId, metadata, data, heldRoot, mode, discards, whenFull, needsCheck, metadataLowWater] =
    params.trim().split(/ +/);
  const status: ActivePoolStatus = {
    state: 'active',
    transactionId: wholeNumber(transactionId, params),
    metadata: usage(metadata, params),
    data: usage(data, params),
    heldMetadataRoot: heldRoot === undefined || heldRoot === '-' ? undefined : wholeNumber(heldRoot, params),
    mode: mode === undefined ? 'rw' : poolMode(mode, params),
    discards: discardMode(discards),
    whenFull: whenFull === 'error_if_no_space' ? 'error' : 'queue',
    needsCheck: needsCheck === 'needs_check',
    metadataLowWater: metadataLowWater === undefined ? undefined : wholeNumber(metadataLowWater, params),
  };
  return status;
}

function usage(text: string | undefined, params: string): BlockUsage {
  const [used, total, rest] = (text ?? '').split('/');
  if (rest !== undefined) throw unreadable(params);
  return { used: wholeNumber(used, params), total: wholeNumber(total, params) };
}

function poolMode(text: string, params: string): PoolMode {
  if (text === 'rw' || text === 'ro' || text === 'out_of_data_space') return text;
  throw unreadable(params);
}

function discardMode(text: string | undefined): ActivePoolStatus['discards'] {
  if (text === 'ignore_discard') return 'ignore';
  return text === 'no_discard_passdown' ? 'no-passdown' : 'passdown';
}

function wholeNumber(text: string | undefined, params: string): number {
  const value = /^\d+$/.test(text ?? '') ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw unreadable(params);
  return value;
}

function unreadable(params: string): LayerStoreError {
  return new LayerStoreError(
    'DRIVER_POOL_UNUSABLE',
    `"${params.slice(0, 120)}" is not the status of a thin pool; look at it with dmsetup status`,
    { driver: 'devicemapper' },
  );
}
