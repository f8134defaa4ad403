import { linkSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { copyTree } from '@x/archive';
import { native } from '@x/native';
import type { OverlayDriver } from '../overlay-driver.js';
import { IS_ROOT, TestArea } from '../test-area.test-support.js';
import { archiveOf, layerOf, openHardlink, plant } from './layers.test-support.js';

/** EXT4_LINK_MAX of fs/ext4/ext4.h. */
const EXT4_LINK_MAX = 65_000;
const withMounts = IS_ROOT && native.available ? describe : describe.skip;

withMounts('a file with as many links as its file system allows', () => {
  let area: TestArea;
  let driver: OverlayDriver;
  let disk: string;

  beforeEach(async () => {
    area = new TestArea('/dev/shm');
    disk = area.image('disk', 'ext4', 64, ['mkfs.ext4', '-q', '-F', '-O', '^has_journal']);
    driver = await openHardlink(join(disk, 'overlay'));
  });
  afterEach(async () => {
    await driver.close();
    area[Symbol.dispose]();
  });

  it('is copied into the next layer, alone: everything else is still shared', async () => {
    await driver.create('base');
    await driver.withMount('base', async (root) => plant(root, { 'd/full': 'content', 'd/other': 'other' }));
    const file = (id: string, name: string): string => join(driver.home, id, 'root', name);
    mkdirSync(join(disk, 'links'));
    for (let link = 1; link < EXT4_LINK_MAX; link++) {
      linkSync(file('base', 'd/full'), join(disk, 'links', String(link)));
    }
    expect(statSync(file('base', 'd/full')).nlink).toBe(EXT4_LINK_MAX);

    const tree = area.directory('layer');
    plant(tree, { new: 'new' });
    await driver.create('image', 'base');
    await driver.applyDiff('image', 'base', layerOf(archiveOf(tree, 'new')));

    const [own, below] = [statSync(file('image', 'd/full')), statSync(file('base', 'd/full'))];
    expect([own.nlink, below.nlink]).toEqual([1, EXT4_LINK_MAX]);
    expect([own.mode, own.uid, own.mtimeMs]).toEqual([below.mode, below.uid, below.mtimeMs]);
    expect(readFileSync(file('image', 'd/full'), 'utf8')).toBe('content');
    expect(statSync(file('image', 'd/other')).ino).toBe(statSync(file('base', 'd/other')).ino);
    expect((await driver.changes('image', 'base')).map(({ path }) => String(path))).toEqual(['/new']);
    expect(readdirSync(join(driver.home, 'image')).sort()).toEqual(['ancestors', 'root']);

    // The same without the addon, which the copy does by itself.
    await copyTree(file('base', ''), join(disk, 'copy'), { mode: 'hardlink', portable: true });
    expect(statSync(join(disk, 'copy/d/full')).nlink).toBe(1);
    expect(readFileSync(join(disk, 'copy/d/full'), 'utf8')).toBe('content');
    expect(statSync(join(disk, 'copy/d/other')).ino).toBe(statSync(file('base', 'd/other')).ino);
  }, 60_000);
});
