import { LayerStoreError } from '@x/archive';
import type { DeviceTarget } from '../device-mapper/device-mapper.js';

/** What a thin-pool table says (Documentation/admin-guide/device-mapper/thin-provisioning.rst, spec/drivers.md 2.7). */
export interface PoolTable {
  /** Length of the pool: the data device. */
  readonly sectors: number;
  /** `/dev/loop1` or `7:1`. A table read back from the kernel always has numbers. */
  readonly metadataDevice: string;
  readonly dataDevice: string;
  /** Sectors per block: 128 to 2097152, a multiple of 128, fixed for the life of the pool. */
  readonly blockSectors: number;
  /** Free data blocks at which the kernel raises an event. */
  readonly lowWater: number;
  /** Writes fail when the pool is full, instead of waiting for space. */
  readonly errorIfNoSpace: boolean;
}

const MOST_LOW_WATER = 32768;
const ERROR_IF_NO_SPACE = 'error_if_no_space';

/**
 * Free blocks that call for attention: Docker's 32768 (2 GiB of 64 KiB blocks), but no more than a tenth of the pool, or a
 * small one would raise the event with its first allocation.
 */
export function lowWaterMark(dataBlocks: number): number {
  return Math.min(MOST_LOW_WATER, Math.floor(dataBlocks / 10));
}

/** The table line. Zeroing of new blocks is skipped: only file systems read the devices. */
export function poolTarget(table: PoolTable): DeviceTarget {
  const features = table.errorIfNoSpace
    ? `2 skip_block_zeroing ${ERROR_IF_NO_SPACE}`
    : '1 skip_block_zeroing';
  const { metadataDevice, dataDevice, blockSectors, lowWater } = table;
  return {
    start: 0,
    length: table.sectors,
    type: 'thin-pool',
    params: `${metadataDevice} ${dataDevice} ${blockSectors} ${lowWater} ${features}`,
  };
}

/** Reads a table line of a pool, also one that another program wrote. @throws DRIVER_POOL_UNUSABLE */
export function parsePoolTable(target: DeviceTarget): PoolTable {
  const [metadataDevice = '', dataDevice = '', blockSectors, lowWater, , ...features] =
    target.params.split(' ');
  const table: PoolTable = {
    sectors: target.length,
    metadataDevice,
    dataDevice,
    blockSectors: Number(blockSectors),
    lowWater: Number(lowWater),
    errorIfNoSpace: features.includes(ERROR_IF_NO_SPACE),
  };
  const whole = Number.isSafeInteger(table.blockSectors) && Number.isSafeInteger(table.lowWater);
  if (target.type === 'thin-pool' && whole && table.blockSectors > 0) return table;
  throw new LayerStoreError(
    'DRIVER_POOL_UNUSABLE',
    `"${target.type} ${target.params}" is not the table of a thin pool; name one in dm.thinpooldev`,
    { driver: 'devicemapper' },
  );
}
