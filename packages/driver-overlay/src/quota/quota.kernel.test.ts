import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { native } from '@x/native';
import { archiveOf, layerOf, plant } from '../hardlink/layers.test-support.js';
import type { OverlayDriverOptions } from '../options.js';
import { OverlayDriver } from '../overlay-driver.js';
import { TestArea } from '../test-area.test-support.js';
import { openQuotaControl } from './quota-control.js';

const MIB = 1024 * 1024;
const SIZE = 320;
/** A project that is full is a full disk to xfs (ENOSPC), and EDQUOT to ext4, which Node has no name for. */
const FULL = { xfs: -28, ext4: -122 } as const;

let area: TestArea;
beforeEach(() => {
  area = new TestArea(process.env.LAYER_STORE_SCRATCH);
});
afterEach(() => area[Symbol.dispose]());

function image(type: 'xfs' | 'ext4', options: string): string {
  const make =
    type === 'xfs'
      ? ['mkfs.xfs', '-q']
      : ['mkfs.ext4', '-q', '-O', 'quota,project', '-E', 'quotatype=prjquota'];
  return area.image('fs', type, SIZE, make, options);
}

function projectOf(path: string): number {
  if (!native.available) throw new Error(native.reason);
  const fd = openSync(path, 'r');
  try {
    return native.calls.fsGetXattrSync(fd).projectId;
  } finally {
    closeSync(fd);
  }
}

function quotaOf(path: string, project: number): unknown {
  if (!native.available) throw new Error(native.reason);
  const fd = openSync(path, 'r');
  try {
    return native.calls.projectQuotaSync(fd, undefined, project);
  } finally {
    closeSync(fd);
  }
}

const LAYOUTS: readonly Omit<OverlayDriverOptions, 'home'>[] = [
  { layout: 'multi-lower' },
  { layout: 'hardlink' },
];

