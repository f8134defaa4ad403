import { mkdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { DeviceMapper } from '../device-mapper/device-mapper.js';
import { SimulatedMachine, SMALL } from './simulated-machine.test-support.js';

const MIB = 1 << 20;

const mountPoint = (machine: SimulatedMachine, id: string): string => join(machine.home, 'mnt', id);

/** An active pool on disks of its own, of blocks of 64 KiB, with nothing in it. */
async function otherPool(
  machine: SimulatedMachine,
  name: string,
  disks: { readonly data: string; readonly metadata: string } = { data: '/dev/sdx', metadata: '/dev/sdy' },
): Promise<DeviceMapper> {
  const mapper = machine.kernel.deviceMapper();
  machine.kernel.addDisk(disks.data, 256 * MIB);
  machine.kernel.addDisk(disks.metadata, 8 * MIB);
  await mapper.create(name);
  const params = `${disks.metadata} ${disks.data} 128 100 1 skip_block_zeroing`;
  await mapper.tableLoad(name, [{ start: 0, length: 256 * 2048, type: 'thin-pool', params }]);
  await mapper.resume(name);
  return mapper;
}

describe('an existing home', () => {
  it('is found again with everything in it, ids going on behind the last one', async () => {
    await using machine = await SimulatedMachine.start();
    const first = await machine.open();
    await first.addDevice('a', '');
    await first.deleteDevice('a', { sync: false });
    await first.addDevice('b', '');
    await first.close();
    const set = await machine.open();
    expect(set.layers()).toEqual(['b']);
    await set.addDevice('c', 'b');
    expect(set.core.table.get('c')?.deviceId).toBe(4);
    expect(machine.fileSystems.calls.filter((call) => call.startsWith('make'))).toHaveLength(1);
  });

  it('whose base device is another one is refused, and the pool goes again', async () => {
    await using machine = await SimulatedMachine.start();
    const set = await machine.open();
    await set.close();
    const path = join(machine.home, 'metadata', 'deviceset-metadata');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace(/"BaseDeviceUUID":"[^"]*"/, '"BaseDeviceUUID":"00000000-0000"'));
    await expect(machine.open()).rejects.toMatchObject({
      code: 'DRIVER_STATE_FOREIGN',
      expected: '00000000-0000',
    });
    expect([...machine.kernel.devices.keys()]).toEqual([]);
  });

  it('is refused another pool of the same name before that is recovered, and nothing of it is deleted', async () => {
    await using machine = await SimulatedMachine.start();
    const mapper = await otherPool(machine, 'theirs');
    const options = { ...SMALL, thinPoolDevice: 'theirs' };
    const set = await machine.open(options);
    await set.addDevice('a', '');
    await set.addDevice('b', '');
    await set.close();
    await mapper.remove('theirs');
    await otherPool(machine, 'theirs', { data: '/dev/sdu', metadata: '/dev/sdv' });
    for (const id of [2, 3]) await mapper.message('theirs', `create_thin ${id}`);
    // As if the last transaction of the home had not come to its end.
    await mapper.message('theirs', 'set_transaction_id 0 2');
    const before = await machine.state();
    await expect(machine.open(options)).rejects.toMatchObject({
      code: 'DRIVER_STATE_FOREIGN',
      message: expect.stringContaining('give the pool that the home was made with'),
    });
    expect(await machine.state()).toEqual(before);
  });

  it('of a release that recorded no uuid gets it recorded (B2)', async () => {
    await using machine = await SimulatedMachine.start();
    await (await machine.open()).close();
    const path = join(machine.home, 'metadata', 'deviceset-metadata');
    await writeFile(path, '{"next_device_id":1}');
    const set = await machine.open({ ...SMALL, fileSystem: 'xfs' });
    expect(set.core.record).toMatchObject({
      baseDeviceUuid: expect.stringMatching(/-/),
      baseDeviceFilesystem: 'ext4',
    });
    expect(machine.warnings.join()).toContain('dm.fs=xfs is passed over');
  });

  it('grows its base device when asked, for layers made from then on; less is refused', async () => {
    await using machine = await SimulatedMachine.start();
    const first = await machine.open();
    await first.addDevice('old', '');
    await first.close();
    const set = await machine.open({ ...SMALL, baseSize: 96 * MIB });
    await set.addDevice('new', '');
    expect([set.core.table.get('old')?.size, set.core.table.get('new')?.size]).toEqual([64 * MIB, 96 * MIB]);
    expect(machine.pool(set).thins.get(1)?.content?.size).toBe(96 * MIB);
    await set.close();
    await expect(machine.open(SMALL)).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      option: 'dm.basesize',
    });
  });

  it('with another block size than it was made with is refused before anything is touched', async () => {
    await using machine = await SimulatedMachine.start();
    await (await machine.open()).close();
    const before = machine.kernel.calls.length;
    await expect(machine.open({ ...SMALL, blockSize: 128 * 1024 })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      option: 'dm.blocksize',
    });
    expect(machine.kernel.calls.slice(before).filter((call) => call.startsWith('create'))).toEqual([]);
    await machine.open({ ...SMALL, blockSize: 64 * 1024 });
  });

  it('that was moved tells of devices that still have the old name', async () => {
    await using machine = await SimulatedMachine.start();
    await (await machine.open()).close();
    const file = join(machine.home, 'metadata/deviceset-metadata');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace(/"prefix":"[^"]*"/, '"prefix":"docker-8:1-77"'));
    await (await machine.open()).close();
    expect(machine.warnings.join()).toContain('docker-8:1-77-*');
    machine.warnings.length = 0;
    await machine.open();
    expect(machine.warnings.join()).not.toContain('moved');
  });

  it('whose pool is there already is refused another block size at once, not with the second start', async () => {
    await using machine = await SimulatedMachine.start();
    await otherPool(machine, 'theirs');
    const options = { ...SMALL, thinPoolDevice: 'theirs', blockSize: 128 * 1024 };
    await expect(machine.open(options)).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      option: 'dm.blocksize',
    });
    await machine.open({ ...options, blockSize: 64 * 1024 });
  });

  it('whose loop file is lost is refused, not begun anew', async () => {
    await using machine = await SimulatedMachine.start();
    await (await machine.open()).close();
    await rm(join(machine.home, 'devicemapper', 'data'));
    await expect(machine.open()).rejects.toMatchObject({ code: 'DRIVER_STATE_FOREIGN' });
  });

  it('whose loop file has lost its end is refused, and not filled up with zeros', async () => {
    await using machine = await SimulatedMachine.start();
    await (await machine.open()).close();
    for (const name of ['data', 'metadata']) {
      const file = join(machine.home, 'devicemapper', name);
      const { size } = await stat(file);
      await truncate(file, size - 4096);
      await expect(machine.open()).rejects.toMatchObject({ code: 'DRIVER_STATE_FOREIGN', path: file });
      expect((await stat(file)).size).toBe(size - 4096);
      await truncate(file, size);
    }
    await machine.open();
  });

  it('with a damaged record opens without that layer, and its id is never handed out', async () => {
    await using machine = await SimulatedMachine.start();
    const first = await machine.open();
    await first.addDevice('a', '');
    await first.addDevice('b', '');
    await first.close();
    await writeFile(join(machine.home, 'metadata', 'a'), '{"device_id":');
    const set = await machine.open();
    expect(set.layers()).toEqual(['b']);
    expect(machine.warnings.join()).toContain('a.corrupt');
    expect(set.core.ids.isUsed(2)).toBe(true);
    expect(machine.pool(set).thins.has(2)).toBe(true);
  });

  it('that another process has attached the loop files of is refused', async () => {
    await using machine = await SimulatedMachine.start();
    const set = await machine.open();
    await expect(machine.open({ ...SMALL, namePrefix: 'container' })).rejects.toMatchObject({
      code: 'DRIVER_BUSY',
    });
    await set.close();
  });

  it('takes an existing pool up, and a device of another type for none', async () => {
    await using machine = await SimulatedMachine.start();
    const first = await machine.open();
    await first.addDevice('a', '');
    const set = await machine.open();
    expect(set.layers()).toEqual(['a']);
    await set.close();
    const { pool } = first.core.names;
    const mapper = machine.kernel.deviceMapper();
    await mapper.create(pool);
    await mapper.tableLoad(pool, [{ start: 0, length: 8, type: 'linear', params: '8:1 0' }]);
    await mapper.resume(pool);
    await expect(machine.open()).rejects.toMatchObject({ code: 'DRIVER_POOL_UNUSABLE' });
  });

  it('of Docker 0.7 is migrated', async () => {
    await using machine = await SimulatedMachine.start();
    const first = await machine.open();
    await first.addDevice('a', '');
    await first.close();
    const records = join(machine.home, 'metadata');
    const base = JSON.parse(await readFile(join(records, 'base'), 'utf8')) as object;
    const a = JSON.parse(await readFile(join(records, 'a'), 'utf8')) as object;
    await rm(records, { recursive: true });
    await mkdir(join(machine.home, 'devicemapper'), { recursive: true });
    await writeFile(join(machine.home, 'devicemapper', 'json'), JSON.stringify({ Devices: { '': base, a } }));
    const set = await machine.open();
    expect(set.layers()).toEqual(['a']);
    await set.addDevice('b', 'a');
  });
});

