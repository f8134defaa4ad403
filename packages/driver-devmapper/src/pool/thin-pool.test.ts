import { describe, expect, it } from '@jest/globals';
import { deviceMapperReason } from '../device-mapper/device-mapper-error.js';
import { SimulatedKernel } from '../device-mapper/simulator.test-support.js';
import { createWithTable } from '../device-mapper/thin-devices.js';
import { parsePoolStatus } from './parse-pool-status.js';
import { lowWaterMark, type PoolTable, parsePoolTable, poolTarget } from './pool-table.js';
import { ThinPool } from './thin-pool.js';

const TABLE: PoolTable = {
  sectors: 2097152,
  metadataDevice: '/dev/loop1',
  dataDevice: '/dev/loop0',
  blockSectors: 128,
  lowWater: 1638,
  errorIfNoSpace: false,
};

describe('the table of a pool', () => {
  it('skips zeroing, and fails writes when asked to', () => {
    expect(poolTarget(TABLE)).toEqual({
      start: 0,
      length: 2097152,
      type: 'thin-pool',
      params: '/dev/loop1 /dev/loop0 128 1638 1 skip_block_zeroing',
    });
    expect(poolTarget({ ...TABLE, errorIfNoSpace: true }).params).toBe(
      '/dev/loop1 /dev/loop0 128 1638 2 skip_block_zeroing error_if_no_space',
    );
  });

  it('is read back from what the kernel prints, also without features', () => {
    expect(parsePoolTable(poolTarget(TABLE))).toEqual(TABLE);
    const target = { start: 0, length: 1024, type: 'thin-pool', params: '7:1 7:0 256 0' };
    expect(parsePoolTable(target)).toEqual({
      sectors: 1024,
      metadataDevice: '7:1',
      dataDevice: '7:0',
      blockSectors: 256,
      lowWater: 0,
      errorIfNoSpace: false,
    });
  });

  it.each([
    ['linear', '7:1 0'],
    ['thin-pool', '7:1 7:0 x 0'],
    ['thin-pool', '7:1 7:0 0 0'],
    ['thin-pool', ''],
  ])('refuses a %s with "%s"', (type, params) => {
    expect(() => parsePoolTable({ start: 0, length: 1, type, params })).toThrow(
      expect.objectContaining({ code: 'DRIVER_POOL_UNUSABLE' }),
    );
  });

  it('has a low-water mark of a tenth in small pools', () => {
    expect(lowWaterMark(1638400)).toBe(32768);
    expect(lowWaterMark(16385)).toBe(1638);
    expect(lowWaterMark(9)).toBe(0);
  });
});

describe('the status of a pool', () => {
  it('has every field of the kernel line', () => {
    expect(
      parsePoolStatus('17 45/524288 303/1638400 - rw discard_passdown queue_if_no_space - 1024 '),
    ).toEqual({
      state: 'active',
      transactionId: 17,
      metadata: { used: 45, total: 524288 },
      data: { used: 303, total: 1638400 },
      heldMetadataRoot: undefined,
      mode: 'rw',
      discards: 'passdown',
      whenFull: 'queue',
      needsCheck: false,
      metadataLowWater: 1024,
    });
    expect(
      parsePoolStatus('1 9/10 3/4 7 out_of_data_space no_discard_passdown error_if_no_space needs_check 2'),
    ).toMatchObject({
      heldMetadataRoot: 7,
      mode: 'out_of_data_space',
      discards: 'no-passdown',
      whenFull: 'error',
      needsCheck: true,
    });
    expect(parsePoolStatus('1 9/10 3/4 - ro ignore_discard queue_if_no_space -')).toMatchObject({
      mode: 'ro',
      discards: 'ignore',
    });
  });

  it('of an old kernel ends early', () => {
    expect(parsePoolStatus('0 1/2 3/4 -')).toMatchObject({ mode: 'rw', needsCheck: false });
  });

  it.each(['Fail', 'Error'] as const)('is the word %s', (word) => {
    expect(parsePoolStatus(word)).toEqual({ state: word });
  });

  it.each([
    '',
    'x 1/2 3/4',
    '1 1/2',
    '1 1/2 3',
    '1 1/2/3 3/4',
    '1 1/2 3/4 x',
    '1 1/2 3/4 - broken',
    '-1 1/2 3/4',
  ])('that reads "%s" is refused', (params) => {
    expect(() => parsePoolStatus(params)).toThrow(expect.objectContaining({ code: 'DRIVER_POOL_UNUSABLE' }));
  });
});

describe('a pool', () => {
  async function pool(): Promise<{ kernel: SimulatedKernel; pool: ThinPool }> {
    const kernel = new SimulatedKernel();
    kernel.addDisk('/dev/loop0', 1024 ** 3);
    kernel.addDisk('/dev/loop1', 16 * 1024 ** 2);
    await createWithTable(kernel.deviceMapper(), 'pool', [poolTarget(TABLE)]);
    return { kernel, pool: new ThinPool(kernel.deviceMapper(), 'pool') };
  }

  const reason = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => 'nothing failed',
      (error: unknown) => deviceMapperReason(error),
    );

  it('creates, snapshots and deletes by id; deleting what it does not have is no failure', async () => {
    const { pool: thin } = await pool();
    await thin.createThin(0);
    await thin.createSnap(1, 0);
    expect(await reason(thin.createThin(1))).toBe('DeviceIDExists');
    expect(await reason(thin.createSnap(2, 77))).toBe('NoData');
    expect(await reason(thin.createThin(0x1000000))).toBe('TaskRun');
    expect(await thin.deleteThin(0)).toBe('deleted');
    expect(await thin.deleteThin(0)).toBe('absent');
  });

  it('moves its transaction id only from what it is', async () => {
    const { pool: thin } = await pool();
    await thin.setTransactionId(0, 1);
    expect(await reason(thin.setTransactionId(0, 1))).toBe('TaskRun');
    expect(await thin.status()).toMatchObject({ transactionId: 1 });
  });

  it('holds one metadata snapshot', async () => {
    const { pool: thin } = await pool();
    await thin.reserveMetadataSnapshot();
    expect(await reason(thin.reserveMetadataSnapshot())).toBe('Busy');
    expect(await thin.status()).toMatchObject({ heldMetadataRoot: 7 });
    await thin.releaseMetadataSnapshot();
    expect(await reason(thin.releaseMetadataSnapshot())).toBe('TaskRun');
  });

  it('says so when the device is something else, or is not there', async () => {
    const { kernel } = await pool();
    const deviceMapper = kernel.deviceMapper();
    await deviceMapper.create('empty');
    const other = new ThinPool(deviceMapper, 'empty');
    await expect(other.status()).rejects.toMatchObject({ code: 'DRIVER_POOL_UNUSABLE', subject: 'empty' });
    await expect(other.table()).rejects.toMatchObject({ code: 'DRIVER_POOL_UNUSABLE' });
    expect(await reason(new ThinPool(deviceMapper, 'missing').status())).toBe('Enxio');
  });

  it('gives its table with device numbers', async () => {
    const { pool: thin } = await pool();
    expect(await thin.table()).toEqual({ ...TABLE, metadataDevice: '7:1', dataDevice: '7:0' });
  });
});
