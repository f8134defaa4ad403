import { LayerStoreError } from '@x/archive';
import type { ActivePoolStatus, BlockUsage } from './pool-status.js';

/**
 * Whether another snapshot may be made (spec/drivers.md 2.17): `percent` of the data blocks and of the metadata blocks must
 * be free, at least one of each; 0 percent switches the gate off. @throws DRIVER_POOL_FULL
 */
export function assertFreeSpace(status: ActivePoolStatus, percent: number): void {
  if (percent === 0) return;
  assertFree('data', status.data, percent);
  assertFree('metadata', status.metadata, percent);
}

function assertFree(what: 'data' | 'metadata', { used, total }: BlockUsage, percent: number): void {
  const free = total - used;
  const wanted = Math.max(1, Math.floor((total * percent) / 100));
  if (free >= wanted) return;
  throw new LayerStoreError(
    'DRIVER_POOL_FULL',
    `the thin pool has ${free} free ${what} blocks of ${total}, fewer than the ${wanted} that dm.min_free_space=${percent}% ` +
      'keeps: remove layers, grow the pool, or lower that option',
    { driver: 'devicemapper', errno: 'ENOSPC', option: 'dm.min_free_space' },
  );
}
