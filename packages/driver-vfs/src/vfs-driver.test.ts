import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { IdMap } from '@x/archive';
import { layerSource } from '@x/layer-store';
import { content, edit, listing, writeAt } from './tree-on-disk.test-support.js';
import { VfsDriver } from './vfs-driver.js';

let base: string;
let home: string;
let driver: VfsDriver;

beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'vfs-driver-'));
  home = join(base, 'vfs');
  driver = new VfsDriver({ home });
  await driver.open();
});

afterEach(async () => {
  await driver.close();
  rmSync(base, { recursive: true, force: true });
});

describe('vfs driver', () => {
  it('a layer is the directory dir/ID of the home, and nothing is left of it', async () => {
    await driver.create('empty');
    expect(await driver.get('empty')).toBe(join(home, 'dir', 'empty'));
    await driver.put('empty');
    await driver.remove('empty');
    expect(readdirSync(join(home, 'dir'))).toEqual([]);
  });

  it('the home is not open to others', () => {
    for (const path of [home, join(home, 'dir')]) expect(lstatSync(path).mode & 0o007).toBe(0);
  });

  const asRoot = process.getuid?.() === 0 || process.env.CI === 'true' ? it : it.skip;
  asRoot(
    'with an id map the mapped root owns the layers and its group may pass through the home',
    async () => {
      const idMap = new IdMap({
        uids: [{ containerId: 0, hostId: 100_000, size: 65_536 }],
        gids: [{ containerId: 0, hostId: 200_000, size: 65_536 }],
      });
      const mappedHome = join(base, 'mapped');
      await using mapped = new VfsDriver({ home: mappedHome, idMap });
      await mapped.open();
      await mapped.create('layer');
      for (const path of [mappedHome, join(mappedHome, 'dir')]) {
        expect(lstatSync(path)).toMatchObject({ uid: 0, gid: 200_000 });
        expect(lstatSync(path).mode & 0o7777).toBe(0o710);
      }
      expect(lstatSync(join(mappedHome, 'dir/layer'))).toMatchObject({ uid: 100_000, gid: 200_000 });
    },
  );

  it('lists its layers in order, and no copies under way', async () => {
    for (const id of ['3', '1', '2']) await driver.create(id);
    mkdirSync(join(home, 'dir', '.tmp-4'));
    expect(await driver.list()).toEqual(['1', '2', '3']);
  });

  it('the files of a layer are its directory', async () => {
    await driver.create('base');
    await using source = await driver.fileSource('base');
    expect(source.roots).toEqual([join(home, 'dir', 'base')]);
    await expect(driver.remove('base')).rejects.toMatchObject({ code: 'DRIVER_BUSY' });
  });

  it('refuses options it does not have, and a size', () => {
    const make = (options: object) => (): VfsDriver => new VfsDriver({ home, ...options });
    expect(make({ quota: true })).toThrow(expect.objectContaining({ code: 'OPTION_UNKNOWN' }));
    expect(make({ rootless: 'yes' })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    expect(make({ size: '50M' })).toThrow(expect.objectContaining({ code: 'DRIVER_QUOTA_NOT_SUPPORTED' }));
  });

  it('a copy that is stopped leaves nothing', async () => {
    await driver.create('base');
    await edit(driver, 'base', (root) => {
      for (let index = 0; index < 200; index++)
        writeAt(root, `d${index % 10}/f${index}`, content(4096, index));
    });
    const controller = new AbortController();
    const creating = driver.create('child', 'base', {}, controller.signal);
    controller.abort();
    await expect(creating).rejects.toMatchObject({ name: 'AbortError' });
    expect(readdirSync(join(home, 'dir'))).toEqual(['base']);
  });

  it('with privileges puts owners on disk and no record beside them', async () => {
    if (driver.rootless) return;
    const tree = join(base, 'tree');
    writeAt(tree, 'd/f', 'x');
    const tar = execFileSync('tar', [
      '-cf',
      '-',
      '--owner=:33',
      '--group=:42',
      '--mode=0400',
      '-C',
      tree,
      'd/f',
    ]);
    await driver.create('base');
    await driver.applyDiff('base', undefined, layerSource(Readable.from([tar])));
    const path = join(home, 'dir/base');
    expect(lstatSync(join(path, 'd/f'))).toMatchObject({ uid: 33, gid: 42 });
    expect(execFileSync('getfattr', ['-R', '-d', '-m', '-', '.'], { cwd: path }).toString()).toBe('');
  });

  it('has nothing to report where everything could be done', async () => {
    await driver.create('base');
    const rootless = [
      ['Rootless', 'true'],
      ['Owners', 'recorded'],
    ];
    expect(await driver.status()).toEqual(driver.rootless ? rootless : []);
    expect(await driver.metadata('base')).toEqual({});
    await driver.sync();
  });
});

describe('recovery', () => {
  it('an open sweeps half made copies and half removed layers, whatever their modes (crash)', async () => {
    await driver.create('kept');
    await driver.close();
    for (const name of ['.tmp-half', '.trash-gone']) {
      writeAt(join(home, 'dir', name), 'deep/down/file', 'rest');
      chmodSync(join(home, 'dir', name, 'deep'), 0o500);
    }
    await using again = new VfsDriver({ home });
    await again.open();
    expect(readdirSync(join(home, 'dir'))).toEqual(['kept']);
    await again.create('half', 'kept');
    expect(await again.list()).toEqual(['half', 'kept']);
  });

  it('a removal that was interrupted does not stop the next one of the same id', async () => {
    writeAt(join(home, 'dir', '.trash-x'), 'file', 'rest of an earlier removal');
    await driver.create('x');
    await driver.remove('x');
    expect(readdirSync(join(home, 'dir'))).toEqual([]);
  });

  it('a rest of a copy does not stop the next one of the same id', async () => {
    writeAt(join(home, 'dir', '.tmp-x'), 'file', 'rest of an earlier copy');
    await driver.create('x');
    expect(listing(join(home, 'dir', 'x'))).toEqual([]);
  });
});

describe('probe', () => {
  it('accepts a home that can be made and makes nothing', async () => {
    const fresh = join(base, 'not', 'yet');
    expect(await VfsDriver.probe(fresh)).toMatchObject({ supported: true });
    expect(existsSync(join(base, 'not'))).toBe(false);
  });

  it('says what is wrong with a home', async () => {
    writeFileSync(join(base, 'file'), '');
    expect(await VfsDriver.probe(join(base, 'file'))).toMatchObject({
      supported: false,
      code: 'DRIVER_PREREQUISITES',
      reason: expect.stringContaining('is not a directory'),
    });
    expect(await VfsDriver.probe('/proc/self/nowhere')).toMatchObject({ supported: false });
  });
});