describe.each(['xfs', 'ext4'] as const)('project quota on %s', (type) => {
  const overTheLimit = expect.objectContaining({ errno: FULL[type] });
  for (const options of LAYOUTS) {
    describe(`with layout ${options.layout}`, () => {
      let place: string;
      let driver: OverlayDriver;

      async function open(more: Partial<OverlayDriverOptions> = {}): Promise<void> {
        driver = new OverlayDriver({ home: join(place, 'layers'), ...options, ...more });
        await driver.open();
        if (await driver.exists('base')) return;
        await driver.create('base');
        await driver.withMount('base', async (root) => plant(root, { 'etc/config': 'x' }));
      }
      beforeEach(async () => {
        place = image(type, 'loop,prjquota');
        await open();
      });
      afterEach(async () => driver.close());

      it('a read-write layer takes what its size allows and no more (SetQuota)', async () => {
        expect(driver.capabilities.quota).toBe(true);
        await driver.createReadWrite('rw', 'base', { storageOpt: { size: '50M' } });
        const root = await driver.get('rw');
        writeFileSync(join(root, 'smaller'), Buffer.alloc(25 * MIB));
        expect(() => writeFileSync(join(root, 'bigger'), Buffer.alloc(50 * MIB))).toThrow(overTheLimit);
        await driver.put('rw');
        await driver.createReadWrite('free', 'base');
        await driver.withMount('free', async (path) => {
          writeFileSync(join(path, 'f'), Buffer.alloc(60 * MIB));
        });
      });

      it('inodes are limited too, and what was deleted can be used again', async () => {
        await driver.createReadWrite('rw', 'base', { storageOpt: { inodes: '40' } });
        await driver.withMount('rw', async (root) => {
          const fill = (): void => {
            for (let index = 0; index < 40; index++) mkdirSync(join(root, `d${index}`));
          };
          expect(fill).toThrow(overTheLimit);
        });
      });

      it('the driver has a default, which a layer can change', async () => {
        await driver.close();
        await open({ size: '20M', inodes: 1000 });
        const write = (id: string): Promise<void> =>
          driver.withMount(id, async (root) => writeFileSync(join(root, 'f'), Buffer.alloc(30 * MIB)));
        await driver.createReadWrite('limited', 'base');
        await driver.createReadWrite('larger', 'base', { storageOpt: { size: '60M' } });
        await driver.createReadWrite('unlimited', 'base', { storageOpt: { size: '0', inodes: '0' } });
        await expect(write('limited')).rejects.toEqual(overTheLimit);
        await write('larger');
        await write('unlimited');
        expect(projectOf(join(place, 'layers/unlimited'))).toBe(0);
      });

      it('files of the base are copied up within the limit, and renamed', async () => {
        await driver.createReadWrite('rw', 'base', { storageOpt: { size: '10M' } });
        await driver.withMount('rw', async (root) => {
          plant(root, { 'etc/config': 'changed', 'etc/new': 'new' });
          mkdirSync(join(root, 'd'));
        });
        const upper = options.layout === 'hardlink' ? 'upper' : 'diff';
        const project = projectOf(join(place, 'layers/rw'));
        expect(project).toBeGreaterThan(0);
        expect(projectOf(join(place, 'layers/rw', upper, 'etc/config'))).toBe(project);
        expect(projectOf(join(place, 'layers/rw/work'))).toBe(project);
      });

      it('every layer is a project of its own, whose limit goes with it', async () => {
        const storageOpt = { size: '10M' };
        await driver.createReadWrite('one', 'base', { storageOpt });
        await driver.createReadWrite('two', 'base', { storageOpt });
        const [one, two] = ['one', 'two'].map((id) => projectOf(join(place, 'layers', id)));
        expect(one).not.toBe(two);
        expect(quotaOf(place, one ?? 0)).toMatchObject({ spaceHard: 10 * MIB });
        await driver.remove('one');
        // What it used may still be counted: xfs gives inodes back in the background.
        expect(quotaOf(place, one ?? 0) ?? { spaceHard: 0 }).toMatchObject({ spaceHard: 0 });
        expect(quotaOf(place, two ?? 0)).toMatchObject({ spaceHard: 10 * MIB });
      });

      it('a layer unpacked into a limited one counts, and no limit is a limit of read-only layers', async () => {
        await driver.createReadWrite('rw', 'base', { storageOpt: { size: '10M' } });
        const tree = area.directory('tree');
        plant(tree, { new: 'new' });
        await driver.applyDiff('rw', 'base', layerOf(archiveOf(tree, 'new')));
        await driver.withMount('rw', async (root) => {
          expect(() => writeFileSync(join(root, 'f'), Buffer.alloc(20 * MIB))).toThrow();
        });
        await expect(driver.create('ro', 'base', { storageOpt: { size: '1M' } })).rejects.toMatchObject({
          code: 'OPTION_INVALID',
        });
        expect(await driver.exists('ro')).toBe(false);
      });

      it.each(['much', '-1', ''])('the size %p is refused, and nothing is made', async (size) => {
        await expect(driver.createReadWrite('rw', 'base', { storageOpt: { size } })).rejects.toMatchObject({
          code: 'OPTION_INVALID',
        });
        expect(await driver.exists('rw')).toBe(false);
      });
    });
  }

  it('is not there without the mount option (QuotaDisabled)', async () => {
    const place = image(type, type === 'xfs' ? 'loop' : 'loop,noquota');
    expect(openQuotaControl(place)).toBeUndefined();
    await using driver = new OverlayDriver({ home: join(place, 'layers') });
    await driver.open();
    expect(driver.capabilities.quota).toBe(false);
    await driver.create('base');
    await expect(driver.createReadWrite('rw', 'base', { storageOpt: { size: '10M' } })).rejects.toMatchObject(
      { code: 'DRIVER_QUOTA_NOT_SUPPORTED' },
    );
  });

  it('is found before the home is there, and takes only an empty directory', async () => {
    const place = image(type, 'loop,prjquota');
    const quota = openQuotaControl(join(place, 'a/b/c'));
    mkdirSync(join(place, 'full/inside'), { recursive: true });
    await expect(quota?.set(join(place, 'full'), { size: MIB })).rejects.toMatchObject({
      code: 'DRIVER_FAILED',
    });
    // Somebody else's limits stay.
    mkdirSync(join(place, 'free'));
    await quota?.clear(join(place, 'free'));
    expect(projectOf(join(place, 'free'))).toBe(0);
  });
});
