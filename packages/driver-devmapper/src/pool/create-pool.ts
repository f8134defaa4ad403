import { errnoOf, LayerStoreError } from '@x/archive';
import type { DeviceInfo, DeviceMapper } from '../device-mapper/device-mapper.js';
import { SECTOR_SIZE } from '../device-mapper/sector.js';
import { createWithTable } from '../device-mapper/thin-devices.js';
import { lowWaterMark, type PoolTable, poolTarget } from './pool-table.js';

/** A pool to be made. */
export interface PoolPlan {
  /** dm name. */
  readonly name: string;
  /** Path of a block device; its whole length is used. */
  readonly dataDevice: string;
  /** Path of a block device: a new pool needs 4 KiB of zeros at its start, anything else is taken for metadata. */
  readonly metadataDevice: string;
  /** Bytes of the data device. */
  readonly dataBytes: number;
  /** Must be what the pool was made with. */
  readonly blockSectors: number;
  readonly errorIfNoSpace: boolean;
}

/** Fewest and most sectors of a block, and what they are a multiple of (Documentation: thin-provisioning.rst). */
const BLOCK_SECTORS = { least: 128, most: 2097152, step: 128 } as const;

/** The table does not fit the metadata, or the metadata has no valid superblock (ENOTBLK, EILSEQ). */
const REFUSED: ReadonlySet<string> = new Set(['EINVAL', 'ENOTBLK', 'EILSEQ']);

/** Whether the kernel takes a block of so many sectors. */
export function isBlockSize(sectors: number): boolean {
  const { least, most, step } = BLOCK_SECTORS;
  return Number.isInteger(sectors) && sectors >= least && sectors <= most && sectors % step === 0;
}

/** The table of a plan. */
export function planPoolTable(plan: PoolPlan): PoolTable {
  const { dataDevice, metadataDevice, dataBytes, blockSectors, errorIfNoSpace } = plan;
  const sectors = Math.floor(dataBytes / SECTOR_SIZE);
  const lowWater = lowWaterMark(Math.floor(sectors / blockSectors));
  return { sectors, metadataDevice, dataDevice, blockSectors, lowWater, errorIfNoSpace };
}

/**
 * Makes the pool, or activates one that its metadata device holds. Nothing is left when the kernel refuses.
 * @throws DRIVER_POOL_UNUSABLE when it refuses the devices or their contents; DRIVER_BUSY when they are in use
 */
export async function createPool(deviceMapper: DeviceMapper, plan: PoolPlan): Promise<DeviceInfo> {
  const { name, dataDevice, metadataDevice, blockSectors } = plan;
  try {
    return await createWithTable(deviceMapper, name, [poolTarget(planPoolTable(plan))]);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined || !REFUSED.has(errno)) throw error;
    throw new LayerStoreError(
      'DRIVER_POOL_UNUSABLE',
      `the kernel refuses a thin pool on ${dataDevice} with metadata on ${metadataDevice} and blocks of ${blockSectors} sectors. ` +
        'Either the block size is not the one the pool was made with (dm.blocksize), or the data device is smaller than it was, ' +
        'or a new metadata device does not start with 4096 zero bytes; the kernel log says which',
      { driver: 'devicemapper', name, errno, cause: error },
    );
  }
}
