import { SECTOR_SIZE } from '../device-mapper/sector.js';
import { type BlockUsage, METADATA_BLOCK_SIZE, type PoolStatus } from '../pool/pool-status.js';

/** Space in bytes. */
export interface SpaceUsage {
  readonly used: number;
  readonly total: number;
  /** What can still be used: over a loop file no more than the file system below can give. */
  readonly available: number;
}

/** What there is to say of a device set: Docker's status structure (spec/drivers.md 2.21), and what the pool says beyond it. */
export interface DeviceSetStatus {
  readonly poolName: string;
  /** Block device of the data; empty for a pool that somebody else manages. */
  readonly dataFile: string;
  /** File behind it, when it is a loop device. */
  readonly dataLoopback: string;
  readonly metadataFile: string;
  readonly metadataLoopback: string;
  readonly data: SpaceUsage;
  readonly metadata: SpaceUsage;
  /** Bytes. */
  readonly baseDeviceSize: number;
  readonly baseDeviceFileSystem: string;
  /** Bytes of a thin block: Docker's name for it. */
  readonly sectorSize: number;
  readonly udevSyncSupported: boolean;
  readonly deferredRemoveEnabled: boolean;
  readonly deferredDeleteEnabled: boolean;
  readonly deferredDeletedDeviceCount: number;
  /** Bytes of data that `dm.min_free_space` keeps. */
  readonly minFreeSpace: number;
  /** Absent when the pool does not answer. */
  readonly pool?: {
    readonly transactionId: number;
    readonly mode: string;
    readonly needsCheck: boolean;
  };
}

/** The part of the status that the pool's own figures give. */
export type PoolSpace = Pick<DeviceSetStatus, 'data' | 'metadata' | 'sectorSize' | 'minFreeSpace' | 'pool'>;

/** What limits a pool on loop files: free bytes of the file systems they are on; undefined for disks. */
export interface BackingSpace {
  readonly data?: number | undefined;
  readonly metadata?: number | undefined;
}

const NOTHING: SpaceUsage = { used: 0, total: 0, available: 0 };

/**
 * The pool's figures in bytes. A pool that does not answer, undefined or failed, leaves zeros: status is asked for most when
 * something is wrong.
 */
export function poolSpace(
  status: PoolStatus | undefined,
  blockSectors: number,
  minFreePercent: number,
  backing: BackingSpace = {},
): PoolSpace {
  const sectorSize = blockSectors * SECTOR_SIZE;
  if (status?.state !== 'active') {
    const pool =
      status === undefined ? {} : { pool: { transactionId: 0, mode: status.state, needsCheck: true } };
    return { data: NOTHING, metadata: NOTHING, sectorSize, minFreeSpace: 0, ...pool };
  }
  return {
    data: inBytes(status.data, sectorSize, backing.data),
    metadata: inBytes(status.metadata, METADATA_BLOCK_SIZE, backing.metadata),
    sectorSize,
    minFreeSpace: Math.floor((status.data.total * minFreePercent) / 100) * sectorSize,
    pool: {
      transactionId: status.transactionId,
      mode: status.mode,
      needsCheck: status.needsCheck,
    },
  };
}

function inBytes(
  { used, total }: BlockUsage,
  blockSize: number,
  backingFree: number | undefined,
): SpaceUsage {
  const free = (total - used) * blockSize;
  return {
    used: used * blockSize,
    total: total * blockSize,
    available: backingFree === undefined ? free : Math.min(free, backingFree),
  };
}
