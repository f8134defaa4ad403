import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DeviceMapper } from '../device-mapper/device-mapper.js';
import { deviceMapperReason } from '../device-mapper/device-mapper-error.js';
import { SimulatedKernel } from '../device-mapper/simulator.test-support.js';
import { SimulatedLoops } from '../loop/simulated-loops.test-support.js';
import { createPool, isBlockSize, type PoolPlan } from './create-pool.js';
import { assertFreeSpace } from './free-space.js';
import { parsePoolStatus } from './parse-pool-status.js';
import { findPoolLoops } from './pool-loops.js';
import type { ActivePoolStatus } from './pool-status.js';
import { assertGrowable, assertMutable, assertUnusedPool } from './pool-usability.js';
import { resizePool } from './resize-pool.js';
import { ThinPool } from './thin-pool.js';

const MIB = 1024 ** 2;
const unusable = expect.objectContaining({ code: 'DRIVER_POOL_UNUSABLE', subject: 'pool' });

function status(params: string): ActivePoolStatus {
  const parsed = parsePoolStatus(params);
  if (parsed.state !== 'active') throw new Error('not active');
  return parsed;
}

describe('the free-space gate', () => {
  it.each([
    ['0 50/100 90/100 - rw', 10],
    ['0 90/100 50/100 - rw', 10],
    ['0 0/3 0/3 - rw', 10],
    ['0 100/100 100/100 - rw', 0],
    ['0 0/0 0/0 - rw', 0],
  ])('lets "%s" through at %d %%', (params, percent) => {
    expect(() => assertFreeSpace(status(params), percent)).not.toThrow();
  });

  it.each([
    ['0 50/100 91/100 - rw', 10, 'data'],
    ['0 91/100 50/100 - rw', 10, 'metadata'],
    ['0 0/9 9/9 - rw', 1, 'data'],
    ['0 0/0 0/0 - rw', 10, 'data'],
  ])('stops "%s" at %d %%: %s', (params, percent, what) => {
    expect(() => assertFreeSpace(status(params), percent)).toThrow(
      expect.objectContaining({
        code: 'DRIVER_POOL_FULL',
        errno: 'ENOSPC',
        message: expect.stringContaining(` free ${what} blocks`),
      }),
    );
  });
});

describe('a pool that takes changes', () => {
  it('is active, writable and needs no check; out of data space it can still delete', () => {
    for (const mode of ['rw', 'out_of_data_space']) {
      const active = parsePoolStatus(`0 1/2 3/4 - ${mode} discard_passdown queue_if_no_space -`);
      expect(assertMutable(active, 'pool')).toBe(active);
    }
    for (const params of [
      'Fail',
      'Error',
      '0 1/2 3/4 - ro discard_passdown queue_if_no_space -',
      '0 1/2 3/4 - rw discard_passdown queue_if_no_space needs_check',
    ]) {
      expect(() => assertMutable(parsePoolStatus(params), 'pool')).toThrow(unusable);
    }
  });

  it('is made larger also when it is read-only, but not when it needs a check', () => {
    const readOnly = parsePoolStatus('0 2/2 3/4 - ro discard_passdown queue_if_no_space -');
    expect(assertGrowable(readOnly, 'pool')).toBe(readOnly);
    for (const params of ['Fail', '0 2/2 3/4 - ro discard_passdown queue_if_no_space needs_check']) {
      expect(() => assertGrowable(parsePoolStatus(params), 'pool')).toThrow(unusable);
    }
  });

  it('may be taken over only unused', () => {
    expect(() => assertUnusedPool(status('0 5/100 0/100 - rw'), 'pool')).not.toThrow();
    expect(() => assertUnusedPool(status('0 5/100 1/100 - rw'), 'pool')).toThrow(unusable);
    expect(() => assertUnusedPool(status('1 5/100 0/100 - rw'), 'pool')).toThrow(unusable);
  });
});

describe('block sizes', () => {
  it('are multiples of 64 KiB up to 1 GiB', () => {
    expect([128, 256, 2097152].map(isBlockSize)).toEqual([true, true, true]);
    expect([0, 64, 129, 2097280, 128.5].map(isBlockSize)).toEqual([false, false, false, false, false]);
  });
});

