import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { formatChange, IdMap } from '@x/archive';
import { mountsBelow, readMountInfo } from '@x/layer-store/driver-kit';
import { native } from '@x/native';
import { describeMounts } from '../describe-mounts.test-support.js';
import { OverlayDriver } from '../overlay-driver.js';
import { TestArea } from '../test-area.test-support.js';

const mounting = describeMounts();

mounting.each([
  ['tmpfs', 'fsopen', '/dev/shm'],
  ['tmpfs', 'mount', '/dev/shm'],
  ['the system disk', 'fsopen', undefined],
  ['the system disk', 'mount', undefined],
] as const)('the multi-lower layout on %s, by %s', (_where, mountInterface, parent) => {
  let area: TestArea;
  let home: string;
  let driver: OverlayDriver;

  beforeEach(async () => {
    area = new TestArea(parent);
    home = area.at('overlay2');
    driver = new OverlayDriver({ home, mountInterface });
    await driver.open();
  });

  afterEach(async () => {
    await driver.close();
    const left = mountsBelow(await readMountInfo(), home);
    for (const { mountPoint } of left) execFileSync('umount', ['-l', mountPoint]);
    area[Symbol.dispose]();
    expect(left).toEqual([]);
  });

  const at = (...names: string[]): string => join(home, ...names);
  const read = (...names: string[]): string => readFileSync(at(...names), 'utf8');
  const reopen = async (): Promise<void> => {
    await driver.close();
    driver = new OverlayDriver({ home, mountInterface });
    await driver.open();
  };
  const write = (id: string, name: string, text: string): Promise<void> =>
    driver.withMount(id, async (root) => {
      mkdirSync(join(root, name, '..'), { recursive: true });
      writeFileSync(join(root, name), text);
    });
  const show = (id: string, name: string): Promise<string> =>
    driver.withMount(id, async (root) => readFileSync(join(root, name), 'utf8'));

  async function chain(...ids: readonly string[]): Promise<void> {
    for (const [index, id] of ids.entries()) {
      await driver.create(id, ids[index - 1]);
      await write(id, id, `content of ${id}`);
    }
  }

  it('has Docker’s directories, and the ids of the lowers', async () => {
    await chain('base', 'middle', 'top');
    const [base, middle, top] = ['base', 'middle', 'top'].map((id) => read(id, 'link'));
    expect(readdirSync(at('base')).sort()).toEqual(['committed', 'diff', 'image', 'link']);
    expect(readdirSync(at('middle')).sort()).toEqual(
      ['committed', 'diff', 'image', 'link', 'lower', 'lower-ids', 'work'].sort(),
    );
    expect(readdirSync(at('top')).sort()).toEqual(['diff', 'image', 'link', 'lower', 'lower-ids', 'work']);
    expect(read('top', 'lower')).toBe(`l/${middle}:l/${base}`);
    expect(read('top', 'lower-ids')).toBe('middle\nbase\n');
    expect(new Set(readdirSync(at('l')))).toEqual(new Set([base, middle, top]));
    expect(readlinkSync(at('l', top ?? ''))).toBe('../top/diff');
    expect(lstatSync(home).mode & 0o7777).toBe(0o710);
    expect(lstatSync(at('top')).mode & 0o7777).toBe(0o710);
    expect(lstatSync(at('top/work')).mode & 0o7777).toBe(0o700);
    expect(read('top', 'diff', 'top')).toBe('content of top');
  });

  it('a layer without parent is its own directory, others are mounted while they are used', async () => {
    await chain('base', 'top');
    expect(await driver.get('base')).toBe(at('base/diff'));
    expect(await driver.get('top')).toBe(at('top/merged'));
    expect(await driver.get('top')).toBe(at('top/merged'));
    expect(mountsBelow(await readMountInfo(), home).map(({ mountPoint }) => mountPoint)).toEqual([
      at('top/merged'),
    ]);
    await driver.put('top');
    expect(readFileSync(at('top/merged/base'), 'utf8')).toBe('content of base');
    await driver.put('top');
    expect(existsSync(at('top/merged'))).toBe(false);
    await driver.put('base');
  });

  it('a layer’s root is as its parent’s: mode, owner, attributes, time', async () => {
    await driver.create('base');
    await driver.withMount('base', async (root) => {
      if (native.available) native.calls.lsetxattrSync(root, 'trusted.mark', 'x');
      chownSync(root, 1, 2);
      chmodSync(root, 0o3711);
    });
    await driver.create('child', 'base');
    await driver.withMount('child', async (root) => {
      const [own, parents] = [root, at('base/diff')].map((path) => lstatSync(path, { bigint: true }));
      expect([own?.mode, own?.uid, own?.gid, own?.mtimeNs]).toEqual([
        parents?.mode,
        1n,
        2n,
        parents?.mtimeNs,
      ]);
      const mark = native.available ? native.calls.lgetxattrSync(root, 'trusted.mark') : undefined;
      expect(mark?.toString()).toBe('x');
    });
  });

  it('a layer that has a child is shown read-only, one that has not can be written to', async () => {
    await chain('base', 'middle', 'top');
    await driver.withMount('middle', async (root) => {
      expect(readdirSync(root).sort()).toEqual(['base', 'middle']);
      expect(() => writeFileSync(join(root, 'new'), '')).toThrow('EROFS');
    });
    await write('top', 'new', 'x');
  });

  it('tells what Docker tells, in its order', async () => {
    await chain('base', 'middle', 'top');
    expect((await driver.status()).map(([key]) => key)).toEqual([
      'Backing Filesystem',
      'Supports d_type',
      'Using metacopy',
      'Native Overlay Diff',
      'userxattr',
    ]);
    expect(Object.fromEntries(await driver.status())).toMatchObject({
      'Backing Filesystem': parent === undefined ? 'extfs' : 'tmpfs',
      'Supports d_type': 'true',
    });
    expect(await driver.metadata('top')).toEqual({
      WorkDir: at('top/work'),
      MergedDir: at('top/merged'),
      UpperDir: at('top/diff'),
      LowerDir: `${at('middle/diff')}:${at('base/diff')}`,
    });
    expect(await driver.metadata('base')).not.toHaveProperty('LowerDir');
  });

  it('gives the files of a layer without a mount, its own first', async () => {
    await chain('base', 'middle', 'top');
    await using source = await driver.fileSource('top');
    expect(source.roots).toEqual([at('top/diff'), at('middle/diff'), at('base/diff')]);
    expect(mountsBelow(await readMountInfo(), home)).toEqual([]);
  });

  it('counts a layer’s own content as its usage', async () => {
    await driver.create('base');
    await write('base', 'f', 'x'.repeat(1000));
    await driver.create('top', 'base');
    await write('top', 'g', 'x'.repeat(30));
    expect((await driver.usage('top')).bytes).toBe(30);
    expect((await driver.usage('base')).bytes).toBe(1000);
  });

  it('lists layers, not what else is in the home', async () => {
    await chain('base', 'top');
    mkdirSync(at('lost+found'));
    mkdirSync(at('foreign'));
    writeFileSync(at('file'), '');
    expect(await driver.list()).toEqual(['base', 'top']);
    await expect(driver.create('l')).rejects.toMatchObject({ code: 'DRIVER_ID_INVALID' });
    await expect(driver.create('staging')).rejects.toMatchObject({ code: 'DRIVER_ID_INVALID' });
  });

  it('maps the root of containers', async () => {
    await driver.close();
    const ranges = (hostId: number) => [{ containerId: 0, hostId, size: 65_536 }];
    const idMap = new IdMap({ uids: ranges(100_000), gids: ranges(200_000) });
    const mappedHome = area.at('mapped');
    await using mapped = new OverlayDriver({ home: mappedHome, mountInterface, idMap });
    await mapped.open();
    await mapped.create('base');
    await mapped.create('top', 'base');
    const owners = (...names: string[]): number[] => {
      const { uid, gid } = lstatSync(join(mappedHome, ...names));
      return [uid, gid];
    };
    expect(owners('.')).toEqual([0, 200_000]);
    expect(owners('top')).toEqual([0, 200_000]);
    expect(owners('base/diff')).toEqual([100_000, 200_000]);
    expect(owners('top/diff')).toEqual([100_000, 200_000]);
    await mapped.withMount('top', async () => {
      expect(owners('top/work/work')).toEqual([100_000, 200_000]);
    });
  });

  describe('children of a layer in use', () => {
    it('make an image’s view read-only, for good', async () => {
      await chain('base', 'image');
      const view = await driver.get('image');
      writeFileSync(join(view, 'before'), '');
      await driver.create('child', 'image');
      expect(() => writeFileSync(join(view, 'after'), '')).toThrow('EROFS');
      expect(readFileSync(join(view, 'image'), 'utf8')).toBe('content of image');
      expect(await driver.withMount('child', async (root) => readdirSync(root))).toContain('before');
      await driver.put('image');
    });

    it('are refused while somebody writes to the image', async () => {
      await chain('base', 'image');
      const view = await driver.get('image');
      const writing = openSync(join(view, 'f'), 'w');
      await expect(driver.create('child', 'image')).rejects.toMatchObject({ code: 'DRIVER_BUSY' });
      closeSync(writing);
      expect(await driver.exists('child')).toBe(false);
      expect(existsSync(at('image/committed'))).toBe(false);
      writeFileSync(join(view, 'f'), 'can still be written to');
      await driver.put('image');
    });

    it('are refused to a container’s layer, and allowed once it is given up (-init)', async () => {
      await chain('base');
      await driver.createReadWrite('container-init', 'base');
      const view = await driver.get('container-init');
      writeFileSync(join(view, 'etc'), 'made by init');
      await expect(driver.createReadWrite('container', 'container-init')).rejects.toMatchObject({
        code: 'DRIVER_BUSY',
        cacheId: 'container-init',
      });
      expect(await driver.list()).toEqual(['base', 'container-init']);
      expect(readdirSync(at('l'))).toHaveLength(2);
      writeFileSync(join(view, 'etc'), 'still writable');
      await driver.put('container-init');
      await driver.createReadWrite('container', 'container-init');
      expect(await show('container', 'etc')).toBe('still writable');
    });

    it('leave an image as it was when they cannot be made', async () => {
      await chain('base', 'image');
      mkdirSync(at('child/of/somebody'), { recursive: true });
      const view = await driver.get('image');
      await expect(driver.create('child', 'image')).rejects.toMatchObject({
        code: 'DRIVER_STATE_FOREIGN',
        path: at('child'),
      });
      writeFileSync(join(view, 'f'), 'x');
      await driver.put('image');
      expect(existsSync(at('image/committed'))).toBe(false);
      expect(existsSync(at('child/of/somebody'))).toBe(true);
      expect(readdirSync(home).filter((name) => name.startsWith('.'))).toEqual([]);
      expect(readdirSync(at('l'))).toHaveLength(2);
    });
  });

  describe('lost parts', () => {
    const loseLinks = (): void => {
      for (const name of readdirSync(at('l'))) rmSync(at('l', name));
    };
    const loseLinkFiles = (): void => {
      for (const id of ['base', 'middle', 'top']) rmSync(at(id, 'link'));
    };

    for (const [when, act] of [
      ['while it is open', async (): Promise<void> => undefined],
      ['by the next open', reopen],
    ] as const) {
      it(`links, link files and merged directories are made again ${when} (overlay-recreate)`, async () => {
        await chain('base', 'middle', 'top');
        loseLinks();
        await act();
        expect(await show('top', 'base')).toBe('content of base');
        loseLinks();
        loseLinkFiles();
        await act();
        expect(await show('top', 'base')).toBe('content of base');
        expect(await show('middle', 'base')).toBe('content of base');
        for (const id of ['middle', 'top']) rmSync(at(id, 'merged'), { recursive: true, force: true });
        expect(await show('top', 'middle')).toBe('content of middle');
        await driver.create('child', 'top');
        expect(await show('child', 'top')).toBe('content of top');
      });
    }

    it('a list of lowers that was not written through is made again', async () => {
      await chain('base', 'middle', 'top');
      writeFileSync(at('top/lower'), '');
      writeFileSync(at('middle/link'), '');
      await reopen();
      expect(await show('top', 'base')).toBe('content of base');
      await driver.create('child', 'middle');
      expect(await show('child', 'middle')).toBe('content of middle');
    });

    it('a lower that is gone is named', async () => {
      await chain('base', 'middle', 'top');
      rmSync(at('base'), { recursive: true });
      await expect(driver.get('top')).rejects.toMatchObject({
        code: 'DRIVER_STATE_DAMAGED',
        cacheId: 'top',
        message: expect.stringContaining('base'),
      });
      expect(existsSync(at('top/merged'))).toBe(false);
      await expect(driver.changes('top', 'middle')).rejects.toMatchObject({ code: 'DRIVER_STATE_DAMAGED' });
      await driver.remove('top');
      await driver.remove('middle');
      expect(await driver.list()).toEqual([]);
      expect(readdirSync(at('l')).length).toBeLessThanOrEqual(1);
      await reopen();
      expect(readdirSync(at('l'))).toEqual([]);
    });

    it('a layer of which nothing is known can be removed', async () => {
      await chain('base', 'top');
      writeFileSync(at('top/lower'), '');
      writeFileSync(at('top/lower-ids'), '');
      await reopen();
      await expect(driver.get('top')).rejects.toMatchObject({ code: 'DRIVER_STATE_DAMAGED' });
      await driver.remove('top');
      expect(await driver.list()).toEqual(['base']);
      expect(readdirSync(at('l'))).toEqual([read('base', 'link')]);
    });

    it('an empty link file does not take all of l/ along (moby)', async () => {
      await chain('base', 'middle', 'top');
      const links = readdirSync(at('l'));
      const own = read('top', 'link');
      writeFileSync(at('top/link'), '');
      await reopen();
      writeFileSync(at('top/link'), '');
      await driver.remove('top');
      expect(readdirSync(at('l')).sort()).toEqual(links.filter((link) => link !== own).sort());
      expect(await show('middle', 'base')).toBe('content of base');
    });
  });

  it('opens a home of Docker’s, which has no ids of lowers', async () => {
    await chain('base', 'middle', 'top');
    for (const id of ['middle', 'top']) rmSync(at(id, 'lower-ids'));
    writeFileSync(at('backingFsBlockDev'), '');
    await reopen();
    expect(await show('top', 'base')).toBe('content of base');
    expect((await driver.changes('top', 'middle')).map(formatChange)).toEqual(['A /top']);
    await driver.create('child', 'top');
    expect(read('child', 'lower-ids')).toBe('top\nmiddle\nbase\n');
    expect(await driver.list()).toEqual(['base', 'child', 'middle', 'top']);
  });

  it('a failed mount leaves no directory and counts nothing', async () => {
    await chain('base', 'top');
    rmSync(at('top/work'), { recursive: true });
    await expect(driver.get('top')).rejects.toMatchObject({
      code: 'DRIVER_FAILED',
      errno: 'ENOENT',
      message: expect.stringContaining('ENOENT'),
    });
    expect(existsSync(at('top/merged'))).toBe(false);
    mkdirSync(at('top/work'));
    expect(await show('top', 'base')).toBe('content of base');
    await driver.remove('top');
  });

  it('a layer is not removed under somebody who works in it after its process died', async () => {
    await chain('base', 'top');
    const view = await driver.get('top');
    const working = openSync(join(view, 'base'), 'r');
    await driver.close({ mounts: 'keep' });
    driver = new OverlayDriver({ home, mountInterface });
    await driver.open();
    await expect(driver.remove('top')).rejects.toMatchObject({ code: 'DRIVER_BUSY' });
    expect(await show('top', 'base')).toBe('content of base');
    closeSync(working);
    await driver.remove('top');
    expect(await driver.list()).toEqual(['base']);
  });

  it('a failed unmount is told, and the next touch ends balanced', async () => {
    await chain('base', 'top');
    const view = await driver.get('top');
    execFileSync('umount', [view]);
    await driver.put('top');
    expect(existsSync(view)).toBe(false);
    await write('top', 'again', 'x');
    expect(existsSync(view)).toBe(false);
  });

  it('a driver that is opened again holds nothing of the time before', async () => {
    await chain('base', 'image');
    await driver.createReadWrite('container', 'image');
    const view = await driver.get('container');
    await driver.close({ mounts: 'keep' });
    await driver.open();
    expect(driver.isAdopted('container')).toBe(true);
    // Nobody here uses it: it is unmounted, and may have a child.
    await driver.createReadWrite('child', 'container');
    expect(existsSync(view)).toBe(false);
    await driver.put('container');
  });

  it('a home behind a symbolic link is the same home', async () => {
    await chain('base', 'top');
    await driver.close();
    const alias = area.at('alias');
    symlinkSync(home, alias);
    driver = new OverlayDriver({ home: alias, mountInterface });
    await driver.open();
    expect(await driver.get('top')).toBe(join(alias, 'top/merged'));
    await driver.close({ mounts: 'keep' });
    driver = new OverlayDriver({ home: alias, mountInterface });
    await driver.open();
    expect(driver.isAdopted('top')).toBe(true);
    await driver.put('top');
    expect(mountsBelow(await readMountInfo(), home)).toEqual([]);
  });

  it('cleanup unmounts everything and deletes nothing', async () => {
    await chain('base', 'middle', 'top');
    await driver.get('top');
    await driver.get('middle');
    await driver.cleanup();
    expect(mountsBelow(await readMountInfo(), home)).toEqual([]);
    expect(await driver.list()).toEqual(['base', 'middle', 'top']);
    expect(await show('top', 'middle')).toBe('content of middle');
  });
});
