import { describe, expect, it } from '@jest/globals';
import { parsePoolStatus } from '../pool/parse-pool-status.js';
import { type DeviceSetStatus, poolSpace } from './device-set-status.js';
import { statusItems } from './status-items.js';
import { parseThinStatus } from './thin-status.js';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

const STATUS: DeviceSetStatus = {
  poolName: 'docker-253:1-17538953-pool',
  dataFile: '/dev/loop4',
  dataLoopback: '/home/docker/devicemapper/devicemapper/data',
  metadataFile: '/dev/loop5',
  metadataLoopback: '/home/docker/devicemapper/devicemapper/metadata',
  data: { used: 2_536_000_000, total: 100 * GIB, available: 104_800_000_000 },
  metadata: { used: 7_930_000, total: 2 * GIB, available: 2_140_000_000 },
  baseDeviceSize: 10 * GIB,
  baseDeviceFileSystem: 'xfs',
  sectorSize: 65536,
  udevSyncSupported: true,
  deferredRemoveEnabled: true,
  deferredDeleteEnabled: false,
  deferredDeletedDeviceCount: 3,
  minFreeSpace: 10 * GIB,
  pool: { transactionId: 12, mode: 'rw', needsCheck: false },
};

describe('status items', () => {
  it('are those of Docker, in its order and wording, then ours', () => {
    expect(statusItems(STATUS, { libraryVersion: '1.2' })).toEqual([
      ['Pool Name', 'docker-253:1-17538953-pool'],
      ['Pool Blocksize', '65.54kB'],
      ['Base Device Size', '10.74GB'],
      ['Backing Filesystem', 'xfs'],
      ['Udev Sync Supported', 'true'],
      ['Data file', '/dev/loop4'],
      ['Metadata file', '/dev/loop5'],
      ['Data loop file', '/home/docker/devicemapper/devicemapper/data'],
      ['Metadata loop file', '/home/docker/devicemapper/devicemapper/metadata'],
      ['Data Space Used', '2.536GB'],
      ['Data Space Total', '107.4GB'],
      ['Data Space Available', '104.8GB'],
      ['Metadata Space Used', '7.93MB'],
      ['Metadata Space Total', '2.147GB'],
      ['Metadata Space Available', '2.14GB'],
      ['Thin Pool Minimum Free Space', '10.74GB'],
      ['Deferred Removal Enabled', 'true'],
      ['Deferred Deletion Enabled', 'false'],
      ['Deferred Deleted Device Count', '3'],
      ['Library Version', '1.2'],
      ['Transaction ID', '12'],
      ['Pool Mode', 'rw'],
      ['Needs Check', 'false'],
    ]);
  });

  it('of a pool in other hands name no files, and of one that is silent no state', () => {
    const { pool: _, ...silent } = STATUS;
    const names = statusItems({
      ...silent,
      dataFile: '',
      dataLoopback: '',
      metadataFile: '',
      metadataLoopback: '',
      baseDeviceFileSystem: '',
    }).map(([name]) => name);
    expect(names).toEqual([
      'Pool Name',
      'Pool Blocksize',
      'Base Device Size',
      'Backing Filesystem',
      'Udev Sync Supported',
      'Data Space Used',
      'Data Space Total',
      'Data Space Available',
      'Metadata Space Used',
      'Metadata Space Total',
      'Metadata Space Available',
      'Thin Pool Minimum Free Space',
      'Deferred Removal Enabled',
      'Deferred Deletion Enabled',
      'Deferred Deleted Device Count',
    ]);
  });

  it('have a blank before the unit on request, as in the README of 1.8', () => {
    expect(statusItems(STATUS, { spaced: true })[1]).toEqual(['Pool Blocksize', '65.54 kB']);
  });
});

describe('space of a pool', () => {
  const status = parsePoolStatus('5 100/4096 1000/16000 - rw discard_passdown queue_if_no_space - 1024');

  it('is blocks times their size', () => {
    expect(poolSpace(status, 128, 10)).toEqual({
      data: { used: 1000 * 65536, total: 16000 * 65536, available: 15000 * 65536 },
      metadata: { used: 100 * 4096, total: 16 * MIB, available: 3996 * 4096 },
      sectorSize: 65536,
      minFreeSpace: 1600 * 65536,
      pool: { transactionId: 5, mode: 'rw', needsCheck: false },
    });
  });

  it('over loop files is what the file system below can still give', () => {
    const { data, metadata } = poolSpace(status, 128, 10, { data: 5 * MIB, metadata: 2 * MIB });
    expect(data.available).toBe(5 * MIB);
    expect(metadata.available).toBe(2 * MIB);
    expect(poolSpace(status, 128, 10, { data: 500 * GIB }).data.available).toBe(15000 * 65536);
  });

  it('of a pool that failed or is silent is zero', () => {
    expect(poolSpace(parsePoolStatus('Fail'), 128, 10)).toEqual({
      data: { used: 0, total: 0, available: 0 },
      metadata: { used: 0, total: 0, available: 0 },
      sectorSize: 65536,
      minFreeSpace: 0,
      pool: { transactionId: 0, mode: 'Fail', needsCheck: true },
    });
    expect(poolSpace(undefined, 128, 10).pool).toBeUndefined();
  });
});

describe('status of a thin device', () => {
  const target = (params: string, type = 'thin') => ({ start: 0, length: 8, type, params });

  it('is mapped and highest sectors, nothing written being 0', () => {
    expect(parseThinStatus(target('2048 4095'))).toEqual({ mappedSectors: 2048, highestMappedSector: 4095 });
    expect(parseThinStatus(target('0 -'))).toEqual({ mappedSectors: 0, highestMappedSector: 0 });
  });

  it.each([
    ['Fail', 'thin'],
    ['Error', 'thin'],
    ['', 'thin'],
    ['1 2', 'linear'],
  ])('"%s" of a %s target is refused', (params, type) => {
    expect(() => parseThinStatus(target(params, type))).toThrow(
      expect.objectContaining({ code: 'DRIVER_POOL_UNUSABLE' }),
    );
  });
});
