import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { SimulatedMachine, SMALL } from './device-set/simulated-machine.test-support.js';
import { DevmapperDriver } from './devmapper-driver.js';
import { devicemapperDriver } from './factory.js';
import { checkDevices } from './inspection/check-devices.js';
import { deviceStatus } from './inspection/device-status.js';

const MIB = 1 << 20;

async function opened(machine: SimulatedMachine): Promise<DevmapperDriver> {
  const driver = new DevmapperDriver({ ...SMALL, home: machine.home, host: machine.host() });
  await driver.open();
  return driver;
}

describe('the devicemapper driver', () => {
  it('gives the directory rootfs of a layer, with the id beside it', async () => {
    await using machine = await SimulatedMachine.start();
    await using driver = await opened(machine);
    await driver.create('a');
    const path = await driver.get('a');
    expect(path).toBe(join(machine.home, 'mnt/a/rootfs'));
    expect(await driver.get('a')).toBe(path);
    expect(statSync(path).mode & 0o777).toBe(0o755);
    const id = join(machine.home, 'mnt/a/id');
    expect([readFileSync(id, 'utf8'), statSync(id).mode & 0o777]).toEqual(['a', 0o600]);
    await driver.put('a');
    expect(machine.fileSystems.mounts.size).toBe(1);
    await driver.put('a');
    expect(machine.fileSystems.mounts.size).toBe(0);
    expect(await driver.deviceSet.hasActivatedDevice('a')).toBe(false);
  });

  it('mounts with the label it is given, and takes a failed mount back', async () => {
    await using machine = await SimulatedMachine.start();
    await using driver = await opened(machine);
    await driver.create('a');
    machine.fileSystems.failures.set('mount', new Error('mount failed'));
    await expect(driver.get('a')).rejects.toMatchObject({ code: 'DRIVER_FAILED' });
    expect(await driver.deviceSet.hasActivatedDevice('a')).toBe(false);
    await driver.get('a', { mountLabel: 'system_u:object_r:x:s0' });
    expect(machine.fileSystems.mounts.get(join(machine.home, 'mnt/a'))?.options).toEqual({
      type: 'ext4',
      mountOptions: [],
      mountLabel: 'system_u:object_r:x:s0',
    });
  });

  it('takes a size for layers of both kinds, but only one that the parent fits into', async () => {
    await using machine = await SimulatedMachine.start();
    await using driver = await opened(machine);
    await driver.create('a', undefined, { storageOpt: { size: '80M' } });
    await driver.createReadWrite('b', 'a', { storageOpt: { Size: '96m' } });
    expect(await driver.metadata('b')).toEqual({
      DeviceId: '3',
      DeviceSize: String(96 * MIB),
      DeviceName: driver.deviceSet.core.names.of('b'),
    });
    const small = driver.create('c', 'b', { storageOpt: { size: '80M' } });
    await expect(small).rejects.toMatchObject({ code: 'OPTION_INVALID', option: 'size' });
    const unknown = driver.create('c', 'b', { storageOpt: { sise: '80M' } });
    await expect(unknown).rejects.toMatchObject({ code: 'OPTION_UNKNOWN' });
    const none = driver.create('c', 'b', { storageOpt: { size: 'much' } });
    await expect(none).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    expect(await driver.list()).toEqual(['a', 'b']);
  });

  it.each(['base', 'deviceset-metadata', 'transaction-metadata', 'x.migrated', 'x.corrupt'])(
    'keeps the id %s for itself',
    async (id) => {
      await using machine = await SimulatedMachine.start();
      await using driver = await opened(machine);
      await expect(driver.create(id)).rejects.toMatchObject({ code: 'DRIVER_ID_INVALID' });
    },
  );

  it('takes ids that are longer than the name of a device may be', async () => {
    await using machine = await SimulatedMachine.start();
    await using driver = await opened(machine);
    for (const last of ['a', 'b']) {
      const id = 'x'.repeat(199) + last;
      await driver.create(id);
      await driver.withMount(id, async () => undefined);
    }
    expect(await driver.list()).toHaveLength(2);
  });

  it('says of itself what docker info shows, in its order', async () => {
    await using machine = await SimulatedMachine.start();
    await using driver = await opened(machine);
    const status = await driver.status();
    expect(status.map(([name]) => name).slice(0, 5)).toEqual([
      'Pool Name',
      'Pool Blocksize',
      'Base Device Size',
      'Backing Filesystem',
      'Udev Sync Supported',
    ]);
    expect(Object.fromEntries(status)).toMatchObject({
      'Base Device Size': '67.11MB',
      'Backing Filesystem': 'ext4',
      'Data file': '/dev/loop0',
      'Data loop file': join(machine.home, 'devicemapper/data'),
      'Metadata Space Total': '4.194MB',
    });
  });

  it('tells what a device takes, also one that nothing was written to, and leaves it as it was', async () => {
    await using machine = await SimulatedMachine.start();
    await using driver = await opened(machine);
    await driver.create('a');
    const status = await deviceStatus(driver.deviceSet, 'a');
    expect(status).toMatchObject({ deviceId: 2, size: 64 * MIB, transactionId: 2, sizeInSectors: 131072 });
    expect(await driver.deviceSet.hasActivatedDevice('a')).toBe(false);
    await expect(deviceStatus(driver.deviceSet, 'b')).rejects.toMatchObject({ code: 'DRIVER_ID_UNKNOWN' });
  });

  it('finds what the pool has lost, and what is in it that nothing here owns', async () => {
    await using machine = await SimulatedMachine.start();
    await using driver = await opened(machine);
    await driver.create('kept');
    await driver.create('lost');
    expect(await checkDevices(driver.deviceSet)).toEqual({ lost: [], unowned: [] });
    machine.pool(driver.deviceSet).thins.delete(3);
    await driver.deviceSet.core.pool.createThin(77);
    expect(await checkDevices(driver.deviceSet)).toEqual({ lost: ['lost'], unowned: [77] });
    expect(await driver.list()).toEqual(['kept', 'lost']);
  });

  it('tells what it asks of the device mapper, as much as it is told to', async () => {
    await using machine = await SimulatedMachine.start();
    const calls: string[] = [];
    const onLog = (level: number, message: string): void => {
      calls.push(`${level} ${message}`);
    };
    const options = { ...SMALL, home: machine.home, host: machine.host(), onLog };
    await using quiet = new DevmapperDriver(options);
    await quiet.open();
    await quiet.close();
    expect(calls).toEqual([]);
    await using driver = new DevmapperDriver({ ...options, logLevel: 6 });
    await driver.open();
    expect(calls.some((line) => line.startsWith('6 ') && line.includes('tableLoad'))).toBe(true);
    expect(calls.some((line) => line.startsWith('7 '))).toBe(false);
  });

  it('keeps mounts and pool when it is closed so, and gives everything back otherwise', async () => {
    await using machine = await SimulatedMachine.start();
    const first = await opened(machine);
    await first.create('a');
    await first.get('a');
    await first.close({ mounts: 'keep' });
    expect(machine.kernel.devices.size).toBe(2);
    const second = await opened(machine);
    expect(await second.list()).toEqual(['a']);
    await second.close();
    expect(machine.kernel.devices.size).toBe(0);
    expect(() => second.deviceSet).toThrow(expect.objectContaining({ code: 'DRIVER_CLOSED' }));
  });

  it('keeps no pool when it is closed so with nothing mounted', async () => {
    await using machine = await SimulatedMachine.start();
    const driver = await opened(machine);
    await driver.create('a');
    await driver.withMount('a', () => Promise.resolve());
    await driver.close({ mounts: 'keep' });
    expect([...machine.kernel.devices.keys()]).toEqual([]);
    expect(await machine.loops.find(join(machine.home, 'devicemapper', 'data'))).toBeUndefined();
  });

  it('cleans up without losing a layer or itself', async () => {
    await using machine = await SimulatedMachine.start();
    await using driver = await opened(machine);
    await driver.create('a');
    await driver.get('a');
    await driver.cleanup();
    expect([...machine.kernel.devices.keys()]).toEqual([driver.deviceSet.core.pool.name]);
    await driver.withMount('a', async (path) => expect(existsSync(path)).toBe(true));
  });
});

