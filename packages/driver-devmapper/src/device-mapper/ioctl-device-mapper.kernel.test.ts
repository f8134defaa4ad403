import { execFileSync } from 'node:child_process';
import { open, readdir, rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { KernelBench, MIB, reasonOf } from './kernel-bench.test-support.js';
import {
  activateThin,
  cancelDeferredRemoval,
  createSnapshot,
  createWithTable,
  reloadTable,
  removeDevice,
  removeDeviceDeferred,
  waitClose,
  waitRemove,
} from './thin-devices.js';

const zero = (length: number, start = 0) => ({ start, length, type: 'zero', params: '' });

function dmsetup(...args: string[]): string {
  return execFileSync('dmsetup', args, { encoding: 'utf8' });
}

describe('the device mapper of the kernel', () => {
  let bench: KernelBench;

  beforeEach(async () => {
    bench = await KernelBench.open();
  });
  afterEach(async () => {
    await bench[Symbol.asyncDispose]();
    expect(dmsetup('ls')).toBe('No devices found\n');
    expect(execFileSync('losetup', ['-a'], { encoding: 'utf8' })).toBe('');
  });

  it('tells its version and its targets, as dmsetup does', async () => {
    const { major, minor, patch } = await bench.deviceMapper.driverVersion();
    expect(dmsetup('version')).toContain(`${major}.${minor}.${patch}`);
    expect(major).toBe(4);
    const targets = await bench.deviceMapper.listVersions();
    expect(targets.map(({ type }) => type)).toEqual(expect.arrayContaining(['thin-pool', 'thin', 'linear']));
    for (const { type, ...version } of targets) {
      const { major: first, minor: second, patch: third } = version;
      expect(dmsetup('targets')).toMatch(new RegExp(`^${type} +v${first}\\.${second}\\.${third}$`, 'm'));
    }
  });

  it('makes, fills, resumes, renames and removes a device', async () => {
    const { deviceMapper } = bench;
    const made = await deviceMapper.create('bench-a', { uuid: 'TEST-uuid' });
    expect(made).toMatchObject({ name: 'bench-a', uuid: 'TEST-uuid', liveTable: false, openCount: 0 });
    await deviceMapper.tableLoad('bench-a', [zero(8), zero(16, 8)]);
    expect(await deviceMapper.info('bench-a')).toMatchObject({ liveTable: false, inactiveTable: true });
    await deviceMapper.resume('bench-a');
    expect(await deviceMapper.info('bench-a')).toMatchObject({
      liveTable: true,
      inactiveTable: false,
      suspended: false,
      targetCount: 2,
      readOnly: false,
    });
    expect(await deviceMapper.tableStatus('bench-a')).toEqual([zero(8), zero(16, 8)]);
    expect(dmsetup('table', 'bench-a')).toBe('0 8 zero \n8 16 zero \n');
    expect(await deviceMapper.list()).toEqual([{ name: 'bench-a', major: made.major, minor: made.minor }]);
    await deviceMapper.rename('bench-a', 'bench-b');
    expect(await deviceMapper.info('bench-a')).toBeUndefined();
    await deviceMapper.remove('bench-b');
    expect(await deviceMapper.list()).toEqual([]);
  });

  it('suspends, and clears a table that is not live', async () => {
    const { deviceMapper } = bench;
    await createWithTable(deviceMapper, 'bench-a', [zero(8)]);
    await deviceMapper.suspend('bench-a');
    expect(await deviceMapper.info('bench-a')).toMatchObject({ suspended: true });
    await deviceMapper.tableLoad('bench-a', [zero(64)], { readOnly: true });
    await deviceMapper.clear('bench-a');
    await deviceMapper.resume('bench-a');
    expect(await deviceMapper.info('bench-a')).toMatchObject({ suspended: false, inactiveTable: false });
    await reloadTable(deviceMapper, 'bench-a', [zero(64)]);
    expect(await deviceMapper.tableStatus('bench-a')).toEqual([zero(64)]);
  });

  it('gives a reply that is longer than the first room for it', async () => {
    const targets = Array.from({ length: 1500 }, (_, index) => zero(8, 8 * index));
    await createWithTable(bench.deviceMapper, 'bench-a', targets);
    expect(await bench.deviceMapper.tableStatus('bench-a')).toEqual(targets);
  });

  it('refuses with the reasons that the driver tells apart', async () => {
    const { deviceMapper } = bench;
    await createWithTable(deviceMapper, 'bench-a', [zero(8)]);
    expect(await reasonOf(deviceMapper.create('bench-a'))).toBe('Busy');
    for (const call of [
      deviceMapper.remove('bench-x'),
      deviceMapper.suspend('bench-x'),
      deviceMapper.resume('bench-x'),
      deviceMapper.message('bench-x', 'hello'),
      deviceMapper.status('bench-x'),
      deviceMapper.deps('bench-x'),
      deviceMapper.devicePath('bench-x'),
      deviceMapper.cancelDeferredRemove('bench-x'),
    ]) {
      expect(await reasonOf(call)).toBe('Enxio');
    }
    const linear = { start: 0, length: 8, type: 'linear', params: '/dev/none 0' };
    const refused = createWithTable(deviceMapper, 'bench-b', [linear]);
    expect(await reasonOf(refused)).toBe('TaskRun');
    await expect(refused).rejects.toMatchObject({ code: 'DRIVER_FAILED', errno: 'ENODEV' });
    expect(await deviceMapper.info('bench-b')).toBeUndefined();
    expect(await reasonOf(deviceMapper.message('bench-a', 'hello'))).toBe('TaskRun');
    const path = await deviceMapper.devicePath('bench-a');
    await using _opener = await open(path, 'r');
    expect(await deviceMapper.info('bench-a')).toMatchObject({ openCount: 1 });
    expect(await reasonOf(deviceMapper.remove('bench-a'))).toBe('Busy');
    expect(await reasonOf(waitClose(deviceMapper, 'bench-a', { attempts: 2, delay: 1 }))).toBe('Busy');
  });

  it('gives a node that opens the device, and makes one where it is missing', async () => {
    const { deviceMapper } = bench;
    const { minor } = await createWithTable(deviceMapper, 'bench-a', [zero(8)]);
    const path = await deviceMapper.devicePath('bench-a');
    expect(path).toBe(`/dev/dm-${minor}`);
    await rm(path);
    expect(await deviceMapper.devicePath('bench-a')).toBe(path);
    await using file = await open(path, 'r');
    expect((await file.read(Buffer.alloc(512))).bytesRead).toBe(512);
  });

  it('makes the control node where it is missing', async () => {
    await rm('/dev/mapper/control');
    await using again = await KernelBench.open();
    expect(await again.deviceMapper.list()).toEqual([]);
    expect(await readdir('/dev/mapper')).toContain('control');
  });

  it('defers the removal of an open device, and takes that back', async () => {
    const { deviceMapper } = bench;
    const { pool } = await bench.pool();
    await pool.createThin(1);
    const { name, path } = await bench.thin(pool, 1);
    const opener = await open(path, 'r');
    expect(await removeDeviceDeferred(deviceMapper, name)).toBe('deferred');
    expect(await deviceMapper.info(name)).toMatchObject({ deferredRemove: true, openCount: 1 });
    expect(await cancelDeferredRemoval(deviceMapper, name)).toBe('kept');
    expect(await cancelDeferredRemoval(deviceMapper, name)).toBe('kept');
    expect(await deviceMapper.info(name)).toMatchObject({ deferredRemove: false });
    expect(await removeDeviceDeferred(deviceMapper, name)).toBe('deferred');
    await opener.close();
    await waitRemove(deviceMapper, name, { delay: 1 });
    expect(await cancelDeferredRemoval(deviceMapper, name)).toBe('gone');
    expect(await removeDeviceDeferred(deviceMapper, name)).toBe('removed');
  });

  it('says which devices are below, and what happens on them', async () => {
    const { deviceMapper } = bench;
    const { pool, plan } = await bench.pool();
    const [dataMinor, metadataMinor] = [plan.dataDevice, plan.metadataDevice].map((path) =>
      Number(path.replace('/dev/loop', '')),
    );
    const below = await deviceMapper.deps(pool.name);
    expect(below.toSorted((a, b) => a.minor - b.minor)).toEqual(
      [dataMinor, metadataMinor].toSorted((a = 0, b = 0) => a - b).map((minor) => ({ major: 7, minor })),
    );
    await pool.createThin(1);
    const { name, path } = await bench.thin(pool, 1);
    const { major, minor } = (await deviceMapper.info(pool.name)) ?? {};
    expect(await deviceMapper.deps(name)).toEqual([{ major, minor }]);
    expect(await deviceMapper.status(name)).toEqual([
      { start: 0, length: (32 * MIB) / 512, type: 'thin', params: '0 -' },
    ]);
    await using file = await open(path, 'r+');
    await file.write(Buffer.alloc(4096, 1), 0, 4096, MIB);
    await file.sync();
    expect((await deviceMapper.status(name))[0]?.params).toBe(`128 ${MIB / 512 + 127}`);
  });

  it('waits for an event of the pool', async () => {
    const { deviceMapper } = bench;
    const { pool } = await bench.pool({ data: 16 * MIB });
    await pool.createThin(1);
    const { path } = await bench.thin(pool, 1);
    const before = await deviceMapper.info(pool.name);
    const event = deviceMapper.waitEvent(pool.name, before?.eventNumber ?? 0);
    await using file = await open(path, 'r+');
    // Below a tenth free: the low-water mark.
    await file.write(Buffer.alloc(15 * MIB, 1), 0, 15 * MIB, 0);
    await file.sync();
    expect((await event).eventNumber).toBeGreaterThan(before?.eventNumber ?? 0);
  });

  it('takes a snapshot of a device in use, frozen meanwhile', async () => {
    const { deviceMapper } = bench;
    const { pool } = await bench.pool();
    await pool.createThin(1);
    const origin = await bench.thin(pool, 1);
    await using file = await open(origin.path, 'r+');
    await file.write('written before', 0);
    await createSnapshot(deviceMapper, pool, { id: 2, originId: 1, originName: origin.name });
    expect(await deviceMapper.info(origin.name)).toMatchObject({ suspended: false });
    await file.write('written after ', 0);
    await file.sync();
    const snapshot = await bench.thin(pool, 2);
    await using copy = await open(snapshot.path, 'r');
    const { buffer } = await copy.read(Buffer.alloc(14), 0, 14, 0);
    expect(buffer.toString()).toBe('written before');
    const again = createSnapshot(deviceMapper, pool, { id: 2, originId: 1, originName: origin.name });
    expect(await reasonOf(again)).toBe('DeviceIDExists');
    expect(await deviceMapper.info(origin.name)).toMatchObject({ suspended: false });
  });

  it('reads what is not written from an external origin', async () => {
    const { deviceMapper } = bench;
    const { pool } = await bench.pool();
    await using origin = await bench.loop('origin', 8 * MIB);
    const writer = await open(origin.path, 'r+');
    await writer.write('from outside', 0);
    await writer.sync();
    await writer.close();
    await pool.createThin(1);
    await activateThin(deviceMapper, {
      name: 'bench-thin-external',
      pool: pool.name,
      deviceId: 1,
      size: 8 * MIB,
      externalOrigin: origin.path,
      readOnly: true,
    });
    expect(await deviceMapper.info('bench-thin-external')).toMatchObject({ readOnly: true });
    const file = await open(await deviceMapper.devicePath('bench-thin-external'), 'r');
    const { buffer } = await file.read(Buffer.alloc(12), 0, 12, 0);
    await file.close();
    await removeDevice(deviceMapper, 'bench-thin-external');
    expect(buffer.toString()).toBe('from outside');
  });

  it('has a geometry to set', async () => {
    await createWithTable(bench.deviceMapper, 'bench-a', [zero(16065)]);
    const geometry = { cylinders: 1, heads: 255, sectorsPerTrack: 63, start: 0 };
    await bench.deviceMapper.setGeometry('bench-a', geometry);
    const path = await bench.deviceMapper.devicePath('bench-a');
    const shown = execFileSync('blockdev', ['--report', path], { encoding: 'utf8' });
    expect(shown).toContain(path);
  });

  it('removes all that is not in use', async () => {
    const { deviceMapper } = bench;
    await createWithTable(deviceMapper, 'bench-a', [zero(8)]);
    await createWithTable(deviceMapper, 'bench-b', [zero(8)]);
    await deviceMapper.removeAll();
    expect(await deviceMapper.list()).toEqual([]);
  });
});
