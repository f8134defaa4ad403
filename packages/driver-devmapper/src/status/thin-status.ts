import { LayerStoreError } from '@x/archive';
import type { DeviceTarget } from '../device-mapper/device-mapper.js';

/** How much of a thin device is written. Sectors. */
export interface ThinStatus {
  readonly mappedSectors: number;
  /** 0 also when nothing is mapped. */
  readonly highestMappedSector: number;
}

/** Status of one layer's device: Docker's DevStatus (spec/drivers.md 2.22). */
export interface DeviceStatus extends ThinStatus {
  readonly deviceId: number;
  /** Bytes. */
  readonly size: number;
  readonly transactionId: number;
  readonly sizeInSectors: number;
}

/**
 * Reads the status of a thin device: `<mapped> <highest mapped>`, the latter `-` for a device that nothing was written to.
 * @throws DRIVER_POOL_UNUSABLE for `Fail`, `Error` and anything that is no thin device
 */
export function parseThinStatus(target: DeviceTarget): ThinStatus {
  const match = target.type === 'thin' ? /^(\d+) (\d+|-)$/.exec(target.params.trim()) : null;
  if (match !== null) {
    return {
      mappedSectors: Number(match[1]),
      highestMappedSector: match[2] === '-' ? 0 : Number(match[2]),
    };
  }
  throw new LayerStoreError(
    'DRIVER_POOL_UNUSABLE',
    `"${target.type} ${target.params.slice(0, 80)}" is not the status of a thin device that works; look at its pool with ` +
      'dmsetup status',
    { driver: 'devicemapper' },
  );
}
