import { describe, expect, it } from '@jest/globals';
import { poolTarget } from '../pool/pool-table.js';
import { ThinPool } from '../pool/thin-pool.js';
import type { DeviceMapper } from './device-mapper.js';
import { deviceMapperReason } from './device-mapper-error.js';
import { SimulatedKernel } from './simulator.test-support.js';
import {
  activateThin,
  cancelDeferredRemoval,
  createSnapshot,
  createWithTable,
  removeDevice,
  removeDeviceDeferred,
  waitClose,
  waitRemove,
  withSuspended,
} from './thin-devices.js';

const GIB = 1024 ** 3;

interface Bench {
  readonly kernel: SimulatedKernel;
  readonly deviceMapper: DeviceMapper;
  readonly pool: ThinPool;
}

async function bench(): Promise<Bench> {
  const kernel = new SimulatedKernel();
  kernel.addDisk('/dev/loop0', GIB);
  kernel.addDisk('/dev/loop1', 16 * 1024 ** 2);
  const deviceMapper = kernel.deviceMapper();
  await createWithTable(deviceMapper, 'the-pool', [
    poolTarget({
      sectors: GIB / 512,
      metadataDevice: '/dev/loop1',
      dataDevice: '/dev/loop0',
      blockSectors: 128,
      lowWater: 100,
      errorIfNoSpace: false,
    }),
  ]);
  return { kernel, deviceMapper, pool: new ThinPool(deviceMapper, 'the-pool') };
}

const thin = (deviceId: number, name = `thin-${deviceId}`) => ({
  name,
  pool: 'the-pool',
  deviceId,
  size: GIB,
});

async function reasonOf(work: Promise<unknown>): Promise<string | undefined> {
  return work.then(
    () => 'nothing failed',
    (error: unknown) => deviceMapperReason(error),
  );
}

describe('activateThin', () => {
  it('names the pool by number, and the device can be opened', async () => {
    const { deviceMapper, pool } = await bench();
    await pool.createThin(1);
    const info = await activateThin(deviceMapper, { ...thin(1), externalOrigin: '7:9' });
    expect(info).toMatchObject({ name: 'thin-1', liveTable: true, suspended: false, openCount: 0 });
    expect(await deviceMapper.tableStatus('thin-1')).toEqual([
      { start: 0, length: GIB / 512, type: 'thin', params: '254:0 1 7:9' },
    ]);
    expect(await deviceMapper.devicePath('thin-1')).toBe(`/dev/dm-${info.minor}`);
  });

  it('leaves no device behind when the pool does not know the id', async () => {
    const { deviceMapper } = await bench();
    expect(await reasonOf(activateThin(deviceMapper, thin(9)))).toBe('NoData');
    expect(await deviceMapper.info('thin-9')).toBeUndefined();
  });

  it('leaves no device behind when resuming fails', async () => {
    const { deviceMapper, pool, kernel } = await bench();
    await pool.createThin(1);
    kernel.inject({ call: 'resume', failure: 'EINVAL' });
    expect(await reasonOf(activateThin(deviceMapper, thin(1)))).toBe('TaskRun');
    expect(await deviceMapper.info('thin-1')).toBeUndefined();
  });

  it('says when there is no pool, and when the name is taken', async () => {
    const { deviceMapper, pool } = await bench();
    await pool.createThin(1);
    expect(await reasonOf(activateThin(deviceMapper, { ...thin(1), pool: 'other' }))).toBe('Enxio');
    await activateThin(deviceMapper, thin(1));
    expect(await reasonOf(activateThin(deviceMapper, thin(1)))).toBe('Busy');
    expect(await deviceMapper.info('thin-1')).toMatchObject({ liveTable: true });
  });
});

describe('snapshots', () => {
  it('suspend an active origin for the moment, and resume it also when the pool refuses', async () => {
    const { deviceMapper, pool, kernel } = await bench();
    await pool.createThin(1);
    await activateThin(deviceMapper, thin(1));
    kernel.calls.length = 0;
    await createSnapshot(deviceMapper, pool, { id: 2, originId: 1, originName: 'thin-1' });
    expect(kernel.calls).toEqual(['suspend thin-1', 'create_snap the-pool 2 1', 'resume thin-1']);
    const again = createSnapshot(deviceMapper, pool, { id: 2, originId: 1, originName: 'thin-1' });
    expect(await reasonOf(again)).toBe('DeviceIDExists');
    expect(await deviceMapper.info('thin-1')).toMatchObject({ suspended: false });
  });

  it('of an origin that is not active need no suspending', async () => {
    const { deviceMapper, pool, kernel } = await bench();
    await pool.createThin(1);
    await createSnapshot(deviceMapper, pool, { id: 2, originId: 1, originName: 'thin-1' });
    expect(kernel.pool('the-pool').thins.has(2)).toBe(true);
  });

  it('go on when a deferred removal takes the origin while it is suspended', async () => {
    const { deviceMapper, kernel } = await bench();
    kernel.inject({ call: 'suspend', failure: 'ENXIO' });
    expect(await withSuspended(deviceMapper, 'the-pool', () => Promise.resolve('done'))).toBe('done');
    kernel.inject({ call: 'resume', failure: 'ENXIO' });
    expect(await withSuspended(deviceMapper, 'the-pool', () => Promise.resolve('done'))).toBe('done');
  });

  it('report both failures when the origin stays suspended', async () => {
    const { deviceMapper, kernel } = await bench();
    kernel.inject({ call: 'resume', failure: 'EIO' });
    const work = withSuspended(deviceMapper, 'the-pool', () => Promise.reject(new Error('work')));
    await expect(work).rejects.toMatchObject({
      errors: [{ message: 'work' }, { errno: 'EIO' }],
    });
  });
});

