import { humanSize } from '@x/layer-store/driver-kit';
import type { DeviceSetStatus } from './device-set-status.js';

/** How {@link statusItems} writes. */
export interface StatusFormat {
  /** A blank between number and unit, as Docker had it until 1.8. */
  readonly spaced?: boolean;
  /** Shown last of Docker's items when not empty. */
  readonly libraryVersion?: string;
}

/**
 * Status as `docker info` shows it: the items of Docker 20.10 in their order and wording (spec/drivers.md 2.21; seed 003), those
 * about files only where there are files; then three of our own.
 */
export function statusItems(
  status: DeviceSetStatus,
  format: StatusFormat = {},
): readonly (readonly [string, string])[] {
  const size = (bytes: number): string => humanSize(bytes, format.spaced);
  const items: [string, string][] = [
    ['Pool Name', status.poolName],
    ['Pool Blocksize', size(status.sectorSize)],
    ['Base Device Size', size(status.baseDeviceSize)],
    ['Backing Filesystem', status.baseDeviceFileSystem],
    ['Udev Sync Supported', String(status.udevSyncSupported)],
    ['Data file', status.dataFile],
    ['Metadata file', status.metadataFile],
    ['Data loop file', status.dataLoopback],
    ['Metadata loop file', status.metadataLoopback],
    ['Data Space Used', size(status.data.used)],
    ['Data Space Total', size(status.data.total)],
    ['Data Space Available', size(status.data.available)],
    ['Metadata Space Used', size(status.metadata.used)],
    ['Metadata Space Total', size(status.metadata.total)],
    ['Metadata Space Available', size(status.metadata.available)],
    ['Thin Pool Minimum Free Space', size(status.minFreeSpace)],
    ['Deferred Removal Enabled', String(status.deferredRemoveEnabled)],
    ['Deferred Deletion Enabled', String(status.deferredDeleteEnabled)],
    ['Deferred Deleted Device Count', String(status.deferredDeletedDeviceCount)],
    ['Library Version', format.libraryVersion ?? ''],
  ];
  if (status.pool !== undefined) {
    items.push(
      ['Transaction ID', String(status.pool.transactionId)],
      ['Pool Mode', status.pool.mode],
      ['Needs Check', String(status.pool.needsCheck)],
    );
  }
  return items.filter(([name, value]) => value !== '' || !OPTIONAL.has(name));
}

const OPTIONAL: ReadonlySet<string> = new Set([
  'Data file',
  'Metadata file',
  'Data loop file',
  'Metadata loop file',
  'Library Version',
]);
