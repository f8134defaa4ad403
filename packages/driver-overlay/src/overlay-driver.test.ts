import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { describeMounts } from './describe-mounts.test-support.js';
import { OverlayDriver } from './overlay-driver.js';
import { TestArea } from './test-area.test-support.js';

const mounting = describeMounts();

let area: TestArea;

beforeEach(() => {
  area = new TestArea('/dev/shm');
});

afterEach(() => {
  area[Symbol.dispose]();
});

describe('the overlay driver', () => {
  it('goes by the name of what it is', () => {
    const home = area.at('home');
    expect(new OverlayDriver({ home }).name).toBe('overlay2');
    expect(new OverlayDriver({ home, layout: 'hardlink' }).name).toBe('overlay');
    expect(new OverlayDriver({ home, mountProgram: 'fuse-overlayfs' }).name).toBe('fuse-overlayfs');
  });

  it('touches nothing before it is opened', () => {
    expect(new OverlayDriver({ home: area.at('home') }).capabilities).toMatchObject({ mounts: true });
    expect(readdirSync(area.path)).toEqual([]);
  });

  it('refuses a size where there are no project quotas', () => {
    const home = area.at('home');
    const refused = expect.objectContaining({ code: 'DRIVER_QUOTA_NOT_SUPPORTED', option: 'size' });
    expect(() => new OverlayDriver({ home, size: '10G' })).toThrow(refused);
    expect(() => new OverlayDriver({ home, inodes: 10 })).toThrow(
      expect.objectContaining({ code: 'DRIVER_QUOTA_NOT_SUPPORTED', option: 'inodes' }),
    );
  });

  it('refuses a home that a mount program cannot be told of, before it makes it', async () => {
    const home = area.at('co:lon');
    const driver = new OverlayDriver({ home, mountProgram: 'fuse-overlayfs' });
    await expect(driver.open()).rejects.toMatchObject({ code: 'DRIVER_NOT_SUPPORTED', path: home });
    expect(existsSync(home)).toBe(false);
  });
});

mounting('opening the overlay driver', () => {
  it('is refused where it could not run, and leaves no home', async () => {
    // What is on overlay cannot be the upper layer of another.
    for (const name of ['lower', 'upper', 'work']) mkdirSync(area.at(name));
    const options = `lowerdir=${area.at('lower')},upperdir=${area.at('upper')},workdir=${area.at('work')}`;
    const home = join(area.mount('overlay', 'merged', options), 'home');
    await expect(new OverlayDriver({ home }).open()).rejects.toMatchObject({
      code: 'DRIVER_INCOMPATIBLE_FS',
      message: expect.stringContaining('overlay'),
    });
    expect(existsSync(home)).toBe(false);
  });

  it('is refused on a file system without attributes for the marks of deleted directories', async () => {
    const home = join(area.mount('ramfs', 'ramfs', 'rw'), 'home');
    await expect(new OverlayDriver({ home }).open()).rejects.toMatchObject({
      code: 'DRIVER_INCOMPATIBLE_FS',
    });
    expect(existsSync(home)).toBe(false);
  });

  it('is refused at a file', async () => {
    writeFileSync(area.at('file'), '');
    await expect(new OverlayDriver({ home: area.at('file') }).open()).rejects.toMatchObject({
      driver: 'overlay2',
    });
  });
});

mounting('storage options', () => {
  it('are checked before anything is made', async () => {
    await using driver = new OverlayDriver({ home: area.at('home') });
    await driver.open();
    await driver.create('layer');
    const refused = async (storageOpt: Record<string, string>, code: string): Promise<void> => {
      await expect(driver.createReadWrite('rw', 'layer', { storageOpt })).rejects.toMatchObject({ code });
      await expect(driver.create('ro', 'layer', { storageOpt })).rejects.toMatchObject({
        code: expect.any(String),
      });
    };
    await refused({ size: '10G' }, 'DRIVER_QUOTA_NOT_SUPPORTED');
    await refused({ inodes: '10' }, 'DRIVER_QUOTA_NOT_SUPPORTED');
    await refused({ inodes: 'many' }, 'OPTION_INVALID');
    await refused({ siez: '10G' }, 'OPTION_UNKNOWN');
    expect(await driver.list()).toEqual(['layer']);
    expect(readdirSync(area.at('home', 'l'))).toHaveLength(1);
  });
});
