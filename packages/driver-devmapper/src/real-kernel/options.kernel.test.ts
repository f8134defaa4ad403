import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { open, statfs } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { IoctlDeviceMapper } from '../device-mapper/ioctl-device-mapper.js';
import { removeDevice } from '../device-mapper/thin-devices.js';
import type { DevmapperDriver } from '../devmapper-driver.js';
import { createPool } from '../pool/create-pool.js';
import { activeDevices, attachedLoops, DriverBench, mountLine } from './driver-bench.test-support.js';

const MIB = 1024 ** 2;
const [DISK_A = '', DISK_B = ''] = (process.env.LAYER_STORE_BLOCK_DEVICES ?? '').split(' ');

/** New metadata begins with zeros. */
async function zeroStart(disk: string): Promise<void> {
  await using file = await open(disk, 'r+');
  await file.write(Buffer.alloc(MIB), 0, MIB, 0);
  await file.sync();
}

describe('dm.* options on a real kernel', () => {
  let bench: DriverBench;

  beforeEach(async () => {
    bench = await DriverBench.open();
  });
  afterEach(async () => {
    await bench[Symbol.asyncDispose]();
    expect(activeDevices()).toEqual([]);
    expect(attachedLoops()).toEqual([]);
  });

  const item = async (driver: DevmapperDriver, name: string): Promise<string | undefined> =>
    new Map(await driver.status()).get(name);
  const mountPoint = (id: string): string => join(bench.home, 'mnt', id);

  it('basesize, mkfsarg and mountopt: of the file system in every layer', async () => {
    const driver = await bench.driver({
      'dm.basesize': '32M',
      'dm.mkfsarg': '["-N", "512"]',
      'dm.mountopt': '["noatime", "nodiscard"]',
    });
    await driver.create('a');
    const path = await driver.get('a');
    const { files, blocks, bsize } = await statfs(path);
    expect(files).toBe(512);
    expect(blocks * bsize).toBeLessThan(32 * MIB);
    expect(blocks * bsize).toBeGreaterThan(24 * MIB);
    expect(mountLine(mountPoint('a'))).toMatch(/noatime.* - ext4 /);
    await driver.put('a');
    expect(await item(driver, 'Base Device Size')).toBe('33.55MB');
  });

  it('fs=xfs and xfs_nospace_max_retries: snapshots of one uuid are mounted together', async () => {
    const driver = await bench.driver({
      'dm.fs': 'xfs',
      'dm.basesize': '320M',
      'dm.loopdatasize': '512M',
      'dm.xfs_nospace_max_retries': '4',
    });
    await driver.create('a');
    await driver.create('b', 'a');
    await driver.get('a');
    await driver.get('b');
    for (const id of ['a', 'b']) {
      const line = mountLine(mountPoint(id));
      expect(line).toMatch(/ - xfs \/dev\/dm-\d+ .*nouuid/);
      const node = basename(line.split(' - ')[1]?.split(' ')[1] ?? '');
      const file = `/sys/fs/xfs/${node}/error/metadata/ENOSPC/max_retries`;
      expect(readFileSync(file, 'utf8').trim()).toBe('4');
      await driver.put(id);
    }
    expect(await item(driver, 'Backing Filesystem')).toBe('xfs');
    await driver.close();
    const again = await bench.driver({ 'dm.fs': 'ext4', 'dm.basesize': '' });
    expect(await item(again, 'Backing Filesystem')).toBe('xfs');
    expect(bench.warnings.join()).toContain('dm.fs=ext4');
  });

  it.each([
    ['ext4', '48M', '80M'],
    ['xfs', '320M', '384M'],
  ])(
    'a larger basesize makes an existing %s base grow, a smaller one is refused',
    async (fs, first, second) => {
      const options = { 'dm.fs': fs, 'dm.loopdatasize': '512M' };
      await using driver = await bench.driver({ ...options, 'dm.basesize': first });
      await driver.create('old');
      await driver.close();
      await using larger = await bench.driver({ ...options, 'dm.basesize': second });
      await larger.create('new');
      const size = async (id: string): Promise<number> => {
        const { blocks, bsize } = await statfs(await larger.get(id));
        await larger.put(id);
        return blocks * bsize;
      };
      expect((await size('new')) - (await size('old'))).toBeGreaterThan(24 * MIB);
      await larger.close();
      await expect(bench.driver({ ...options, 'dm.basesize': first })).rejects.toMatchObject({
        code: 'OPTION_INVALID',
      });
    },
  );

  it('loopdatasize and loopmetadatasize: larger ones make the pool grow, smaller ones are passed over', async () => {
    const totals = async (driver: DevmapperDriver): Promise<unknown> => [
      await item(driver, 'Data Space Total'),
      await item(driver, 'Metadata Space Total'),
    ];
    const sizes = (data: string, metadata: string) => ({
      'dm.loopdatasize': data,
      'dm.loopmetadatasize': metadata,
    });
    const driver = await bench.driver(sizes('256M', '8M'));
    expect(await totals(driver)).toEqual(['268.4MB', '8.389MB']);
    await driver.close();
    const larger = await bench.driver(sizes('266M', '18M'));
    expect(await totals(larger)).toEqual(['278.9MB', '18.87MB']);
    await larger.close();
    const smaller = await bench.driver(sizes('256M', '8M'));
    expect(await totals(smaller)).toEqual(['278.9MB', '18.87MB']);
  });

  it('blocksize is fixed with the pool', async () => {
    const driver = await bench.driver({ 'dm.blocksize': '128K' });
    expect(await item(driver, 'Pool Blocksize')).toBe('131.1kB');
    const pool = activeDevices().find((name) => name.endsWith('-pool')) ?? '';
    expect(execFileSync('dmsetup', ['table', pool], { encoding: 'utf8' })).toMatch(
      /thin-pool 7:\d+ 7:\d+ 256 /,
    );
    await driver.close();
    await expect(bench.driver({ 'dm.blocksize': '64K' })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      option: 'dm.blocksize',
    });
    const again = await bench.driver();
    expect(await item(again, 'Pool Blocksize')).toBe('131.1kB');
  });

  it('name_prefix and pool_error_if_no_space', async () => {
    await bench.driver({ 'dm.name_prefix': 'container', 'dm.pool_error_if_no_space': 'true' });
    const [pool = ''] = activeDevices();
    expect(pool).toMatch(/^container-\d+:\d+-\d+-pool$/);
    expect(execFileSync('dmsetup', ['table', pool], { encoding: 'utf8' })).toContain(
      ' 2 skip_block_zeroing error_if_no_space',
    );
  });

  it('datadev and metadatadev: a pool on disks, without loop devices', async () => {
    await zeroStart(DISK_B);
    const driver = await bench.driver({ 'dm.datadev': DISK_A, 'dm.metadatadev': DISK_B });
    expect(attachedLoops()).toEqual([]);
    expect(existsSync(join(bench.home, 'devicemapper', 'data'))).toBe(false);
    expect(await item(driver, 'Data file')).toBe(DISK_A);
    expect(await item(driver, 'Metadata file')).toBe(DISK_B);
    expect(await item(driver, 'Data loop file')).toBeUndefined();
    await driver.create('a');
    await driver.close();
    const again = await bench.driver({ 'dm.datadev': DISK_A, 'dm.metadatadev': DISK_B });
    expect(await again.list()).toEqual(['a']);
  });

  it('thinpooldev: the pool of somebody else is used and left as it is', async () => {
    await zeroStart(DISK_B);
    await using deviceMapper = await IoctlDeviceMapper.open();
    await createPool(deviceMapper, {
      name: 'their-pool',
      dataDevice: DISK_A,
      metadataDevice: DISK_B,
      dataBytes: 512 * MIB,
      blockSectors: 128,
      errorIfNoSpace: false,
    });
    const driver = await bench.driver({ 'dm.thinpooldev': '/dev/mapper/their-pool' });
    await driver.create('a');
    expect(await item(driver, 'Pool Name')).toBe('their-pool');
    expect(await item(driver, 'Data file')).toBeUndefined();
    await driver.close();
    expect(activeDevices()).toEqual(['their-pool']);
    const again = await bench.driver({ 'dm.thinpooldev': 'their-pool' });
    expect(await again.list()).toEqual(['a']);
    await again.close();
    await using other = await DriverBench.open();
    await expect(other.driver({ 'dm.thinpooldev': 'their-pool' })).rejects.toMatchObject({
      code: 'DRIVER_POOL_UNUSABLE',
    });
    await expect(other.driver({ 'dm.thinpooldev': 'no-pool' })).rejects.toMatchObject({
      code: 'DRIVER_POOL_UNUSABLE',
      option: 'dm.thinpooldev',
    });
    await removeDevice(deviceMapper, 'their-pool');
  });

  it.each([
    ['true', 'gives its space back to the loop file'],
    ['false', 'leaves the loop file as it is'],
  ])('blkdiscard=%s: a layer that is removed %s', async (blkdiscard) => {
    const driver = await bench.driver({ 'dm.blkdiscard': blkdiscard });
    await driver.create('a');
    await driver.withMount('a', async (path) => writeFileSync(join(path, 'file'), Buffer.alloc(24 * MIB, 1)));
    const occupied = (): number => statSync(join(bench.home, 'devicemapper', 'data')).blocks * 512;
    const before = occupied();
    await driver.remove('a');
    const given = before - occupied();
    if (blkdiscard === 'true') expect(given).toBeGreaterThan(20 * MIB);
    else expect(given).toBeLessThan(MIB);
  });

  it.each([
    ['true', 'true'],
    ['true', 'false'],
    ['false', 'false'],
  ])('use_deferred_removal=%s, use_deferred_deletion=%s', async (removal, deletion) => {
    const driver = await bench.driver({
      'dm.use_deferred_removal': removal,
      'dm.use_deferred_deletion': deletion,
    });
    expect(await item(driver, 'Deferred Removal Enabled')).toBe(removal);
    expect(await item(driver, 'Deferred Deletion Enabled')).toBe(deletion);
    await driver.create('a');
    await driver.create('other');
    await driver.get('a');
    const node = mountLine(mountPoint('a')).split(' - ')[1]?.split(' ')[1] ?? '';
    const opener = await open(node, 'r');
    if (removal === 'true') {
      await driver.put('a');
      expect(activeDevices().some((name) => name.endsWith('-a'))).toBe(true);
    }
    const removing = driver.remove('a');
    if (deletion === 'true') {
      await removing;
      expect(await driver.exists('a')).toBe(false);
      expect(await item(driver, 'Deferred Deleted Device Count')).toBe('1');
      await opener.close();
      await driver.deviceSet.deleteTombstones();
      expect(await item(driver, 'Deferred Deleted Device Count')).toBe('0');
      return;
    }
    // Refused: it is in use, by our own mount or by the other opener.
    await expect(removing).rejects.toMatchObject({ code: 'DRIVER_BUSY' });
    await opener.close();
    if (removal === 'false') await driver.put('a');
    await driver.remove('a');
    expect(await driver.list()).toEqual(['other']);
  });

  it('min_free_space: nothing is made on a pool that is nearly full', async () => {
    const driver = await bench.driver({ 'dm.min_free_space': '80%', 'dm.basesize': '96M' });
    await driver.create('a');
    await driver.withMount('a', async (path) => writeFileSync(join(path, 'file'), Buffer.alloc(56 * MIB, 1)));
    await expect(driver.create('b', 'a')).rejects.toMatchObject({
      code: 'DRIVER_POOL_FULL',
      message: expect.stringContaining('dm.min_free_space=80%'),
    });
    expect(await driver.list()).toEqual(['a']);
    await driver.remove('a');
    await driver.create('b');
  });

  it('directlvm_device and its companions: a pool over LVM that later starts find again', async () => {
    const options = {
      'dm.directlvm_device': DISK_A,
      'dm.thinp_percent': '50%',
      'dm.thinp_metapercent': '2',
      'dm.thinp_autoextend_threshold': '70',
      'dm.thinp_autoextend_percent': '30',
      'dm.metadata_size': '256k',
      'dm.directlvm_device_force': 'true',
    };
    const driver = await bench.driver(options);
    expect(await item(driver, 'Pool Name')).toBe('docker-thinpool');
    expect(readFileSync('/etc/lvm/profile/docker-thinpool.profile', 'utf8')).toContain(
      'thin_pool_autoextend_threshold=70\nthin_pool_autoextend_percent=30',
    );
    await driver.create('a');
    await driver.close();
    const again = await bench.driver(options);
    expect(await again.list()).toEqual(['a']);
    await again.close();
    await expect(bench.driver({ ...options, 'dm.thinp_percent': '60' })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    });
    execFileSync('vgremove', ['-f', 'docker'], { stdio: 'pipe' });
    execFileSync('pvremove', ['-ff', '-y', DISK_A], { stdio: 'pipe' });
  });
});