describe('devicemapper made by name', () => {
  const home = '/nowhere/devicemapper';

  it('takes its options as text', () => {
    const options = { 'dm.fs': 'xfs', 'DM.BASESIZE': '20G', 'dm.mountopt': 'noatime', blkdiscard: 'false' };
    expect(devicemapperDriver.create({ home, options }).name).toBe('devicemapper');
  });

  it.each([
    ['an option it does not have', { 'dm.sf': 'ext4' }, 'OPTION_UNKNOWN'],
    ['a file system it does not make', { 'dm.fs': 'btrfs' }, 'OPTION_INVALID'],
    ['a size that is none', { 'dm.basesize': 'much' }, 'OPTION_INVALID'],
  ])('refuses %s', (_what, options, code) => {
    expect(() => devicemapperDriver.create({ home, options })).toThrow(expect.objectContaining({ code }));
  });

  it('refuses a home that is not absolute, and an unknown option of the constructor', () => {
    const relative = (): DevmapperDriver => new DevmapperDriver({ home: 'relative' });
    expect(relative).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    const unknown = (): DevmapperDriver => new DevmapperDriver({ home, fs: 'ext4' } as never);
    expect(unknown).toThrow(expect.objectContaining({ code: 'OPTION_UNKNOWN' }));
  });
});

describe('probe', () => {
  it('says what is missing and how to get it, or that nothing is', async () => {
    const result = await devicemapperDriver.probe('/tmp/no/such/home');
    if (result.supported) return;
    expect(result.code).toBe('DRIVER_NOT_SUPPORTED');
    expect(`${result.reason} ${result.remedy}`).toMatch(/dm_thin_pool|addon|native/);
    expect(existsSync('/tmp/no')).toBe(false);
  });
});
