import { LayerStoreError } from '@x/archive';
import type { ActivePoolStatus, PoolStatus } from './pool-status.js';

/** The status of a pool that takes changes. @throws DRIVER_POOL_UNUSABLE for one that failed, is read-only or needs a check */
export function assertMutable(status: PoolStatus, name: string): ActivePoolStatus {
  const active = assertGrowable(status, name);
  if (active.mode !== 'ro') return active;
  throw unusable(
    name,
    'is read-only, mostly because its metadata device is full: make that larger, by growPool() or a larger dm.loopmetadatasize ' +
      'at the next start',
  );
}

/**
 * The status of a pool that may be made larger: also one that is read-only for want of metadata space, which the kernel makes
 * writable again when it gets some. @throws DRIVER_POOL_UNUSABLE for one that failed or needs a check
 */
export function assertGrowable(status: PoolStatus, name: string): ActivePoolStatus {
  if (status.state !== 'active') {
    throw unusable(
      name,
      status.state === 'Fail'
        ? 'has failed and does no I/O: unmount everything, remove it with dmsetup remove, and run thin_check on its metadata device'
        : 'does not tell its status: look at the kernel log, remove it with dmsetup remove, and run thin_check on its metadata device',
    );
  }
  if (!status.needsCheck) return status;
  throw unusable(
    name,
    'has needs_check set: remove it with dmsetup remove, run thin_check on its metadata device (thin_repair if that finds damage, ' +
      'thin_check --clear-needs-check-flag if not), and open again',
  );
}

/**
 * Whether a pool that somebody else made may become ours: nothing is written in it and no transaction was made
 * (spec/drivers.md 2.18). @throws DRIVER_POOL_UNUSABLE
 */
export function assertUnusedPool(status: ActivePoolStatus, name: string): void {
  if (status.data.used === 0 && status.transactionId === 0) return;
  throw unusable(
    name,
    `holds ${status.data.used} used data blocks and has transaction id ${status.transactionId}, but no base device of this store: ` +
      'it belongs to something else. Give an empty pool, or the home that belongs to this one',
  );
}

function unusable(name: string, what: string): LayerStoreError {
  return new LayerStoreError('DRIVER_POOL_UNUSABLE', `the thin pool ${name} ${what}`, {
    driver: 'devicemapper',
    name,
  });
}
