import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { SimulatedMachine, SMALL } from './simulated-machine.test-support.js';

const MIB = 1 << 20;

const mountPoint = (machine: SimulatedMachine, id: string): string => join(machine.home, 'mnt', id);
const readMetadata = (machine: SimulatedMachine, name: string): Promise<string> =>
  readFile(join(machine.home, 'metadata', name), 'utf8');

describe('a layer', () => {
  it('is a snapshot of its parent, and without one of the base', async () => {
    await using machine = await SimulatedMachine.start();
    const set = await machine.open();
    await set.addDevice('a', '');
    await set.addDevice('b', 'a');
    expect(machine.kernel.calls.filter((call) => call.startsWith('create_snap'))).toEqual([
      `create_snap ${set.core.pool.name} 2 1`,
      `create_snap ${set.core.pool.name} 3 2`,
    ]);
    expect(await readMetadata(machine, 'b')).toBe(
      '{"device_id":3,"size":67108864,"transaction_id":3,"initialized":false,"deleted":false}',
    );
    expect(await readMetadata(machine, 'transaction-metadata')).toBe(
      '{"open_transaction_id":3,"device_hash":"b","device_id":3,"op":"snap"}',
    );
    expect(machine.pool(set).transactionId).toBe(3);
  });

  it('is frozen while a snapshot of it is made', async () => {
    await using machine = await SimulatedMachine.start();
    const set = await machine.open();
    await set.addDevice('a', '');
    await set.mountDevice('a', mountPoint(machine, 'a'));
    await set.addDevice('b', 'a');
    const name = set.core.names.of('a');
    const order = machine.kernel.calls
      .filter((call) => /^(suspend|create_snap|resume) /.test(call))
      .slice(-3);
    expect(order).toEqual([`suspend ${name}`, `create_snap ${set.core.pool.name} 3 2`, `resume ${name}`]);
  });

  it('that leaves the kernel by a deferred removal is caught, and leaves again', async () => {
    await using machine = await SimulatedMachine.start();
    const set = await machine.open();
    await set.addDevice('a', '');
    await set.mountDevice('a', mountPoint(machine, 'a'));
    // Something else has it open, so that giving it up only announces its removal.
    const name = set.core.names.of('a');
    machine.kernel.open(name);
    await set.unmountDevice('a', mountPoint(machine, 'a'));
    expect(machine.kernel.device(name).deferredRemove).toBe(true);
    await set.addDevice('b', 'a');
    expect(machine.kernel.calls).toContain(`cancelDeferredRemove ${name}`);
    expect(machine.kernel.device(name).deferredRemove).toBe(true);
    machine.kernel.closeOpener(name);
    expect(machine.kernel.devices.has(name)).toBe(false);
    await set.mountDevice('a', mountPoint(machine, 'a'));
  });

  it('that a foreign device has the id of gets the next one, announced before it is tried', async () => {
    await using machine = await SimulatedMachine.start();
    const set = await machine.open();
    await machine.kernel.deviceMapper().message(set.core.pool.name, 'create_thin 2');
    await set.addDevice('a', '');
    expect(set.core.table.get('a')?.deviceId).toBe(3);
    expect(await readMetadata(machine, 'transaction-metadata')).toContain('"device_id":3');
    expect(machine.pool(set).thins.has(2)).toBe(true);
    expect(machine.warnings.join()).toContain('device 2 that no layer owns');
  });

  it('grows with its file system when more is asked for, and never shrinks', async () => {
    await using machine = await SimulatedMachine.start();
    const set = await machine.open();
    await set.addDevice('a', '', { size: 96 * MIB });
    expect(set.core.table.get('a')?.size).toBe(96 * MIB);
    expect(machine.pool(set).thins.get(2)?.content?.size).toBe(96 * MIB);
    await expect(set.addDevice('b', 'a', { size: 64 * MIB })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    });
    await set.addDevice('b', 'a');
    expect(set.core.table.get('b')?.size).toBe(96 * MIB);
    expect(await set.hasActivatedDevice('a')).toBe(false);
  });

  it('whose file system does not grow to what was asked for is taken back', async () => {
    await using machine = await SimulatedMachine.start();
    const set = await machine.open();
    machine.fileSystems.failures.set('grow', new Error('no resize2fs'));
    await expect(set.addDevice('a', '', { size: 96 * MIB })).rejects.toThrow('no resize2fs');
    expect(set.layers()).toEqual([]);
    expect([...machine.pool(set).thins.keys()]).toEqual([1]);
    await set.addDevice('a', '', { size: 96 * MIB });
  });

  it('leaves no trace when it cannot be made', async () => {
    await using machine = await SimulatedMachine.start();
    const set = await machine.open();
    for (const call of ['create_snap', 'set_transaction_id']) {
      machine.kernel.inject({ call, failure: 'EIO' });
      await expect(set.addDevice('a', '')).rejects.toMatchObject({ errno: 'EIO' });
      expect(set.layers()).toEqual([]);
      expect([...machine.pool(set).thins.keys()]).toEqual([1]);
      await expect(readMetadata(machine, 'transaction-metadata')).rejects.toMatchObject({ code: 'ENOENT' });
      expect(set.core.ids.isUsed(set.core.ids.last)).toBe(false);
    }
    await set.addDevice('a', '');
  });

  it('needs a parent that is there, and an id that is not', async () => {
    await using machine = await SimulatedMachine.start();
    const set = await machine.open();
    await expect(set.addDevice('a', 'nobody')).rejects.toMatchObject({ code: 'DRIVER_ID_UNKNOWN' });
    await set.addDevice('a', '');
    await expect(set.addDevice('a', '')).rejects.toMatchObject({ code: 'DRIVER_ID_EXISTS' });
    await expect(set.addDevice('a', 'a')).rejects.toMatchObject({ code: 'DRIVER_ID_EXISTS' });
  });

  it('is not made when the pool is nearly full, or takes no changes', async () => {
    await using machine = await SimulatedMachine.start();
    const set = await machine.open({ ...SMALL, minFreeSpace: 99 });
    machine.pool(set).metadataUsed = 20;
    await expect(set.addDevice('a', '')).rejects.toMatchObject({ code: 'DRIVER_POOL_FULL' });
    machine.pool(set).needsCheck = true;
    await expect(set.addDevice('a', '')).rejects.toMatchObject({ code: 'DRIVER_POOL_UNUSABLE' });
    machine.pool(set).needsCheck = false;
  });

  it('that the pool has lost says so when it is mounted', async () => {
    await using machine = await SimulatedMachine.start();
    const set = await machine.open();
    await set.addDevice('a', '');
    machine.pool(set).thins.delete(2);
    await expect(set.mountDevice('a', mountPoint(machine, 'a'))).rejects.toMatchObject({
      code: 'DRIVER_STATE_FOREIGN',
      cacheId: 'a',
    });
  });
});