describe('removal', () => {
  it('goes on while the device is open, pausing as the caller says', async () => {
    const { deviceMapper, pool, kernel } = await bench();
    await pool.createThin(1);
    await activateThin(deviceMapper, thin(1));
    kernel.open('thin-1');
    const pauses: number[] = [];
    const pause = (milliseconds: number): Promise<void> => {
      pauses.push(milliseconds);
      if (pauses.length === 3) kernel.closeOpener('thin-1');
      return Promise.resolve();
    };
    await removeDevice(deviceMapper, 'thin-1', { pause, delay: 5 });
    expect(pauses).toEqual([5, 5, 5]);
    expect(await deviceMapper.info('thin-1')).toBeUndefined();
  });

  it('gives up after its attempts: 200 unless told otherwise', async () => {
    const { deviceMapper, kernel } = await bench();
    kernel.open('the-pool');
    let pauses = 0;
    const pause = (): Promise<void> => {
      pauses += 1;
      return Promise.resolve();
    };
    expect(await reasonOf(removeDevice(deviceMapper, 'the-pool', { pause }))).toBe('Busy');
    expect(pauses).toBe(199);
  });

  it('stops when aborted', async () => {
    const { deviceMapper, kernel } = await bench();
    kernel.open('the-pool');
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(removeDevice(deviceMapper, 'the-pool', { signal })).rejects.toThrow('enough');
  });

  it('of what is gone is success', async () => {
    const { deviceMapper } = await bench();
    await removeDevice(deviceMapper, 'nothing');
    expect(await removeDeviceDeferred(deviceMapper, 'nothing')).toBe('removed');
    expect(await cancelDeferredRemoval(deviceMapper, 'nothing')).toBe('gone');
    await waitRemove(deviceMapper, 'nothing');
    await waitClose(deviceMapper, 'nothing');
  });

  it('that is deferred can be taken back until the last opener closes', async () => {
    const { deviceMapper, pool, kernel } = await bench();
    await pool.createThin(1);
    await activateThin(deviceMapper, thin(1));
    kernel.open('thin-1');
    expect(await removeDeviceDeferred(deviceMapper, 'thin-1')).toBe('deferred');
    kernel.inject({ call: 'cancelDeferredRemove', failure: 'EBUSY', times: 2 });
    const pause = (): Promise<void> => Promise.resolve();
    expect(await cancelDeferredRemoval(deviceMapper, 'thin-1', { pause })).toBe('kept');
    kernel.closeOpener('thin-1');
    expect(await deviceMapper.info('thin-1')).toMatchObject({ deferredRemove: false });
    kernel.open('thin-1');
    await removeDeviceDeferred(deviceMapper, 'thin-1');
    kernel.closeOpener('thin-1');
    expect(await cancelDeferredRemoval(deviceMapper, 'thin-1')).toBe('gone');
  });

  it('of a pool waits for its thin devices', async () => {
    const { deviceMapper, pool } = await bench();
    await pool.createThin(1);
    await activateThin(deviceMapper, thin(1));
    expect(await reasonOf(deviceMapper.remove('the-pool'))).toBe('Busy');
    await removeDevice(deviceMapper, 'thin-1');
    await removeDevice(deviceMapper, 'the-pool');
    expect(await deviceMapper.list()).toEqual([]);
  });

  it('can be waited for', async () => {
    const { deviceMapper, kernel } = await bench();
    kernel.open('the-pool');
    const pause = (): Promise<void> => Promise.resolve();
    expect(await reasonOf(waitClose(deviceMapper, 'the-pool', { attempts: 3, pause }))).toBe('Busy');
    expect(await reasonOf(waitRemove(deviceMapper, 'the-pool', { attempts: 3, pause }))).toBe('Busy');
  });
});
