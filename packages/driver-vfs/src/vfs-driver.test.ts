import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
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
import { content, edit, listing, shown, writeAt } from './tree-on-disk.test-support.js';
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

const owner = (): { uid: number; gid: number } => ({
  uid: process.getuid?.() ?? 0,
  gid: process.getgid?.() ?? 0,
});

async function createBase(id: string): Promise<void> {
  await driver.createReadWrite(id);
  await edit(driver, id, (root) => {
    mkdirSync(join(root, 'a subdir'));
    writeFileSync(join(root, 'a file'), 'Some data');
    if (!driver.rootless) {
      chownSync(join(root, 'a subdir'), 1, 2);
      chownSync(join(root, 'a file'), 0, 0);
    }
    chmodSync(join(root, 'a subdir'), 0o1705);
    chmodSync(join(root, 'a file'), 0o4222);
    chmodSync(root, 0o711);
  });
}

async function verifyBase(id: string): Promise<void> {
  await edit(driver, id, (root) => {
    expect(readdirSync(root).sort()).toEqual(['a file', 'a subdir']);
    const directory = lstatSync(join(root, 'a subdir'));
    expect(directory.mode & 0o7777).toBe(0o1705);
    if (!driver.rootless) expect([directory.uid, directory.gid]).toEqual([1, 2]);
    const file = lstatSync(join(root, 'a file'));
    expect(file.mode & 0o7777).toBe(0o4222);
    expect(file.size).toBe(9);
    expect(lstatSync(root).mode & 0o7777).toBe(0o711);
  });
}