describe('deletion', () => {
  it('takes device, record and id away, in one transaction', async () => {
    await using machine = await SimulatedMachine.start();
    const set = await machine.open();
    await set.addDevice('a', '');
    expect(await set.deleteDevice('a', { sync: false })).toBe('deleted');
    expect(await set.deleteDevice('a', { sync: false })).toBe('absent');
    expect([...machine.pool(set).thins.keys()]).toEqual([1]);
    expect(set.core.ids.isUsed(2)).toBe(false);
    expect(await readMetadata(machine, 'transaction-metadata')).toContain('"op":"delete"');
    expect(machine.pool(set).transactionId).toBe(3);
  });

  it('announces before it discards, so that no layer is listed that has lost its data (D4)', async () => {
    await using machine = await SimulatedMachine.start();
    const set = await machine.open({ ...SMALL, blkDiscard: true });
    await set.addDevice('a', '');
    const points = await machine.record(() => set.deleteDevice('a', { sync: false }));
    const names = points.filter(({ side }) => side === 'before').map(({ name }) => name);
    expect(names).toEqual([
      'delete.open',
      'delete.discard',
      'delete.pool-delete',
      'delete.metafile',
      'delete.close',
    ]);
    expect(machine.fileSystems.calls.at(-1)).toMatch(/^discard/);
  });

  it('that fails after the discard shows no layer without its data, and is finished later', async () => {
    await using machine = await SimulatedMachine.start();
    const set = await machine.open({ ...SMALL, blkDiscard: true, deferredDeletion: false });
    await set.addDevice('a', '');
    machine.kernel.inject({ call: 'delete', failure: 'EIO' });
    await expect(set.deleteDevice('a', { sync: false })).rejects.toMatchObject({ errno: 'EIO' });
    expect(set.list()).toEqual(['', '.deleted-2']);
    await set.close();
    const again = await machine.open();
    expect(again.list()).toEqual(['']);
    expect([...machine.pool(again).thins.keys()]).toEqual([1]);
  });

  it('of a device that the pool does not have any more succeeds', async () => {
    await using machine = await SimulatedMachine.start();
    const set = await machine.open();
    await set.addDevice('a', '');
    machine.pool(set).thins.delete(2);
    expect(await set.deleteDevice('a', { sync: false })).toBe('deleted');
  });

  it('of a device that is open elsewhere is refused without deferred deletion, and harms nothing', async () => {
    await using machine = await SimulatedMachine.start();
    const set = await machine.open({
      ...SMALL,
      blkDiscard: true,
      deferredDeletion: false,
      deferredRemoval: false,
    });
    await set.addDevice('a', '');
    await set.mountDevice('a', mountPoint(machine, 'a'));
    await expect(set.deleteDevice('a', { sync: false })).rejects.toMatchObject({ code: 'DRIVER_BUSY' });
    const removals = machine.kernel.calls.filter((call) => call === `remove ${set.core.names.of('a')}`);
    expect(removals).toHaveLength(200);
    expect(set.layers()).toEqual(['a']);
    expect(machine.fileSystems.calls.join()).not.toContain('discard');
  });
});

