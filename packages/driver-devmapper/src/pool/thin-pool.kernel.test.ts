import { execFileSync } from 'node:child_process';
import { open, stat, truncate } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { KernelBench, MIB, reasonOf } from '../device-mapper/kernel-bench.test-support.js';
import { removeDevice } from '../device-mapper/thin-devices.js';
import { blockDeviceNumber } from '../device-set/block-device.js';
import { createPool } from './create-pool.js';
import { assertFreeSpace } from './free-space.js';
import { findPoolLoops } from './pool-loops.js';
import { assertMutable } from './pool-usability.js';
import { resizePool } from './resize-pool.js';
import type { ThinPool } from './thin-pool.js';

const BLOCK = 65536;

describe('thin pools of the kernel', () => {
  let bench: KernelBench;

  beforeEach(async () => {
    bench = await KernelBench.open();
  });
  afterEach(async () => {
    await bench[Symbol.asyncDispose]();
    expect(execFileSync('dmsetup', ['ls'], { encoding: 'utf8' })).toBe('No devices found\n');
    expect(execFileSync('losetup', ['-a'], { encoding: 'utf8' })).toBe('');
  });

  /** Writes whole blocks; gives the errno that stopped it. */
  async function write(path: string, bytes: number, from = 0): Promise<string | undefined> {
    await using file = await open(path, 'r+');
    const block = Buffer.alloc(BLOCK, 0xaa);
    try {
      for (let at = from; at < from + bytes; at += BLOCK) await file.write(block, 0, BLOCK, at);
      await file.sync();
      return undefined;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code;
    }
  }

  const used = async (pool: ThinPool): Promise<number> => {
    const status = assertMutable(await pool.status(), pool.name);
    return status.data.used;
  };

  it('are empty, writable and unchecked when new; the table reads back as planned', async () => {
    const { pool, plan } = await bench.pool();
    expect(await pool.status()).toEqual({
      state: 'active',
      transactionId: 0,
      metadata: { used: expect.any(Number), total: 1024 },
      data: { used: 0, total: 1024 },
      heldMetadataRoot: undefined,
      mode: 'rw',
      discards: 'passdown',
      whenFull: 'queue',
      needsCheck: false,
      metadataLowWater: expect.any(Number),
    });
    expect(await pool.status({ noFlush: true })).toMatchObject({ state: 'active' });
    const number = async (path: string) => {
      const { major, minor } = await blockDeviceNumber(path);
      return `${major}:${minor}`;
    };
    expect(await pool.table()).toEqual({
      sectors: (64 * MIB) / 512,
      metadataDevice: await number(plan.metadataDevice),
      dataDevice: await number(plan.dataDevice),
      blockSectors: 128,
      lowWater: 102,
      errorIfNoSpace: false,
    });
  });

  it('answer messages as the simulator does', async () => {
    const { pool } = await bench.pool();
    await pool.createThin(0);
    await pool.createThin(0xffffff);
    expect(await reasonOf(pool.createThin(0))).toBe('DeviceIDExists');
    expect(await reasonOf(pool.createThin(0x1000000))).toBe('TaskRun');
    await pool.createSnap(1, 0);
    expect(await reasonOf(pool.createSnap(1, 0))).toBe('DeviceIDExists');
    expect(await reasonOf(pool.createSnap(2, 77))).toBe('NoData');
    await pool.setTransactionId(0, 1);
    expect(await reasonOf(pool.setTransactionId(0, 1))).toBe('TaskRun');
    await pool.reserveMetadataSnapshot();
    expect(await reasonOf(pool.reserveMetadataSnapshot())).toBe('Busy');
    expect(await pool.status()).toMatchObject({ transactionId: 1, heldMetadataRoot: expect.any(Number) });
    await pool.releaseMetadataSnapshot();
    expect(await reasonOf(pool.releaseMetadataSnapshot())).toBe('TaskRun');
    const { name } = await bench.thin(pool, 1);
    expect(await reasonOf(pool.deleteThin(1))).toBe('Busy');
    expect(await reasonOf(bench.deviceMapper.remove(pool.name))).toBe('Busy');
    await removeDevice(bench.deviceMapper, name);
    expect(await pool.deleteThin(1)).toBe('deleted');
    expect(await pool.deleteThin(1)).toBe('absent');
    expect(await reasonOf(bench.thin(pool, 1))).toBe('NoData');
  });

  it('keep their content over removal, and refuse another block size', async () => {
    const { pool, plan } = await bench.pool({ name: 'bench-kept' });
    await pool.createThin(7);
    await pool.setTransactionId(0, 1);
    await removeDevice(bench.deviceMapper, pool.name);
    await using data = await bench.loop('bench-kept-data', 64 * MIB);
    await using metadata = await bench.loop('bench-kept-metadata', 4 * MIB);
    const again = { ...plan, dataDevice: data.path, metadataDevice: metadata.path };
    await expect(createPool(bench.deviceMapper, { ...again, blockSectors: 256 })).rejects.toMatchObject({
      code: 'DRIVER_POOL_UNUSABLE',
      errno: 'EINVAL',
    });
    expect(await bench.deviceMapper.info(pool.name)).toBeUndefined();
    await createPool(bench.deviceMapper, again);
    expect(await pool.status()).toMatchObject({ transactionId: 1 });
    expect(await reasonOf(pool.createThin(7))).toBe('DeviceIDExists');
  });

  it('refuse a data device that became smaller, and metadata that is none', async () => {
    const { pool, plan } = await bench.pool({ name: 'bench-shrunk' });
    await pool.createThin(1);
    const { name, path } = await bench.thin(pool, 1);
    expect(await write(path, MIB)).toBeUndefined();
    await removeDevice(bench.deviceMapper, name);
    await removeDevice(bench.deviceMapper, pool.name);
    const metadata = await bench.loop('bench-shrunk-metadata', 4 * MIB);
    const data = await bench.loop('bench-shrunk-data', 64 * MIB);
    await data.close();
    await truncate(data.file, 32 * MIB);
    await using smaller = await bench.loops.attach(data.file);
    await expect(
      createPool(bench.deviceMapper, {
        ...plan,
        dataDevice: smaller.path,
        metadataDevice: metadata.path,
        dataBytes: 32 * MIB,
      }),
    ).rejects.toMatchObject({ code: 'DRIVER_POOL_UNUSABLE' });
    await metadata.close();
    await using rubbish = await bench.loop('rubbish', 4 * MIB);
    await write(rubbish.path, BLOCK);
    const onRubbish = {
      ...plan,
      dataDevice: smaller.path,
      metadataDevice: rubbish.path,
      dataBytes: 32 * MIB,
    };
    await expect(createPool(bench.deviceMapper, onRubbish)).rejects.toMatchObject({
      code: 'DRIVER_POOL_UNUSABLE',
      errno: 'ENOTBLK',
    });
    expect(await bench.deviceMapper.info(plan.name)).toBeUndefined();
  });

  it('are recognised by their loop devices, and grow while they are in use', async () => {
    const { pool, plan } = await bench.pool({ name: 'bench-grown' });
    await pool.createThin(1);
    const { path } = await bench.thin(pool, 1, 128 * MIB);
    const files = {
      data: `${bench.directory}/bench-grown-data`,
      metadata: `${bench.directory}/bench-grown-metadata`,
    };
    const warnings: string[] = [];
    const { data, metadata } = await findPoolLoops(
      bench.loops,
      await pool.table(),
      files,
      blockDeviceNumber,
      (message) => warnings.push(message),
    );
    expect({ data, metadata, warnings }).toEqual({
      data: { device: plan.dataDevice, file: files.data },
      metadata: { device: plan.metadataDevice, file: files.metadata },
      warnings: [],
    });
    if (data === undefined || metadata === undefined) throw new Error('not found');
    await resizePool(bench.deviceMapper, pool, bench.loops, {
      data: { loop: data, size: 128 * MIB },
      metadata: { loop: metadata, size: 8 * MIB },
    });
    expect(await pool.status()).toMatchObject({
      data: { total: 2048 },
      metadata: { total: 2048 },
      mode: 'rw',
    });
    expect(await write(path, 80 * MIB)).toBeUndefined();
    expect(await used(pool)).toBe(1280);
  });

  it('give their blocks back to the file only when they are discarded', async () => {
    const { pool } = await bench.pool({ name: 'bench-discard' });
    await pool.createThin(1);
    const { name, path } = await bench.thin(pool, 1);
    await write(path, 16 * MIB);
    const file = `${bench.directory}/bench-discard-data`;
    const occupied = async (): Promise<number> => (await stat(file)).blocks * 512;
    expect(await occupied()).toBeGreaterThanOrEqual(16 * MIB);
    await bench.fileSystems.discard(path);
    expect(await used(pool)).toBe(0);
    expect(await occupied()).toBeLessThan(4 * MIB);
    await removeDevice(bench.deviceMapper, name);
  });

  it('that are full fail writes when they are told to, still create and delete, and recover', async () => {
    const { pool } = await bench.pool({ data: 16 * MIB, errorIfNoSpace: true });
    await pool.createThin(1);
    const { name, path } = await bench.thin(pool, 1);
    expect(await pool.status()).toMatchObject({ whenFull: 'error' });
    expect(['ENOSPC', 'EIO']).toContain(await write(path, 32 * MIB));
    const full = assertMutable(await pool.status(), pool.name);
    expect(full).toMatchObject({ mode: 'out_of_data_space', data: { used: 256, total: 256 } });
    expect(() => assertFreeSpace(full, 10)).toThrow(expect.objectContaining({ code: 'DRIVER_POOL_FULL' }));
    await pool.createThin(2);
    expect(await pool.deleteThin(2)).toBe('deleted');
    await removeDevice(bench.deviceMapper, name);
    expect(await pool.deleteThin(1)).toBe('deleted');
    expect(await pool.status()).toMatchObject({ mode: 'rw', data: { used: 0 } });
  });

  it('that are full and queue go on when they grow', async () => {
    const { pool, plan } = await bench.pool({ name: 'bench-queue', data: 16 * MIB });
    await pool.createThin(1);
    const { path } = await bench.thin(pool, 1);
    const writing = write(path, 24 * MIB);
    for (;;) {
      const { mode } = assertMutable(await pool.status({ noFlush: true }), pool.name);
      if (mode === 'out_of_data_space') break;
    }
    const loop = { device: plan.dataDevice, file: `${bench.directory}/bench-queue-data` };
    await resizePool(bench.deviceMapper, pool, bench.loops, { data: { loop, size: 64 * MIB } });
    expect(await writing).toBeUndefined();
    expect(await pool.status()).toMatchObject({ mode: 'rw', data: { used: 384 } });
  });

  it('without metadata space turn read-only, and say what to do', async () => {
    // The least metadata that dm-thin takes.
    const { pool } = await bench.pool({ data: 256 * MIB, metadata: 2 * MIB });
    let refused: unknown;
    for (let id = 0; id < 4000 && refused === undefined; id += 1) {
      try {
        await pool.createThin(id);
        if (id % 8 === 0) await pool.reserveMetadataSnapshot();
        if (id % 8 === 1) await pool.releaseMetadataSnapshot();
      } catch (error) {
        refused = error;
      }
    }
    const status = await pool.status();
    expect({ refused, status }).toMatchObject({ refused: { code: 'DRIVER_FAILED' } });
    expect(() => assertMutable(status, pool.name)).toThrow(
      expect.objectContaining({ code: 'DRIVER_POOL_UNUSABLE' }),
    );
  });
});
