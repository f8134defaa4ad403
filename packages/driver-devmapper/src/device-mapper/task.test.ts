import { beforeEach, describe, expect, it } from '@jest/globals';
import { deviceMapperReason } from './device-mapper-error.js';
import { SimulatedKernel } from './simulator.test-support.js';
import { Task } from './task.js';
import { ADD_NODE, TASK_TYPE, type TaskType } from './task-types.js';
import { getLibraryVersion, setDevDir, udevWait } from './wrapper-functions.js';

const MIB = 1024 ** 2;

function reason(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    return deviceMapperReason(error);
  }
  return 'nothing failed';
}

const later = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'nothing failed',
    (error: unknown) => deviceMapperReason(error),
  );

describe('a task', () => {
  let kernel: SimulatedKernel;
  const task = (type: TaskType): Task => new Task(kernel.deviceMapper(), type);

  async function pool(): Promise<void> {
    kernel.addDisk('/dev/loop0', 64 * MIB);
    kernel.addDisk('/dev/loop1', 4 * MIB);
    const cookie = { value: 17 };
    await task('DeviceCreate')
      .setName('/dev/mapper/pool')
      .addTarget(0, 131072, 'thin-pool', '/dev/loop1 /dev/loop0 128 100 1 skip_block_zeroing')
      .setAddNode(ADD_NODE.AddNodeOnCreate)
      .setCookie(cookie, 0x0e)
      .run();
    await udevWait(cookie);
  }

  beforeEach(() => {
    kernel = new SimulatedKernel();
  });

  it('has the numbers of libdevmapper', () => {
    expect(Object.values(TASK_TYPE)).toEqual(Array.from({ length: 19 }, (_, index) => index));
  });

  it('asks for the version', async () => {
    const version = task('DeviceVersion');
    await version.run();
    expect(version.getDriverVersion()).toBe('4.47.0');
    expect(getLibraryVersion()).toContain('ioctl');
  });

  it('makes a pool, sends messages, and reads status, table, dependencies and info', async () => {
    await pool();
    await task('DeviceTargetMsg').setName('pool').setSector(0).setMessage('create_thin 3').run();
    const status = task('DeviceStatus').setName('pool');
    await status.run();
    expect(status.getNextTarget(0)).toMatchObject({ type: 'thin-pool', start: 0, length: 131072, next: 0 });
    expect(status.getNextTarget(1)).toBeUndefined();
    expect(status.getInfo()).toMatchObject({ exists: 1, targetCount: 1 });
    const table = task('DeviceTable').setName('pool');
    await table.run();
    expect(table.getNextTarget(0)?.params).toBe('7:1 7:0 128 100 1 skip_block_zeroing');
    const deps = task('DeviceDeps').setName('pool');
    await deps.run();
    expect(deps.getDeps()).toEqual([
      { major: 7, minor: 1 },
      { major: 7, minor: 0 },
    ]);
    const info = task('DeviceInfo').setName('pool');
    await info.run();
    expect(info.getInfo()).toEqual({
      exists: 1,
      suspended: 0,
      liveTable: 1,
      inactiveTable: 0,
      openCount: 0,
      eventNr: 0,
      major: 254,
      minor: 0,
      readOnly: 0,
      targetCount: 1,
      deferredRemove: 0,
      internalSuspend: 0,
    });
  });

  it('suspends, reloads, clears, resumes, renames and removes', async () => {
    await pool();
    await task('DeviceSuspend').setName('pool').run();
    expect(kernel.device('pool').suspended).toBe(true);
    const line = [0, 131072, 'thin-pool', '7:1 7:0 128 50 1 skip_block_zeroing'] as const;
    const reload = task('DeviceReload')
      .setName('pool')
      .addTarget(...line)
      .setRo();
    await reload.run();
    expect(reload.getInfo()).toMatchObject({ inactiveTable: 1, readOnly: 1 });
    await task('DeviceClear').setName('pool').run();
    expect(kernel.device('pool').inactive).toBeUndefined();
    await task('DeviceResume').setName('pool').run();
    await task('DeviceRename').setName('pool').setNewName('other').run();
    kernel.open('other');
    const deferred = task('DeviceRemove').setName('other').setDeferredRemove();
    await deferred.run();
    expect(deferred.getInfo()).toMatchObject({ exists: 1, deferredRemove: 1 });
    kernel.closeOpener('other');
    expect(kernel.devices.size).toBe(0);
  });

  it('lists devices and targets, makes nodes, waits, sets a geometry, removes all', async () => {
    await pool();
    const list = task('DeviceList');
    await list.run();
    expect(list.getNames()).toEqual([{ name: 'pool', major: 254, minor: 0 }]);
    const versions = task('DeviceListVersions');
    await versions.run();
    expect(versions.getVersions()).toContainEqual({ type: 'thin', major: 1, minor: 22, patch: 0 });
    await task('DeviceMknodes').setName('pool').run();
    await task('DeviceWaitevent').setName('pool').setEventNr(0).run();
    const geometry = { cylinders: 1, heads: 2, sectorsPerTrack: 3, start: 0 };
    await task('DeviceSetGeometry').setName('pool').setGeometry(geometry).run();
    expect(await later(task('DeviceSetGeometry').setName('pool').run())).toBe('TaskRun');
    const message = task('DeviceTargetMsg').setName('pool').setMessage('create_thin 1');
    await message.run();
    expect(message.getMessageResponse()).toBe('');
    await task('DeviceRemoveAll').run();
    expect(kernel.devices.size).toBe(0);
  });

  it('on a device that is not there says so, or fails', async () => {
    for (const type of ['DeviceInfo', 'DeviceStatus', 'DeviceTable'] as const) {
      const query = task(type).setName('none');
      await query.run();
      expect(query.getInfo()).toMatchObject({ exists: 0 });
      expect(query.getNextTarget(0)).toBeUndefined();
    }
    for (const type of ['DeviceRemove', 'DeviceSuspend', 'DeviceResume', 'DeviceDeps'] as const) {
      expect(await later(task(type).setName('none').run())).toBe('Enxio');
    }
  });

  it('refuses what it cannot use, with the reason of the constant', () => {
    const create = task('DeviceCreate');
    expect(reason(() => task('DeviceFrobnicate' as TaskType))).toBe('CreateRemoveTask');
    expect(reason(() => create.setName('a/b'))).toBe('TaskSetName');
    expect(reason(() => create.setNewName(''))).toBe('TaskSetName');
    expect(reason(() => create.setMessage(''))).toBe('TaskSetMessage');
    expect(reason(() => create.setSector(-1))).toBe('TaskSetSector');
    expect(reason(() => create.setEventNr(0.5))).toBe('TaskRun');
    expect(reason(() => create.setAddNode(2))).toBe('InvalidAddNode');
    expect(reason(() => create.setCookie(undefined as never, 0))).toBe('NilCookie');
    expect(reason(() => create.setCookie({ value: 0 }, 0x10000))).toBe('TaskSetCookie');
    expect(reason(() => create.addTarget(0, 0, 'thin', ''))).toBe('TaskAddTarget');
    expect(reason(() => create.setDeferredRemove())).toBe('TaskDeferredRemove');
    expect(reason(() => setDevDir('/somewhere'))).toBe('SetDevDir');
    expect(reason(() => setDevDir('/dev'))).toBe('nothing failed');
  });

  it('tells nothing before it has run, and only what it asked', async () => {
    const info = task('DeviceInfo').setName('none');
    expect(reason(() => info.getInfo())).toBe('TaskGetInfo');
    expect(reason(() => info.getDeps())).toBe('TaskGetDeps');
    expect(reason(() => info.getDriverVersion())).toBe('TaskGetDriverVersion');
    await info.run();
    expect(reason(() => info.getDeps())).toBe('TaskGetDeps');
    expect(reason(() => info.getDriverVersion())).toBe('TaskGetDriverVersion');
    expect(reason(() => info.setRo())).toBe('TaskSetRo');
    expect(await later(udevWait({ value: 5 }))).toBe('UdevWait');
  });
});
