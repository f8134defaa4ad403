import { chmodSync, readdirSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AufsDriver } from './aufs-driver.js';
import type { AufsKernelModel } from './kernel-model/aufs-kernel-model.js';
import { names, TestBed, writeAt } from './test-bed.test-support.js';

describe('counts survive failures', () => {
  let bed: TestBed & { readonly kernel: AufsKernelModel };
  let driver: AufsDriver;
  beforeEach(async () => {
    bed = await TestBed.onModel();
    driver = bed.driver;
    await driver.create('a');
    writeAt(bed.at('diff/a'), 'file', 'x');
    await driver.create('b', 'a');
    await driver.status();
  });
  afterEach(() => bed.close());

  it('a mount that fails leaves a count of zero, nothing mounted and no xino; the next get works', async () => {
    bed.kernel.failNext('mount', 'EIO');
    await expect(driver.get('b')).rejects.toMatchObject({ code: 'DRIVER_FAILED', errno: 'EIO' });
    expect(await bed.kernel.mounted()).toEqual([]);
    expect(readdirSync(bed.at('mnt/b'))).toEqual([]);
    expect(bed.xinoFiles).toEqual([]);
    // Nothing is counted: neither a put nor a removal finds a use.
    await driver.put('b');
    expect(
      bed.kernel.calls.filter((call) => call.startsWith('umount') && call.endsWith('mnt/b')),
    ).toHaveLength(1);

    expect(names(await driver.get('b'))).toEqual(['file']);
    await driver.put('b');
    expect(await bed.kernel.mounted()).toEqual([]);
    await driver.remove('b');
  });

  it('an unmount that fails leaves the union to the next put', async () => {
    await driver.get('b');
    bed.kernel.hold(bed.at('mnt/b'));
    await expect(driver.put('b')).rejects.toMatchObject({ code: 'DRIVER_BUSY' });
    expect(await bed.kernel.mounted()).toHaveLength(1);
    bed.kernel.release(bed.at('mnt/b'));
    await driver.put('b');
    expect(await bed.kernel.mounted()).toEqual([]);
  });

  it('an unmount that fails, then a get, ends balanced', async () => {
    await driver.get('b');
    bed.kernel.hold(bed.at('mnt/b'));
    await expect(driver.put('b')).rejects.toMatchObject({ code: 'DRIVER_BUSY' });
    bed.kernel.release(bed.at('mnt/b'));
    expect(names(await driver.get('b'))).toEqual(['file']);
    // What was found mounted counts as one use, and this get as another.
    await driver.put('b');
    await driver.put('b');
    expect(await bed.kernel.mounted()).toEqual([]);
  });

  it('a put without a get is nothing, and unmounts nobody', async () => {
    await driver.put('b');
    await driver.get('b');
    await driver.put('b');
    await driver.put('b');
    expect(names(await driver.get('b'))).toEqual(['file']);
    await driver.put('b');
  });

  it('a union that is busy is not removed, and nothing of its layer is', async () => {
    await driver.get('b');
    await driver.close({ mounts: 'keep' });
    const again = await bed.reopen();
    bed.kernel.hold(bed.at('mnt/b'));
    await expect(again.remove('b')).rejects.toMatchObject({ code: 'DRIVER_BUSY' });
    expect(await again.exists('b')).toBe(true);
    bed.kernel.release(bed.at('mnt/b'));
    await again.remove('b');
    expect(await again.list()).toEqual(['a']);
    expect(await bed.kernel.mounted()).toEqual([]);
  });

  it('a union whose layer is gone is ended by the next open, if nobody is in it', async () => {
    await driver.get('b');
    await driver.close({ mounts: 'keep' });
    rmSync(bed.at('layers/b'));
    bed.kernel.hold(bed.at('mnt/b'));
    const again = await bed.reopen();
    expect(names(bed.at('mnt'))).toEqual(['a', 'b']);
    expect(await again.list()).toEqual(['a']);
    bed.kernel.release(bed.at('mnt/b'));
    await bed.reopen();
    expect(names(bed.at('mnt'))).toEqual(['a']);
    expect(names(bed.at('diff'))).toEqual(['a']);
  });

  it('cleanup goes on after a union that is busy, and reports it', async () => {
    await driver.create('c', 'a');
    await driver.get('b');
    await driver.get('c');
    bed.kernel.hold(bed.at('mnt/b'));
    await expect(driver.cleanup()).rejects.toMatchObject({ code: 'DRIVER_BUSY' });
    expect(await bed.kernel.mounted()).toMatchObject([{ mountPoint: bed.at('mnt/b') }]);
    bed.kernel.release(bed.at('mnt/b'));
    await driver.cleanup();
    expect(await bed.kernel.mounted()).toEqual([]);
  });

  it('a label reaches the union, one that cannot be said is refused before any call', async () => {
    const label = 'system_u:object_r:container_file_t:s0:c1,c1023';
    await driver.get('b', { mountLabel: label });
    expect(bed.kernel.labelOf(bed.at('mnt/b'))).toBe(label);
    await driver.put('b');
    await driver.get('b');
    expect(bed.kernel.labelOf(bed.at('mnt/b'))).toBeUndefined();
    await driver.put('b');
    const calls = bed.kernel.calls.length;
    await expect(driver.get('b', { mountLabel: 'x",br:/etc=rw,"' })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      option: 'mountLabel',
    });
    expect(bed.kernel.calls).toHaveLength(calls);
  });

  it('a xino in a directory that is not there is refused by open', async () => {
    const lost = new AufsDriver({ home: bed.home, kernel: bed.kernel, xino: '/dev/shm/nowhere/xino' });
    await expect(lost.open()).rejects.toMatchObject({ code: 'OPTION_INVALID', option: 'xino' });
  });

  it('without a xino of its own the driver finds a place', async () => {
    await using plain = new AufsDriver({ home: bed.home, kernel: bed.kernel });
    await plain.open();
    expect(names(await plain.get('b'))).toEqual(['file']);
    await plain.put('b');
  });

  it('immutable and unwritable directories of a layer do not survive its removal', async () => {
    writeAt(bed.at('diff/b'), 'd/f', 'x');
    chmodSync(bed.at('diff/b/d'), 0o000);
    await driver.remove('b');
    expect(names(bed.at('diff'))).toEqual(['a']);
  });
});
