import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DevmapperDriver } from './devmapper-driver.js';
import type { DevmapperDriverOptions } from './driver-options.js';
import { checkDevices } from './inspection/check-devices.js';

const SCRATCH = process.env.LAYER_STORE_SCRATCH ?? '/run/scratch';
const MIB = 1 << 20;

let base: string;
let home: string;
let warnings: string[];

const make = (options: Partial<DevmapperDriverOptions> = {}): DevmapperDriver =>
  new DevmapperDriver({
    home,
    baseSize: 64 * MIB,
    loopDataSize: 512 * MIB,
    loopMetadataSize: 16 * MIB,
    fileSystem: 'ext4',
    minFreeSpace: 0,
    onWarning: (message) => warnings.push(message),
    ...options,
  });

const devices = (): string => execFileSync('dmsetup', ['ls']).toString().replace('No devices found\n', '');
const loops = (): string => execFileSync('losetup', ['-a']).toString();

beforeEach(async () => {
  base = await mkdtemp(join(SCRATCH, 'dm-'));
  home = join(base, 'devicemapper');
  warnings = [];
});

afterEach(async () => {
  await rm(base, { recursive: true });
});

describe('the devicemapper driver on a real kernel', () => {
  it('keeps what is written in layers, and leaves no device behind', async () => {
    {
      await using driver = make();
      await driver.open();
      await driver.create('a');
      await driver.withMount('a', async (path) => {
        expect(path).toBe(join(home, 'mnt', 'a', 'rootfs'));
        expect(readdirSync(path)).toEqual([]);
        writeFileSync(join(path, 'file'), 'of a');
      });
      await driver.createReadWrite('b', 'a');
      await driver.withMount('b', async (path) => {
        expect(readFileSync(join(path, 'file'), 'latin1')).toBe('of a');
        writeFileSync(join(path, 'file'), 'of b');
      });
      const changes = await driver.changes('b', 'a');
      expect(changes.map(({ kind, path }) => `${kind} ${path.toString()}`)).toEqual(['modify /file']);
      expect(await driver.metadata('b')).toMatchObject({ DeviceId: '3', DeviceSize: String(64 * MIB) });
      expect(await checkDevices(driver.deviceSet)).toEqual({ lost: [], unowned: [] });
      const status = new Map(await driver.status());
      expect(status.get('Backing Filesystem')).toBe('ext4');
      expect(status.get('Data loop file')).toBe(join(home, 'devicemapper/data'));
      expect(status.get('Data file')).toMatch(/^\/dev\/loop\d+$/);
      expect(devices()).toContain('-pool');
    }
    expect(devices()).toBe('');
    expect(loops()).toBe('');
    expect(warnings.filter((warning) => !warning.includes('loop'))).toEqual([]);

    await using again = make();
    await again.open();
    expect(await again.list()).toEqual(['a', 'b']);
    await again.withMount('b', async (path) => {
      expect(readFileSync(join(path, 'file'), 'latin1')).toBe('of b');
    });
    await again.remove('b');
    await again.remove('a');
    expect(await again.list()).toEqual([]);
    expect(existsSync(join(home, 'mnt', 'a'))).toBe(false);
  });
});
