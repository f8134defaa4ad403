import { execFileSync } from 'node:child_process';
import { readFile, statfs, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { KernelBench, MIB } from '../device-mapper/kernel-bench.test-support.js';
import { createSnapshot, removeDevice } from '../device-mapper/thin-devices.js';
import type { FileSystemType } from '../options/options.js';
import type { ThinPool } from '../pool/thin-pool.js';

/** The least that mkfs.xfs of today accepts is 300 MiB. */
const SIZES = { ext4: 64 * MIB, xfs: 320 * MIB } as const;
const TYPES: readonly FileSystemType[] = ['ext4', 'xfs'];

describe('file systems on thin devices', () => {
  let bench: KernelBench;
  let pool: ThinPool;

  beforeEach(async () => {
    bench = await KernelBench.open();
    ({ pool } = await bench.pool({ data: 512 * MIB }));
  });
  afterEach(async () => {
    await bench[Symbol.asyncDispose]();
    expect(execFileSync('dmsetup', ['ls'], { encoding: 'utf8' })).toBe('No devices found\n');
    expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain('/dev/dm-');
  });

  async function made(type: FileSystemType): Promise<{ readonly name: string; readonly path: string }> {
    await pool.createThin(1);
    const device = await bench.thin(pool, 1, SIZES[type]);
    await bench.fileSystems.make(device.path, type, []);
    return device;
  }

  it.each(TYPES)('%s is made, recognised, mounted and grown while mounted', async (type) => {
    const { name, path } = await made(type);
    expect(await bench.fileSystems.probe(path)).toBe(type);
    expect(await bench.fileSystems.size(path)).toBe(SIZES[type]);
    expect(await bench.fileSystems.deviceSize(path)).toBe(SIZES[type]);
    const uuid = execFileSync('blkid', ['-p', '-s', 'UUID', '-o', 'value', path], { encoding: 'utf8' });
    expect(await bench.fileSystems.uuid(path)).toBe(uuid.trim());
    await removeDevice(bench.deviceMapper, name);
    const larger = await bench.thin(pool, 1, SIZES[type] + 64 * MIB);
    const mountPoint = await bench.mount(larger.path, type);
    await writeFile(join(mountPoint, 'file'), 'content');
    const { blocks: before, bsize } = await statfs(mountPoint);
    await bench.fileSystems.grow(larger.path, type, mountPoint);
    expect(((await statfs(mountPoint)).blocks - before) * bsize).toBeGreaterThan(50 * MIB);
    expect(await readFile(join(mountPoint, 'file'), 'utf8')).toBe('content');
    expect(await bench.fileSystems.unmount(mountPoint)).toBe(true);
    expect(await bench.fileSystems.unmount(mountPoint)).toBe(false);
    expect(await bench.fileSystems.size(larger.path)).toBe(SIZES[type] + 64 * MIB);
  });

  it.each(TYPES)(
    'a snapshot of a mounted %s is mounted beside it, read-only without recovery',
    async (type) => {
      const origin = await made(type);
      const mountPoint = await bench.mount(origin.path, type);
      await writeFile(join(mountPoint, 'file'), 'before');
      await createSnapshot(bench.deviceMapper, pool, { id: 2, originId: 1, originName: origin.name });
      await writeFile(join(mountPoint, 'file'), 'after');
      const snapshot = await bench.thin(pool, 2, SIZES[type]);
      const second = await bench.mount(snapshot.path, type);
      expect(await readFile(join(second, 'file'), 'utf8')).toBe('before');
      await createSnapshot(bench.deviceMapper, pool, { id: 3, originId: 1, originName: origin.name });
      const third = await bench.thin(pool, 3, SIZES[type]);
      const readOnly = join(second, 'ro');
      execFileSync('mkdir', [readOnly]);
      await bench.fileSystems.mount(third.path, readOnly, {
        type,
        mountOptions: ['noatime'],
        readOnly: true,
      });
      const line = (await readFile('/proc/self/mountinfo', 'utf8'))
        .split('\n')
        .find((entry) => entry.includes(readOnly));
      await bench.fileSystems.unmount(readOnly);
      expect(line).toMatch(/ ro,noatime/);
      // ext4 shows its noload under this name, too.
      expect(line).toContain('norecovery');
    },
  );

  it('xfs retries without space as often as it is told', async () => {
    const { path } = await made('xfs');
    await bench.mount(path, 'xfs', '5');
    const file = `/sys/fs/xfs/${basename(path)}/error/metadata/ENOSPC/max_retries`;
    expect((await readFile(file, 'utf8')).trim()).toBe('5');
  });

  it('a value that xfs refuses takes the mount back', async () => {
    const { path } = await made('xfs');
    await expect(bench.mount(path, 'xfs', '18446744073709551615')).rejects.toMatchObject({
      code: 'DRIVER_FAILED',
      option: 'dm.xfs_nospace_max_retries',
    });
    expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(bench.directory);
  });

  it('a mount that fails shows what the kernel said', async () => {
    const { path } = await made('ext4');
    const failure = bench.fileSystems.mount(path, bench.directory, {
      type: 'ext4',
      mountOptions: ['no-such-option'],
    });
    await expect(failure).rejects.toMatchObject({
      code: 'DRIVER_FAILED',
      errno: 'EINVAL',
      syscall: 'mount',
      message: expect.stringMatching(/kernel log ends with: .*ext4.*no-such-option/s),
    });
  });

  it('flags of the mount are not passed to the file system', async () => {
    const { path } = await made('ext4');
    await bench.fileSystems.mount(path, bench.directory, { type: 'ext4', mountOptions: ['noatime,nodev'] });
    const line = (await readFile('/proc/self/mountinfo', 'utf8'))
      .split('\n')
      .find((entry) => entry.includes(` ${bench.directory} `));
    await bench.fileSystems.unmount(bench.directory);
    expect(line).toMatch(/nodev,noatime|noatime,nodev/);
  });

  it('xfs is the default where the host has it', async () => {
    expect(await bench.fileSystems.chooseDefault()).toEqual({ type: 'xfs' });
  });
});