describe('a pool of somebody else', () => {
  it('is refused when there is something in it', async () => {
    await using machine = await SimulatedMachine.start();
    const mapper = await otherPool(machine, 'theirs');
    await mapper.message('theirs', 'set_transaction_id 0 1');
    await mapper.message('theirs', 'reserve_metadata_snap');
    const options = { ...SMALL, thinPoolDevice: 'theirs' };
    await expect(machine.open(options)).rejects.toMatchObject({ code: 'DRIVER_POOL_UNUSABLE' });
    // What somebody else has in hand stays so.
    expect(machine.kernel.pool('theirs').heldRoot).toBeDefined();
    await mapper.message('theirs', 'release_metadata_snap');
    await mapper.message('theirs', 'set_transaction_id 1 0');

    // An empty one is taken, and neither made nor removed nor grown.
    const set = await machine.open(options);
    await set.addDevice('a', '');
    await expect(set.growPool({ data: 512 * MIB })).rejects.toMatchObject({ code: 'DRIVER_NOT_SUPPORTED' });
    await set.close();
    expect([...machine.kernel.devices.keys()]).toEqual(['theirs']);
    expect((await machine.open(options)).layers()).toEqual(['a']);
  });

  it('that is not active is an error that says so', async () => {
    await using machine = await SimulatedMachine.start();
    await expect(machine.open({ ...SMALL, thinPoolDevice: 'vg-pool' })).rejects.toMatchObject({
      code: 'DRIVER_POOL_UNUSABLE',
      option: 'dm.thinpooldev',
    });
  });
});

