import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { DeviceSetHost } from './host.js';
import { SimulatedMachine, SMALL } from './simulated-machine.test-support.js';

const MIB = 1 << 20;

const readMetadata = (machine: SimulatedMachine, name: string): Promise<string> =>
  readFile(join(machine.home, 'metadata', name), 'utf8');

describe('a new home', () => {
  it('gets a pool on loop files and a base device with a file system', async () => {
    await using machine = await SimulatedMachine.start();
    const set = await machine.open();
    expect(machine.fileSystems.calls.filter((call) => call.startsWith('make'))).toEqual([
      expect.stringMatching(/^make \/dev\/dm-\d+ ext4$/),
    ]);
    expect(await readMetadata(machine, 'base')).toBe(
      '{"device_id":1,"size":67108864,"transaction_id":1,"initialized":true,"deleted":false}',
    );
    expect(JSON.parse(await readMetadata(machine, 'deviceset-metadata'))).toMatchObject({
      next_device_id: 1,
      BaseDeviceUUID: expect.stringMatching(/^[0-9a-f-]{36}$/),
      BaseDeviceFilesystem: 'ext4',
      thinp_block_size: 128,
      prefix: set.core.names.prefix,
    });
    expect(await set.hasActivatedDevice('')).toBe(false);
    await set.close();
    expect([...machine.kernel.devices.keys()]).toEqual([]);
  });

  it('is not begun where its file system cannot be made', async () => {
    await using machine = await SimulatedMachine.start();
    machine.fileSystems.failures.set('requireMaker', new Error('no mkfs'));
    await expect(machine.open()).rejects.toThrow('no mkfs');
    expect(machine.kernel.calls.filter((call) => call.startsWith('create'))).toEqual([]);
    await expect(stat(join(machine.home, 'devicemapper'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is not begun over LVM, and with the default file system neither, where that cannot be made', async () => {
    await using machine = await SimulatedMachine.start();
    const { fileSystem: _, ...byDefault } = SMALL;
    let prepared = 0;
    const host: DeviceSetHost = {
      ...machine.host(),
      prepareDirectLvm: () => {
        prepared += 1;
        return Promise.resolve('docker-thinpool');
      },
    };
    for (const options of [SMALL, byDefault]) {
      machine.fileSystems.failures.set('requireMaker', new Error('no mkfs'));
      const directLvm = { device: '/dev/sdx' };
      await expect(machine.open({ ...options, directLvm }, host)).rejects.toThrow('no mkfs');
      machine.fileSystems.failures.set('requireMaker', new Error('no mkfs'));
      await expect(machine.open(options)).rejects.toThrow('no mkfs');
    }
    expect(prepared).toBe(0);
    expect(machine.kernel.calls.filter((call) => call.startsWith('create'))).toEqual([]);
    await expect(stat(join(machine.home, 'devicemapper'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is not begun with a device that is not there', async () => {
    await using machine = await SimulatedMachine.start();
    machine.kernel.addDisk('/dev/sdx', 256 * MIB);
    for (const [option, devices] of [
      ['dm.datadev', { dataDevice: '/dev/nope' }],
      ['dm.metadatadev', { dataDevice: '/dev/sdx', metadataDevice: '/dev/nope' }],
    ] as const) {
      await expect(machine.open({ ...SMALL, ...devices })).rejects.toMatchObject({
        code: 'OPTION_INVALID',
        option,
        path: '/dev/nope',
      });
    }
    await expect(stat(join(machine.home, 'devicemapper'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is refused when the kernel does not mount what was made, and its mount point goes', async () => {
    await using machine = await SimulatedMachine.start();
    machine.fileSystems.failures.set('mount', new Error('unknown option'));
    await expect(machine.open()).rejects.toThrow('unknown option');
    expect([...machine.kernel.devices.keys()]).toEqual([]);
    expect(await readdir(join(machine.home, 'mnt'))).toEqual([]);
    await machine.open();
  });

  it('is taken back when it cannot be made: no pool, no loop device stays', async () => {
    await using machine = await SimulatedMachine.start();
    machine.fileSystems.failures.set('make', new Error('mkfs failed'));
    await expect(machine.open()).rejects.toThrow('mkfs failed');
    expect([...machine.kernel.devices.keys()]).toEqual([]);
    expect(await machine.loops.find(join(machine.home, 'devicemapper', 'data'))).toBeUndefined();
    // And is made with the next start, over the half-made base.
    const set = await machine.open();
    expect(machine.pool(set).thins.size).toBe(1);
  });
});