describe('deferred deletion', () => {
  it('hides a layer at once whose device is open elsewhere, and finishes when that is closed', async () => {
    await using machine = await SimulatedMachine.start();
    const set = await machine.open({ ...SMALL, deferredRemoval: true, deferredDeletion: true });
    await set.addDevice('a', '');
    await set.mountDevice('a', mountPoint(machine, 'a'));
    const name = set.core.names.of('a');
    machine.kernel.open(name);
    await set.unmountDevice('a', mountPoint(machine, 'a'));
    expect(await set.deleteDevice('a', { sync: false })).toBe('deferred');
    expect(set.layers()).toEqual([]);
    expect(set.list()).toContain('.deleted-2');
    expect(await readMetadata(machine, '.deleted-2')).toContain('"deleted":true');
    expect(set.core.ids.isUsed(2)).toBe(true);

    // The id is free again at once, beside the old device.
    await set.addDevice('a', '');
    await set.mountDevice('a', mountPoint(machine, 'a'));

    await set.deleteTombstones();
    expect(set.list()).toContain('.deleted-2');
    machine.kernel.closeOpener(set.core.names.of('.deleted-2'));
    await set.deleteTombstones();
    expect(set.list()).not.toContain('.deleted-2');
    expect([...machine.pool(set).thins.keys()]).toEqual([1, 3]);
    expect(set.core.ids.isUsed(2)).toBe(false);
  });

  it('with nothing to do lets others go on (LockReleasedDeviceDeletion)', async () => {
    await using machine = await SimulatedMachine.start();
    const set = await machine.open();
    await set.deleteTombstones();
    await set.addDevice('a', '');
    await set.deleteTombstones();
    expect(await set.deleteDevice('a', { sync: true })).toBe('deleted');
  });

  it('of one device that fails does not keep the others', async () => {
    await using machine = await SimulatedMachine.start();
    const set = await machine.open();
    for (const id of ['a', 'b']) {
      await set.addDevice(id, '');
      await set.core.table.entomb(id);
    }
    machine.kernel.inject({ call: 'delete', failure: 'EIO' });
    await set.deleteTombstones();
    expect(set.list()).toEqual(['', '.deleted-2']);
    await set.deleteTombstones();
    expect(set.list()).toEqual(['']);
  });

  it('takes up what Docker marked as deleted under the name of the layer', async () => {
    await using machine = await SimulatedMachine.start();
    const set = await machine.open();
    await set.addDevice('a', '');
    const record = set.core.table.get('a');
    if (record === undefined) throw new Error('no record');
    await set.core.metadata.saveDevice('a', { ...record, deleted: true });
    await set.close();
    const again = await machine.open();
    expect(again.list()).toEqual(['']);
    expect([...machine.pool(again).thins.keys()]).toEqual([1]);
  });
});

describe('many at once', () => {
  it('create, mount, unmount and remove without a leak or a stand-still', async () => {
    await using machine = await SimulatedMachine.start();
    const set = await machine.open();
    await set.addDevice('parent', '');
    const before = JSON.stringify([...machine.pool(set).thins.keys()]);
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        for (let round = 0; round < 3; round++) {
          const id = `layer-${index}`;
          await set.addDevice(id, 'parent');
          await set.mountDevice(id, mountPoint(machine, id));
          await set.unmountDevice(id, mountPoint(machine, id));
          await set.deleteDevice(id, { sync: false });
        }
      }),
    );
    expect(JSON.stringify([...machine.pool(set).thins.keys()])).toBe(before);
    expect([...machine.kernel.devices.keys()]).toEqual([set.core.pool.name]);
  });
});