describe('growth of the pool', () => {
  it('is seen by the kernel while layers are in use; less is refused', async () => {
    await using machine = await SimulatedMachine.start();
    const set = await machine.open();
    await set.addDevice('a', '');
    await set.mountDevice('a', mountPoint(machine, 'a'));
    const before = machine.pool(set).dataBlocks;
    await set.growPool({ data: 256 * MIB, metadata: 8 * MIB });
    expect([before, machine.pool(set).dataBlocks, machine.pool(set).metadataBlocks]).toEqual([
      2048, 4096, 2048,
    ]);
    await expect(set.growPool({ data: 128 * MIB })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  it('happens with a start that asks for larger loop files; smaller ones are passed over (ReduceLoopBackSize, IncreaseLoopBackSize)', async () => {
    await using machine = await SimulatedMachine.start();
    await (await machine.open()).close();
    const less = await machine.open({ ...SMALL, loopDataSize: 64 * MIB, loopMetadataSize: 2 * MIB });
    expect([machine.pool(less).dataBlocks, machine.pool(less).metadataBlocks]).toEqual([2048, 1024]);
    expect(machine.warnings.join()).toContain('a pool does not shrink');
    await less.close();
    const more = await machine.open({ ...SMALL, loopDataSize: 192 * MIB, loopMetadataSize: 8 * MIB });
    expect([machine.pool(more).dataBlocks, machine.pool(more).metadataBlocks]).toEqual([3072, 2048]);
  });

  it('does not happen where no size is asked for: files that are there keep theirs', async () => {
    await using machine = await SimulatedMachine.start();
    await (await machine.open()).close();
    const { loopDataSize: _, loopMetadataSize: __, ...without } = SMALL;
    const set = await machine.open(without);
    expect([machine.pool(set).dataBlocks, machine.pool(set).metadataBlocks]).toEqual([2048, 1024]);
    expect(machine.warnings.join()).not.toContain('a pool does not shrink');
  });

  it('happens also to a pool that outlived its process', async () => {
    await using machine = await SimulatedMachine.start();
    const first = await machine.open();
    await first.addDevice('a', '');
    await first.mountDevice('a', mountPoint(machine, 'a'));
    await first.close('keep');
    const more = await machine.open({ ...SMALL, loopDataSize: 192 * MIB, loopMetadataSize: 2 * MIB });
    expect([machine.pool(more).dataBlocks, machine.pool(more).metadataBlocks]).toEqual([3072, 1024]);
  });
});
