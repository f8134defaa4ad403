import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { IoctlDeviceMapper } from '../device-mapper/ioctl-device-mapper.js';
import { assertMutable, assertUnusedPool } from '../pool/pool-usability.js';
import { ThinPool } from '../pool/thin-pool.js';
import type { DirectLvmConfig } from './direct-lvm-config.js';
import { prepareDirectLvm } from './prepare-direct-lvm.js';

const [DEVICE = ''] = (process.env.LAYER_STORE_BLOCK_DEVICES ?? '').split(' ');

const CONFIG: DirectLvmConfig = {
  device: DEVICE,
  thinpPercent: 50,
  thinpMetaPercent: 2,
  autoExtendPercent: 0,
  autoExtendThreshold: 0,
  metadataSize: '',
};

describe('a pool over LVM', () => {
  let home = '';
  let deviceMapper: IoctlDeviceMapper;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'direct-lvm-'));
    deviceMapper = await IoctlDeviceMapper.open();
  });
  afterEach(async () => {
    for (const args of [
      ['vgremove', '-f', 'docker'],
      ['pvremove', '-ff', '-y', DEVICE],
      ['wipefs', '-a', DEVICE],
    ]) {
      const [program = '', ...rest] = args;
      try {
        execFileSync(program, rest, { stdio: 'pipe' });
      } catch {
        // It was not made.
      }
    }
    await deviceMapper.close();
    await rm(home, { recursive: true });
  });

  it('is made by lvm2 on an empty disk, once, and is a pool that may be taken over', async () => {
    const name = await prepareDirectLvm(home, CONFIG, { force: false });
    expect(name).toBe('docker-thinpool');
    const pool = new ThinPool(deviceMapper, name);
    const status = assertMutable(await pool.status(), name);
    expect(() => assertUnusedPool(status, name)).not.toThrow();
    expect(await pool.table()).toMatchObject({ blockSectors: 1024 });
    expect(await readFile('/etc/lvm/profile/docker-thinpool.profile', 'utf8')).toContain(
      'thin_pool_autoextend_threshold=80',
    );
    expect(await readdir(home)).toEqual(['setup-config.json']);
    expect(await prepareDirectLvm(home, CONFIG, { force: false })).toBe(name);
    const elsewhere = await mkdtemp(join(tmpdir(), 'direct-lvm-'));
    await expect(prepareDirectLvm(elsewhere, CONFIG, { force: true })).rejects.toMatchObject({
      code: 'DRIVER_BUSY',
      message: expect.stringContaining('docker'),
    });
    expect(await readdir(elsewhere)).toEqual([]);
    await rm(elsewhere, { recursive: true });
  });

  it('does not go over a file system unless forced', async () => {
    execFileSync('mkfs.ext4', ['-q', '-F', DEVICE, '16M']);
    await expect(prepareDirectLvm(home, CONFIG, { force: false })).rejects.toMatchObject({
      code: 'DRIVER_BUSY',
      message: expect.stringContaining('ext4'),
    });
    expect(await readdir(home)).toEqual([]);
    expect(await deviceMapper.list()).toEqual([]);
  });
});