describe('vfs driver', () => {
  it('an empty layer is an empty directory of mode 0755 that belongs to root (CreateEmpty)', async () => {
    await driver.create('empty');
    expect(await driver.exists('empty')).toBe(true);
    const root = await driver.get('empty');
    expect(root).toBe(join(home, 'dir', 'empty'));
    const stats = lstatSync(root);
    expect(stats.mode & 0o7777).toBe(0o755);
    expect({ uid: stats.uid, gid: stats.gid }).toEqual(driver.rootless ? owner() : { uid: 0, gid: 0 });
    expect(readdirSync(root)).toEqual([]);
    await driver.put('empty');
    await driver.remove('empty');
    expect(await driver.exists('empty')).toBe(false);
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

  it('a layer keeps modes, owners and special bits (CreateBase)', async () => {
    await createBase('Base');
    await verifyBase('Base');
    await driver.remove('Base');
  });

  it('a child is a copy that outlives nothing of its parent (CreateSnap)', async () => {
    await createBase('Base');
    await driver.create('Snap', 'Base');
    await verifyBase('Snap');
    await edit(driver, 'Snap', (root) => writeFileSync(join(root, 'a file'), 'changed in the child'));
    await verifyBase('Base');
    await driver.remove('Snap');
    await driver.remove('Base');
    expect(await driver.list()).toEqual([]);
  });

  it('lists its layers and nothing else (ListLayers)', async () => {
    for (const id of ['3', '1', '2']) await driver.create(id);
    mkdirSync(join(home, 'dir', '.tmp-4'));
    expect(await driver.list()).toEqual(['1', '2', '3']);
  });

  it('a diff applied to a sibling gives the same content, and its size (DiffApply, 100 files)', async () => {
    await driver.create('base');
    await edit(driver, 'base', (root) => {
      for (let index = 0; index < 100; index++)
        writeAt(root, `directory-0/file-${index}`, content(64, index));
      writeAt(root, 'file-remove.txt', 'remove me');
      writeAt(root, 'var/lib/inner/file', 'remove me too');
    });
    await driver.create('upper', 'base');
    await edit(driver, 'upper', (root) => {
      for (let index = 0; index < 100; index++)
        writeAt(root, `directory-0/file-${index}`, content(64, index + 1000));
      rmSync(join(root, 'file-remove.txt'));
      rmSync(join(root, 'var/lib/inner'), { recursive: true });
    });
    await driver.create('sibling', 'base');
    await using diff = driver.diff('upper', 'base');
    const applied = await driver.applyDiff('sibling', 'base', layerSource(diff));
    expect(applied).toBe(6400);
    expect(await driver.diffSize('upper', 'base')).toBe(applied);
    const of = (id: string): string[] => listing(join(home, 'dir', id));
    expect(of('sibling')).toEqual(of('upper'));
    expect(await driver.changes('sibling', 'upper')).toEqual([]);
  });

  it('changes are what was changed (Changes, 20 files)', async () => {
    await driver.create('base');
    await edit(driver, 'base', (root) => {
      for (let index = 0; index < 20; index++) writeAt(root, `directory-0/file-${index}`, content(64, index));
    });
    await driver.create('upper', 'base');
    const expected = ['C /directory-0'];
    await edit(driver, 'upper', (root) => {
      for (let index = 0; index < 20; index++) {
        const path = `directory-0/file-${index}`;
        if (index % 3 === 0) {
          writeAt(root, path, content(64, index + 500));
          expected.push(`C /${path}`);
        } else if (index % 3 === 1) {
          writeAt(root, `directory-0/file-new-${index}`, content(64, index));
          expected.push(`A /directory-0/file-new-${index}`);
        } else {
          rmSync(join(root, path));
          expected.push(`D /${path}`);
        }
      }
    });
    expect(shown(await driver.changes('upper', 'base'))).toEqual(expected.sort());
  });

  for (let depth = 0; depth < 10; depth++) {
    it(`what is removed and made again at depth ${depth} is an addition (Echo)`, async () => {
      const parts = Array.from({ length: 9 }, (_, index) => `subdir${index + 1}`);
      const paths = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
      paths.push(`${paths[8]}/file`);
      const target = paths[depth] as string;
      const below = paths.slice(depth).map((path) => `A /${path}`);
      const parents = paths.slice(0, depth).map((path) => `C /${path}`);
      await driver.create('one');
      const one = await driver.get('one');
      writeAt(one, paths[9] as string, 'original');
      await driver.create('two', 'one');
      const two = await driver.get('two');
      rmSync(join(two, target), { recursive: true });
      await driver.create('three', 'two');
      const three = await driver.get('three');
      writeAt(three, paths[9] as string, 'made again');
      expect(shown(await driver.changes('one'))).toEqual(paths.map((path) => `A /${path}`).sort());
      expect(shown(await driver.changes('two', 'one'))).toEqual([...parents, `D /${target}`].sort());
      expect(shown(await driver.changes('three', 'two'))).toEqual([...parents, ...below].sort());
      for (const id of ['one', 'two', 'three']) await driver.put(id);
    });
  }

  it('has no quota and says so (SetQuota)', async () => {
    await driver.create('base');
    await expect(driver.createReadWrite('rw', 'base', { storageOpt: { size: '50M' } })).rejects.toMatchObject(
      {
        code: 'DRIVER_QUOTA_NOT_SUPPORTED',
      },
    );
    expect(() => new VfsDriver({ home, size: '50M' })).toThrow(
      expect.objectContaining({ code: 'DRIVER_QUOTA_NOT_SUPPORTED' }),
    );
    expect(await driver.exists('rw')).toBe(false);
  });

  it('the files of a layer are its directory', async () => {
    await driver.create('base');
    await using source = await driver.fileSource('base');
    expect(source.roots).toEqual([join(home, 'dir', 'base')]);
    await expect(driver.remove('base')).rejects.toMatchObject({ code: 'DRIVER_BUSY' });
  });

  it('refuses what it does not know, and removes it', async () => {
    await expect(driver.get('nothing')).rejects.toMatchObject({ code: 'DRIVER_ID_UNKNOWN' });
    await expect(driver.create('child', 'nothing')).rejects.toMatchObject({ code: 'DRIVER_ID_UNKNOWN' });
    await driver.remove('nothing');
    await driver.create('base');
    await expect(driver.create('base')).rejects.toMatchObject({ code: 'DRIVER_ID_EXISTS' });
    expect(() => new VfsDriver({ home, quota: true } as never)).toThrow(
      expect.objectContaining({ code: 'OPTION_UNKNOWN' }),
    );
    expect(() => new VfsDriver({ home, rootless: 'yes' } as never)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    );
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