describe('a pool on loop files', () => {
  let directory = '';
  let kernel: SimulatedKernel;
  let deviceMapper: DeviceMapper;
  let loops: SimulatedLoops;
  let count = 0;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pool-'));
  });
  afterAll(async () => {
    await rm(directory, { recursive: true });
  });

  interface Made {
    readonly pool: ThinPool;
    readonly plan: PoolPlan;
    readonly data: { readonly device: string; readonly file: string };
    readonly metadata: { readonly device: string; readonly file: string };
  }

  async function make(): Promise<Made> {
    count += 1;
    kernel = new SimulatedKernel();
    deviceMapper = kernel.deviceMapper();
    loops = new SimulatedLoops(kernel);
    const [dataFile, metadataFile] = [join(directory, `data-${count}`), join(directory, `meta-${count}`)];
    await loops.ensureImage(dataFile, 300 * MIB);
    await loops.ensureImage(metadataFile, 4 * MIB);
    await using data = await loops.attach(dataFile);
    await using metadata = await loops.attach(metadataFile);
    const plan: PoolPlan = {
      name: 'pool',
      dataDevice: data.path,
      metadataDevice: metadata.path,
      dataBytes: 300 * MIB,
      blockSectors: 128,
      errorIfNoSpace: false,
    };
    await createPool(deviceMapper, plan);
    return {
      pool: new ThinPool(deviceMapper, 'pool'),
      plan,
      data: { device: data.path, file: dataFile },
      metadata: { device: metadata.path, file: metadataFile },
    };
  }

  const numberOf = (path: string) => {
    const disk = kernel.disk(path);
    return disk === undefined ? Promise.reject(new Error('no such disk')) : Promise.resolve(disk);
  };

  it('keeps its loop devices until it is removed', async () => {
    const { pool, data } = await make();
    expect(await pool.status()).toMatchObject({ data: { used: 0, total: 4800 } });
    expect((await pool.table()).lowWater).toBe(480);
    expect(await loops.find(data.file)).toBe(data.device);
    await deviceMapper.remove('pool');
    expect(await loops.find(data.file)).toBeUndefined();
  });

  it('is refused with another block size than it was made with, and nothing is left', async () => {
    const { plan, data, metadata } = await make();
    await deviceMapper.remove('pool');
    await using again = await loops.attach(data.file);
    await using metadataAgain = await loops.attach(metadata.file);
    const changed = {
      ...plan,
      dataDevice: again.path,
      metadataDevice: metadataAgain.path,
      blockSectors: 256,
    };
    await expect(createPool(deviceMapper, changed)).rejects.toMatchObject({
      code: 'DRIVER_POOL_UNUSABLE',
      message: expect.stringContaining('dm.blocksize'),
    });
    expect(await deviceMapper.list()).toEqual([]);
  });

  it('on a device that is not there keeps the errno', async () => {
    const { plan } = await make();
    const missing = createPool(deviceMapper, { ...plan, name: 'other', dataDevice: '/dev/none' });
    expect(await missing.catch(deviceMapperReason)).toBe('TaskRun');
    await expect(missing).rejects.toMatchObject({ errno: 'ENODEV' });
  });

  it('grows in data and metadata while it is active', async () => {
    const { pool, data, metadata } = await make();
    await resizePool(deviceMapper, pool, loops, {
      data: { loop: data, size: 400 * MIB },
      metadata: { loop: metadata, size: 8 * MIB },
    });
    expect(await pool.status()).toMatchObject({ data: { total: 6400 }, metadata: { total: 2048 } });
    expect(await pool.table()).toMatchObject({ sectors: (400 * MIB) / 512, lowWater: 640 });
    expect((await stat(data.file)).size).toBe(400 * MIB);
    expect(kernel.calls).not.toContain('suspend pool');
  });

  it('is never made smaller, and no file is touched when one size is wrong', async () => {
    const { pool, data, metadata } = await make();
    const growth = {
      data: { loop: data, size: 200 * MIB },
      metadata: { loop: metadata, size: 8 * MIB },
    };
    await expect(resizePool(deviceMapper, pool, loops, growth)).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      path: data.file,
    });
    expect((await stat(metadata.file)).size).toBe(4 * MIB);
  });

  it('goes on with its old table when the kernel refuses the new one', async () => {
    const { pool, data } = await make();
    const before = await pool.table();
    class StuckLoops extends SimulatedLoops {
      override updateCapacity(): Promise<void> {
        return Promise.resolve();
      }
    }
    const growth = { data: { loop: data, size: 400 * MIB } };
    const growing = resizePool(deviceMapper, pool, new StuckLoops(kernel), growth);
    await expect(growing).rejects.toMatchObject({ errno: 'EINVAL' });
    expect(await pool.table()).toEqual(before);
    expect(await deviceMapper.info('pool')).toMatchObject({ suspended: false, inactiveTable: false });
  });

  it('is recognised by the numbers in its table (seed 003)', async () => {
    const { pool, data, metadata } = await make();
    const files = { data: data.file, metadata: metadata.file };
    const warnings: string[] = [];
    const warn = (message: string) => warnings.push(message);
    expect(await findPoolLoops(loops, await pool.table(), files, numberOf, warn)).toEqual({ data, metadata });
    expect(warnings).toEqual([]);
  });

  it('shows no loop files that belong to another pool, are not attached, or were not ours', async () => {
    const { pool } = await make();
    const other = join(directory, 'other');
    await writeFile(other, '');
    await loops.ensureImage(other, MIB);
    await using _foreign = await loops.attach(other);
    const found = await findPoolLoops(
      loops,
      await pool.table(),
      { data: other, metadata: undefined },
      numberOf,
      () => undefined,
    );
    expect(found).toEqual({ data: undefined, metadata: undefined });
  });

  it('a lookup that fails leaves its fields empty and is told', async () => {
    const { pool, data } = await make();
    const warnings: string[] = [];
    const found = await findPoolLoops(
      loops,
      await pool.table(),
      { data: data.file, metadata: undefined },
      () => Promise.reject(new Error('no sysfs')),
      (message) => warnings.push(message),
    );
    expect(found.data).toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining('no sysfs')]);
  });
});
