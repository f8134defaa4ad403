import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { IoctlDeviceMapper } from '../device-mapper/ioctl-device-mapper.js';
import type { DevmapperDriver } from '../devmapper-driver.js';
import { KernelLoopDevices } from '../loop/kernel-loop-devices.js';
import { poolTarget } from '../pool/pool-table.js';
import { ThinPool } from '../pool/thin-pool.js';
import { activeDevices, attachedLoops, DriverBench } from './driver-bench.test-support.js';

const MIB = 1024 ** 2;

describe('what a dead process left suspended on a real kernel', () => {
  let bench: DriverBench;
  let deviceMapper: IoctlDeviceMapper;

  beforeEach(async () => {
    bench = await DriverBench.open();
    deviceMapper = await IoctlDeviceMapper.open();
  });
  afterEach(async () => {
    await deviceMapper.close();
    await bench[Symbol.asyncDispose]();
    expect(activeDevices()).toEqual([]);
    expect(attachedLoops()).toEqual([]);
  });

  /** A pool outlives its process where something is mounted. */
  const mountLayer = async (dying: DevmapperDriver): Promise<void> => {
    await dying.create('a');
    await dying.get('a');
  };

  const deviceOf = (end: string): string => {
    const name = activeDevices().find((candidate) => candidate.endsWith(end));
    if (name === undefined) throw new Error(`no device ends with ${end}`);
    return name;
  };

  it('a layer goes on: writing to its file system works again (C5)', async () => {
    const dying = await bench.driver();
    await dying.create('a');
    const path = await dying.get('a');
    const name = deviceOf('-a');
    await dying.close({ mounts: 'keep' });
    await deviceMapper.suspend(name);
    const again = await bench.driver();
    expect(await deviceMapper.info(name)).toMatchObject({ suspended: false });
    writeFileSync(join(path, 'file'), 'written');
    execFileSync('sync', ['-f', path]);
    await again.create('b', 'a');
    expect(await again.list()).toEqual(['a', 'b']);
  });

  it('a pool goes on, with the larger table that was loaded (R1)', async () => {
    const dying = await bench.driver();
    await mountLayer(dying);
    const name = deviceOf('-pool');
    const pool = new ThinPool(deviceMapper, name);
    await dying.close({ mounts: 'keep' });
    const file = join(bench.home, 'devicemapper', 'data');
    const loops = new KernelLoopDevices();
    await truncate(file, 320 * MIB);
    await loops.updateCapacity((await loops.find(file)) ?? '');
    const table = await pool.table();
    await deviceMapper.suspend(name);
    await deviceMapper.tableLoad(name, [poolTarget({ ...table, sectors: (320 * MIB) / 512 })]);
    const again = await bench.driver();
    expect(await deviceMapper.info(name)).toMatchObject({ suspended: false, inactiveTable: false });
    expect(await pool.status()).toMatchObject({ data: { total: (320 * MIB) / 65536 } });
    await again.create('b', 'a');
  });

  it('a pool goes on with its old table when the kernel refuses the one that was loaded', async () => {
    const dying = await bench.driver();
    await mountLayer(dying);
    const name = deviceOf('-pool');
    const pool = new ThinPool(deviceMapper, name);
    await dying.close({ mounts: 'keep' });
    const table = await pool.table();
    // Shorter than what is in use.
    await deviceMapper.tableLoad(name, [poolTarget({ ...table, sectors: 128 })]);
    const again = await bench.driver();
    expect(await deviceMapper.info(name)).toMatchObject({ suspended: false, inactiveTable: false });
    expect(await pool.table()).toEqual(table);
    await again.create('b', 'a');
  });

  it('a metadata snapshot that is held is released', async () => {
    const dying = await bench.driver();
    await mountLayer(dying);
    const pool = new ThinPool(deviceMapper, deviceOf('-pool'));
    await dying.close({ mounts: 'keep' });
    await pool.reserveMetadataSnapshot();
    await bench.driver();
    expect(await pool.status()).toMatchObject({ heldMetadataRoot: undefined });
  });
});
