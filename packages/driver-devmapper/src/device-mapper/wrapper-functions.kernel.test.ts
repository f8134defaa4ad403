import { mkdtemp, open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ThinPool } from '../pool/thin-pool.js';
import { KernelBench, MIB, reasonOf } from './kernel-bench.test-support.js';
import { Task } from './task.js';
import {
  blockDeviceDiscard,
  findLoopDeviceFor,
  getBlockDeviceSize,
  getLoopbackBackingFile,
  loopbackSetCapacity,
  mounted,
  probeFsType,
  removeDevice,
} from './wrapper-functions.js';

describe('the functions of the old package', () => {
  let bench: KernelBench;

  beforeEach(async () => {
    bench = await KernelBench.open();
  });
  afterEach(async () => {
    await bench[Symbol.asyncDispose]();
  });

  it('tell about block and loop devices', async () => {
    await using loop = await bench.loop('image', 8 * MIB);
    expect(await getBlockDeviceSize(loop.path)).toBe(8 * MIB);
    expect(await findLoopDeviceFor(loop.file)).toBe(loop.path);
    expect(await reasonOf(getBlockDeviceSize(loop.file))).toBe('GetBlockSize');
    await using device = await open(loop.path, 'r');
    await using file = await open(loop.file, 'r+');
    const { dev, ino } = await file.stat({ bigint: true });
    expect(await getLoopbackBackingFile(device)).toEqual({ device: dev, inode: ino });
    expect(await reasonOf(getLoopbackBackingFile(file))).toBe('GetLoopbackBackingFile');
    await file.truncate(9 * MIB);
    await loopbackSetCapacity(loop.path);
    expect(await getBlockDeviceSize(loop.path)).toBe(9 * MIB);
  });

  it('make, probe, mount, discard and remove a thin device by tasks', async () => {
    const { pool } = await bench.pool();
    const run = async (task: Task): Promise<void> => task.run();
    await run(new Task(bench.deviceMapper, 'DeviceTargetMsg').setName(pool.name).setMessage('create_thin 1'));
    const name = `${pool.name}-thin-task`;
    const path = `/dev/mapper/${pool.name}`;
    const { major, minor } = (await bench.deviceMapper.info(pool.name)) ?? {};
    const create = new Task(bench.deviceMapper, 'DeviceCreate')
      .setName(name)
      .addTarget(0, (32 * MIB) / 512, 'thin', `${major}:${minor} 1`);
    await run(create);
    expect(create.getInfo()).toMatchObject({ exists: 1, liveTable: 1, suspended: 0 });
    const status = new Task(bench.deviceMapper, 'DeviceStatus').setName(path);
    await run(status);
    expect(status.getNextTarget(0)).toMatchObject({ type: 'thin-pool' });
    const node = await bench.deviceMapper.devicePath(name);
    await bench.fileSystems.make(node, 'ext4', []);
    expect(await probeFsType(node)).toBe('ext4');
    const mountPoint = await mkdtemp(join(bench.directory, 'mnt-'));
    expect(await mounted(mountPoint)).toBe(false);
    await bench.fileSystems.mount(node, mountPoint, { type: 'ext4', mountOptions: [] });
    expect(await mounted(mountPoint)).toBe(true);
    await bench.fileSystems.unmount(mountPoint);
    await blockDeviceDiscard(node);
    await expect(probeFsType(node)).rejects.toMatchObject({ code: 'DRIVER_FAILED' });
    expect(await new ThinPool(bench.deviceMapper, pool.name).status()).toMatchObject({ data: { used: 0 } });
    await removeDevice(bench.deviceMapper, name);
    expect(await bench.deviceMapper.info(name)).toBeUndefined();
  });
});
