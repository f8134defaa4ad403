import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { formatChange, IdMap } from '@x/archive';
import { native } from '@x/native';
import { OverlayDriver } from '../overlay-driver.js';
import { IS_ROOT, TestArea } from '../test-area.test-support.js';
import { archiveOf, FILES, layerOf, makeImage, openHardlink, plant } from './layers.test-support.js';

const withMounts = IS_ROOT && native.available ? describe : describe.skip;

let area: TestArea;
let home: string;
let driver: OverlayDriver;

beforeEach(async () => {
  area = new TestArea();
  home = area.at('overlay');
  driver = await openHardlink(home);
});
afterEach(async () => {
  await driver.close();
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(`${home}/`);
  area[Symbol.dispose]();
});

/** A layer that changes `etc/config`, deletes `var/gone` and adds `srv/new`. */
function changedLayer(): Buffer {
  const tree = area.directory('layer');
  plant(tree, { 'etc/config': 'changed', 'var/.wh.gone': '', 'srv/new': 'new' });
  return archiveOf(tree, 'etc/config', 'var/.wh.gone', 'srv/new');
}

const inode = (path: string): number => statSync(path).ino;
const names = (id: string): string[] => readdirSync(join(home, id)).sort();

withMounts('layers of the hard-link layout', () => {
  it('are a tree without a parent, an upper on a tree, and a copied upper on an upper', async () => {
    await driver.create('base');
    chmodSync(await driver.get('base'), 0o711);
    await driver.put('base');
    await driver.create('middle', 'base');
    await driver.withMount('middle', async (root) => {
      plant(root, { 'd/f': 'x' });
      rmSync(join(root, 'd'), { recursive: true });
      plant(root, { 'd/g': 'y' });
    });
    await driver.createReadWrite('top', 'middle');
    expect(names('base')).toEqual(['ancestors', 'root']);
    expect(names('middle')).toEqual(['ancestors', 'lower-id', 'upper', 'work']);
    expect(names('top')).toEqual(['ancestors', 'lower-id', 'upper', 'work']);
    expect(readFileSync(join(home, 'top/lower-id'), 'utf8')).toBe('base');
    expect(statSync(join(home, 'top/upper')).mode & 0o7777).toBe(0o711);
    expect(inode(join(home, 'top/upper/d/g'))).not.toBe(inode(join(home, 'middle/upper/d/g')));
  });

  it('keep opaque directories and deletions when an upper is copied', async () => {
    await makeImage(driver, changedLayer());
    await driver.createReadWrite('init', 'image');
    await driver.withMount('init', async (root) => {
      rmSync(join(root, 'usr'), { recursive: true });
      plant(root, { 'usr/mine': 'm' });
      unlinkSync(join(root, 'etc/other'));
    });
    await driver.createReadWrite('work', 'init');
    await driver.withMount('work', async (root) => {
      expect(readdirSync(join(root, 'usr'))).toEqual(['mine']);
      expect(readdirSync(join(root, 'etc'))).toEqual(['config']);
    });
    expect(await driver.changes('work', 'init')).toEqual([]);
  });

  it('become trees that share the unchanged files of their parent', async () => {
    await makeImage(driver, changedLayer());
    expect(names('image')).toEqual(['ancestors', 'root']);
    const [base, image] = [join(home, 'base/root'), join(home, 'image/root')];
    expect(inode(`${image}/etc/other`)).toBe(inode(`${base}/etc/other`));
    expect(inode(`${image}/etc/config`)).not.toBe(inode(`${base}/etc/config`));
    expect(inode(`${image}/etc`)).not.toBe(inode(`${base}/etc`));
    expect(readFileSync(`${base}/etc/config`, 'utf8')).toBe('config');
    expect(readFileSync(`${image}/etc/config`, 'utf8')).toBe('changed');
    expect(existsSync(`${image}/var/gone`)).toBe(false);
    expect(existsSync(`${base}/var/gone`)).toBe(true);
    const changes = (await driver.changes('image', 'base')).map(formatChange);
    expect(changes).toEqual(['C /etc', 'C /etc/config', 'A /srv', 'A /srv/new', 'C /var', 'D /var/gone']);
  });

  it('are mounted on one lower, however long the chain', async () => {
    await makeImage(driver, changedLayer());
    await driver.createReadWrite('rw', 'image');
    expect(await driver.metadata('rw')).toEqual({
      LowerDir: join(home, 'image/root'),
      UpperDir: join(home, 'rw/upper'),
      WorkDir: join(home, 'rw/work'),
      MergedDir: join(home, 'rw/merged'),
    });
    expect(await driver.metadata('image')).toEqual({ RootDir: join(home, 'image/root') });
    const root = await driver.get('rw');
    expect(root).toBe(join(home, 'rw/merged'));
    appendFileSync(join(root, 'etc/other'), '+');
    expect(readFileSync(join(home, 'base/root/etc/other'), 'utf8')).toBe('other');
    await driver.put('rw');
    expect(existsSync(root)).toBe(false);
    expect((await driver.changes('rw', 'image')).map(formatChange)).toEqual(['C /etc', 'C /etc/other']);
  });

  it('belong to the mapped root where ids are mapped', async () => {
    const ranges = [{ containerId: 0, hostId: 100_000, size: 65_536 }];
    const idMap = new IdMap({ uids: ranges, gids: ranges });
    await using mapped = new OverlayDriver({ home: area.at('mapped'), layout: 'hardlink', idMap });
    await mapped.open();
    await mapped.create('base');
    await mapped.createReadWrite('rw', 'base');
    await mapped.withMount('rw', async (root) => {
      const paths = [
        join(root),
        join(root, '../upper'),
        join(root, '../work/work'),
        area.at('mapped/base/root'),
      ];
      expect(paths.map((path) => [statSync(path).uid, statSync(path).gid])).toEqual(
        paths.map(() => [100_000, 100_000]),
      );
    });
    const { mode, uid, gid } = statSync(area.at('mapped'));
    expect([mode & 0o777, uid, gid]).toEqual([0o710, 0, 100_000]);
  });

  it('say what file system they are on', async () => {
    expect(await driver.status()).toEqual([
      ['Backing Filesystem', expect.any(String)],
      ['Supports d_type', 'true'],
    ]);
  });

  it('are refused above the depth that is claimed', async () => {
    await driver.create('l1');
    for (let depth = 2; depth <= driver.capabilities.maxDepth; depth++) {
      await driver.create(`l${depth}`, `l${depth - 1}`);
    }
    const top = `l${driver.capabilities.maxDepth}`;
    await expect(driver.create('more', top)).rejects.toMatchObject({ code: 'LAYER_MAX_DEPTH' });
    expect(existsSync(join(home, 'more'))).toBe(false);
  });
});

withMounts('a tree that shares files', () => {
  it('is handed out for reading only; one that stands alone for writing', async () => {
    await driver.create('base');
    expect(await driver.get('base')).toBe(join(home, 'base/root'));
    await driver.put('base');
    await makeImageOn('base');
    for (const id of ['base', 'image']) {
      const root = await driver.get(id);
      expect(root).toBe(join(home, id, 'merged'));
      expect(() => writeFileSync(join(root, 'x'), '')).toThrow(expect.objectContaining({ code: 'EROFS' }));
      await driver.put(id);
      expect(existsSync(root)).toBe(false);
    }
  });

  it('can be written to again when nothing is left that shares it, not before', async () => {
    await driver.create('base');
    await makeImageOn('base');
    await driver.create('grandchild', 'image');
    await driver.applyDiff('grandchild', 'image', layerOf(changedLayer()));
    await driver.remove('image');
    expect(await driver.get('base')).toBe(join(home, 'base/merged'));
    await driver.put('base');
    await driver.close();
    driver = await openHardlink(home);
    expect(await driver.get('base')).toBe(join(home, 'base/merged'));
    await driver.put('base');
    await driver.remove('grandchild');
    expect(await driver.get('base')).toBe(join(home, 'base/root'));
    await driver.put('base');
  });

  it('is copied and not shared while somebody may be writing to it', async () => {
    await driver.create('base');
    const root = await driver.get('base');
    plant(root, FILES);
    await makeImageOn('base');
    expect(inode(join(home, 'image/root/etc/other'))).not.toBe(inode(`${root}/etc/other`));
    appendFileSync(`${root}/etc/other`, ' and more');
    expect(readFileSync(join(home, 'image/root/etc/other'), 'utf8')).toBe('other');
    await driver.put('base');
  });

  it('takes a second layer on a tree of its own', async () => {
    await driver.create('base');
    await driver.withMount('base', async (root) => plant(root, FILES));
    await makeImageOn('base');
    const tree = area.directory('second');
    plant(tree, { 'etc/config': 'again', 'etc/.wh.other': '' });
    await driver.applyDiff('image', 'base', layerOf(archiveOf(tree, 'etc/config', 'etc/.wh.other')));
    expect(names('image')).toEqual(['ancestors', 'root']);
    expect(readFileSync(join(home, 'image/root/etc/config'), 'utf8')).toBe('again');
    expect(readdirSync(join(home, 'image/root/etc'))).toEqual(['config']);
    expect(readdirSync(join(home, 'base/root/etc')).sort()).toEqual(['config', 'other']);
  });

  async function makeImageOn(parent: string): Promise<void> {
    await driver.create('image', parent);
    await driver.applyDiff('image', parent, layerOf(changedLayer()));
  }
});

withMounts('bad luck in the hard-link layout', () => {
  it('names the layer below that is gone', async () => {
    await driver.create('base');
    await driver.create('child', 'base');
    await driver.remove('base');
    await expect(driver.get('child')).rejects.toMatchObject({
      code: 'DRIVER_STATE_DAMAGED',
      message: expect.stringContaining('base'),
    });
    await expect(driver.applyDiff('child', 'base', layerOf(changedLayer()))).rejects.toMatchObject({
      code: 'DRIVER_ID_UNKNOWN',
    });
    expect(names('child')).toEqual(['ancestors', 'lower-id', 'upper', 'work']);
    await driver.remove('child');
  });

  it('a record that was cut off is coded, keeps nothing else from working, and can be removed', async () => {
    await driver.create('base');
    await driver.create('child', 'base');
    await driver.create('other', 'base');
    await driver.close();
    truncateSync(join(home, 'child/lower-id'), 0);
    driver = await openHardlink(home);
    await expect(driver.get('child')).rejects.toMatchObject({ code: 'DRIVER_STATE_DAMAGED' });
    await expect(driver.create('grandchild', 'child')).rejects.toMatchObject({
      code: 'DRIVER_STATE_DAMAGED',
    });
    await driver.withMount('other', async () => undefined);
    await driver.remove('child');
    expect(await driver.list()).toEqual(['base', 'other']);
  });

  it('a tree of unknown origin makes every tree read-only, since it may share any file', async () => {
    await driver.create('base');
    await driver.create('docker');
    await driver.close();
    rmSync(join(home, 'docker/ancestors'));
    driver = await openHardlink(home);
    expect(await driver.get('base')).toBe(join(home, 'base/merged'));
    await driver.put('base');
  });

  it('a full file system is coded and leaves the layer as it was', async () => {
    await driver.close();
    home = join(area.mount('tmpfs', 'small', 'nr_inodes=120,mode=0755'), 'overlay');
    driver = await openHardlink(home);
    await driver.create('base');
    await driver.withMount('base', async (root) => {
      plant(root, Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`d/f${index}`, 'x'])));
    });
    await driver.create('child', 'base');
    await expect(driver.applyDiff('child', 'base', layerOf(changedLayer()))).rejects.toMatchObject({
      code: 'ARCHIVE_IO',
      errno: 'ENOSPC',
    });
    expect(names('child')).toEqual(['ancestors', 'lower-id', 'upper', 'work']);
    await driver.withMount('child', async (root) => expect(readdirSync(`${root}/d`)).toHaveLength(60));
    await driver.remove('child');
    await driver.close();
  });

  it('a layer that breaks off, and one that is stopped, leave nothing', async () => {
    await driver.create('base');
    await driver.create('child', 'base');
    const tar = changedLayer();
    await expect(driver.applyDiff('child', 'base', layerOf(tar.subarray(0, 1100)))).rejects.toMatchObject({
      code: 'ARCHIVE_TRUNCATED',
    });
    const stop = new AbortController();
    stop.abort();
    await expect(
      driver.applyDiff('child', 'base', layerOf(tar), { signal: stop.signal }),
    ).rejects.toMatchObject({ name: 'AbortError' });
    expect(names('child')).toEqual(['ancestors', 'lower-id', 'upper', 'work']);
    await driver.applyDiff('child', 'base', layerOf(tar));
    expect(names('child')).toEqual(['ancestors', 'root']);
  });

  it('what a process left mounted is found, counted, and unmounted with the driver', async () => {
    await makeImage(driver, changedLayer());
    await driver.createReadWrite('rw', 'image');
    for (const id of ['rw', 'image']) await driver.get(id);
    await driver.close({ mounts: 'keep' });
    driver = await openHardlink(home);
    expect([driver.isAdopted('rw'), driver.isAdopted('image'), driver.isAdopted('base')]).toEqual([
      true,
      true,
      false,
    ]);
    expect(await driver.get('rw')).toBe(join(home, 'rw/merged'));
    await driver.put('rw');
    expect(readdirSync(join(home, 'rw/merged'))).toContain('etc');
    await driver.close();
    expect(existsSync(join(home, 'rw/merged'))).toBe(false);
  });

  it('a layer that somebody works in is not removed', async () => {
    await driver.create('base');
    await driver.createReadWrite('rw', 'base');
    await driver.get('rw');
    await driver.close({ mounts: 'keep' });
    const user = spawn('sleep', ['1000'], { cwd: join(home, 'rw/merged') });
    await once(user, 'spawn');
    driver = await openHardlink(home);
    await expect(driver.remove('rw')).rejects.toMatchObject({ code: 'DRIVER_BUSY' });
    expect(await driver.exists('rw')).toBe(true);
    user.kill();
    await once(user, 'exit');
    await driver.remove('rw');
    expect(existsSync(join(home, 'rw'))).toBe(false);
  });

  it('a directory of somebody else is no layer: not listed, not overwritten, not deleted', async () => {
    mkdirSync(join(home, 'photos'));
    writeFileSync(join(home, 'photos/holiday'), 'x');
    expect(await driver.list()).toEqual([]);
    expect(await driver.exists('photos')).toBe(false);
    await expect(driver.create('photos')).rejects.toMatchObject({ code: 'DRIVER_STATE_FOREIGN' });
    await driver.remove('photos');
    expect(readFileSync(join(home, 'photos/holiday'), 'utf8')).toBe('x');
    expect(readdirSync(home)).toEqual(['photos']);
  });

  it('leftovers of a dead process go with the next open', async () => {
    await makeImage(driver, changedLayer());
    await driver.create('child', 'image');
    await driver.close();
    mkdirSync(join(home, '.tmp-new/root'), { recursive: true });
    mkdirSync(join(home, 'child/tmprootAbC/etc'), { recursive: true });
    mkdirSync(join(home, 'image/upper'));
    writeFileSync(join(home, 'image/lower-id'), 'base');
    renameSync(join(home, 'base'), join(home, '.trash-base'));
    driver = await openHardlink(home);
    expect(readdirSync(home).sort()).toEqual(['child', 'image']);
    expect(names('child')).toEqual(['ancestors', 'lower-id', 'upper', 'work']);
    expect(names('image')).toEqual(['ancestors', 'root']);
  });

  it('a home behind a symbolic link is the same home', async () => {
    await driver.create('base');
    await driver.createReadWrite('rw', 'base');
    await driver.close();
    execFileSync('ln', ['-s', home, area.at('link')]);
    driver = await openHardlink(area.at('link'));
    const root = await driver.get('rw');
    plant(root, { f: 'x' });
    await driver.put('rw');
    expect(existsSync(join(home, 'rw/merged'))).toBe(false);
    expect(lstatSync(join(home, 'rw/upper/f')).isFile()).toBe(true);
  });

  it('refuses limits where there is no quota', async () => {
    await driver.create('base');
    await expect(driver.createReadWrite('rw', 'base', { storageOpt: { size: '10M' } })).rejects.toMatchObject(
      { code: 'DRIVER_QUOTA_NOT_SUPPORTED' },
    );
    expect(await driver.exists('rw')).toBe(false);
    expect(() => new OverlayDriver({ home, layout: 'hardlink', size: '1G' })).toThrow(
      expect.objectContaining({ code: 'DRIVER_QUOTA_NOT_SUPPORTED' }),
    );
  });

  it('reads a home that Docker made', async () => {
    await driver.close();
    rmdirSync(home);
    const layers = [archiveOf(plantedTree(), '.'), changedLayer()];
    for (const [index, tar] of layers.entries()) writeFileSync(area.at(`${index}.tar`), tar);
    const args = ['-root', area.path, '-driver', 'overlay', 'register', area.at('0.tar'), area.at('1.tar')];
    try {
      execFileSync('moby-layer', args, { stdio: 'pipe' });
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ENOENT') throw error;
      return;
    }
    driver = await openHardlink(home);
    const layersFound = await driver.list();
    expect(layersFound).toHaveLength(2);
    for (const id of layersFound) {
      const root = await driver.get(id);
      expect(readFileSync(join(root, 'etc/other'), 'utf8')).toBe('other');
      expect(() => appendFileSync(join(root, 'etc/other'), 'x')).toThrow(
        expect.objectContaining({ code: 'EROFS' }),
      );
      await driver.put(id);
    }
  });

  function plantedTree(): string {
    const tree = area.directory('tree');
    plant(tree, FILES);
    return tree;
  }
});
