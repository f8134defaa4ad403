import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { VfsDriver } from '@x/driver-vfs';
import { type DriverFactory, LayerStore, memoryMetadata, SCHEMA_VERSION } from '@x/layer-store';
import { Level } from 'level';
import { itWith, rootPrivilege } from '../capability/capability.js';
import { type ScratchDirectory, scratchDirectory } from '../scratch/scratch-directory.js';
import { chunked, smallLayer } from './small-layer.js';
import { openDescriptors } from './store-under-test.js';

let scratch: ScratchDirectory;
let root: string;

beforeEach(async () => {
  scratch = await scratchDirectory();
  root = path.join(scratch.path, 'store');
});
afterEach(async () => {
  await scratch[Symbol.asyncDispose]();
});

const vfs = (): VfsDriver => new VfsDriver({ home: path.join(scratch.path, 'vfs') });

const FACTORY: DriverFactory = {
  name: 'vfs',
  probe: (home) => VfsDriver.probe(home),
  create: ({ home, idMap }) => new VfsDriver({ home, ...(idMap === undefined ? {} : { idMap }) }),
};

async function mode(file: string): Promise<number> {
  return (await stat(file)).mode & 0o7777;
}

describe('opening', () => {
  it('SEC-50 makes a root that nobody else can look into, and no more than it says', async () => {
    await using store = await LayerStore.open({ root, driver: vfs() });
    expect(store.root).toBe(root);
    expect(store.driverName).toBe('vfs');
    expect(await mode(root)).toBe(0o700);
    expect((await readdir(path.join(root, 'image', 'vfs'))).toSorted()).toEqual([
      'db',
      'staging',
      'tar-split',
    ]);
  });

  it('tightens an empty directory and a store that are open to others', async () => {
    await mkdir(root);
    await chmod(root, 0o755);
    await (await LayerStore.open({ root, driver: vfs() })).close();
    expect(await mode(root)).toBe(0o700);
    await chmod(root, 0o777);
    await (await LayerStore.open({ root, driver: vfs() })).close();
    expect(await mode(root)).toBe(0o700);
  });

  it('refuses a directory that is open to others and holds other things, and leaves it alone', async () => {
    await mkdir(root);
    await chmod(root, 0o755);
    await writeFile(path.join(root, 'thesis.txt'), 'precious');
    await expect(LayerStore.open({ root, driver: vfs() })).rejects.toMatchObject({
      code: 'STORE_ROOT_INVALID',
    });
    expect(await mode(root)).toBe(0o755);
    expect(await readdir(root)).toEqual(['thesis.txt']);
  });

  it('refuses a root that is a file, or below one', async () => {
    await writeFile(root, '');
    for (const bad of [root, path.join(root, 'below')]) {
      await expect(LayerStore.open({ root: bad, driver: vfs() })).rejects.toMatchObject({
        code: 'STORE_ROOT_INVALID',
        message: expect.stringContaining(root),
      });
    }
  });

  itWith(rootPrivilege())('refuses a root of another user', async () => {
    await mkdir(root, { mode: 0o700 });
    await chown(root, 1234, 1234);
    await expect(LayerStore.open({ root, driver: vfs() })).rejects.toMatchObject({
      code: 'STORE_ROOT_INVALID',
    });
  });

  itWith(rootPrivilege())('refuses what the user may not write to, with the errno', async () => {
    await mkdir(root, { mode: 0o700 });
    const script = `
      process.setgid(65534); process.setuid(65534);
      const { LayerStore } = await import('@x/layer-store');
      const { VfsDriver } = await import('@x/driver-vfs');
      const root = process.argv[1] + '/mine';
      const store = LayerStore.open({ root, driver: new VfsDriver({ home: root + '/vfs' }) });
      await store.then(() => console.log('opened'), (error) => console.log(error.code + ' ' + error.errno));`;
    const said = await new Promise<string>((resolve) => {
      execFile(
        process.execPath,
        ['--input-type=module', '-e', script, root],
        { cwd: import.meta.dirname },
        (_, out, err) => {
          resolve(`${out.trim()}${err}`);
        },
      );
    });
    expect(said).toBe('STORE_ROOT_INVALID EACCES');
  });

  it('a second opener is refused, in this process by any path and in another with our pid', async () => {
    await using store = await LayerStore.open({ root, driver: vfs() });
    await store.register(chunked(smallLayer({ a: '' }).bytes));
    const alias = path.join(scratch.path, 'alias');
    await symlink(root, alias);
    for (const same of [root, alias]) {
      await expect(LayerStore.open({ root: same, driver: vfs() })).rejects.toMatchObject({
        code: 'STORE_LOCKED',
      });
    }
    const script = `
      const { LayerStore } = await import('@x/layer-store');
      const { VfsDriver } = await import('@x/driver-vfs');
      const store = LayerStore.open({ root: process.argv[1], driver: new VfsDriver({ home: process.argv[2] }) });
      await store.then(() => console.log('opened'), (error) => console.log(error.code + ' ' + error.actual));`;
    const said = await new Promise<string>((resolve) => {
      const args = ['--input-type=module', '-e', script, root, path.join(scratch.path, 'vfs')];
      execFile(process.execPath, args, { cwd: import.meta.dirname }, (_, out, err) =>
        resolve(`${out.trim()}${err}`),
      );
    });
    expect(said).toBe(`STORE_LOCKED ${process.pid}`);
    expect(store.map().size).toBe(1);
  });

  it('a store of a newer schema is refused and not touched', async () => {
    await (await LayerStore.open({ root, driver: vfs() })).close();
    const level = new Level<string, string>(path.join(root, 'image/vfs/db'), { valueEncoding: 'utf8' });
    await level.put('meta', JSON.stringify({ schema: SCHEMA_VERSION + 1, storeId: 'x', generation: 7 }));
    await level.close();
    await expect(LayerStore.open({ root, driver: vfs() })).rejects.toMatchObject({
      code: 'STORE_SCHEMA_NEWER',
    });
    await level.open();
    expect(await level.get('meta')).toContain('"generation":7');
    await level.close();
  });

  it('a failed open holds nothing: no lock, no descriptor', async () => {
    await (await LayerStore.open({ root, driver: vfs() })).close();
    const database = path.join(root, 'image/vfs/db');
    await rm(database, { recursive: true });
    await writeFile(database, 'no directory');
    const descriptors = await openDescriptors();
    for (let n = 0; n < 3; n += 1) {
      await expect(LayerStore.open({ root, driver: vfs() })).rejects.toMatchObject({
        code: 'STORE_METADATA_FAILED',
      });
    }
    expect(await openDescriptors()).toBeLessThanOrEqual(descriptors);
    await rm(database);
    await (await LayerStore.open({ root, driver: vfs() })).close();
  });

  it.each<[string, object, string]>([
    ['an unknown option', { drivr: 'vfs' }, 'OPTION_UNKNOWN'],
    ['no root', { root: undefined }, 'OPTION_INVALID'],
    ['an empty root', { root: '' }, 'OPTION_INVALID'],
    ['a driver that is none', { driver: {} }, 'OPTION_INVALID'],
    ['a driver name with a slash', { driver: '../x' }, 'OPTION_INVALID'],
    ['a driver nobody registered', { driver: 'zfs' }, 'DRIVER_UNKNOWN'],
    ['a driver registered twice', { driver: 'vfs', drivers: [FACTORY, FACTORY] }, 'DRIVER_DUPLICATE'],
    ['auto without any driver', { driver: 'auto' }, 'DRIVER_NOT_SUPPORTED'],
    ['sync that is no boolean', { sync: 'yes' }, 'OPTION_INVALID'],
  ])('refuses %s', async (_what, options, code) => {
    await expect(LayerStore.open({ root, ...options } as never)).rejects.toMatchObject({ code });
  });

  it.each(['vfs', 'auto'])('makes the driver itself, under the root, for the name %s', async (driver) => {
    await using store = await LayerStore.open({ root, driver, drivers: [FACTORY] });
    await store.register(chunked(smallLayer({ a: '' }).bytes));
    expect(await readdir(path.join(root, 'vfs'))).not.toEqual([]);
  });

  it('each driver has its own layers', async () => {
    await using store = await LayerStore.open({ root, driver: vfs(), metadata: memoryMetadata() });
    await store.register(chunked(smallLayer({ a: '' }).bytes));
    expect(store.map().size).toBe(1);
  });

  it('2,000 layers are all there after every reopening', async () => {
    const home = path.join(root, 'vfs');
    {
      await using store = await LayerStore.open({ root, driver: new VfsDriver({ home }), sync: false });
      for (let n = 0; n < 2000; n += 20) {
        await Promise.all(
          Array.from({ length: 20 }, (_, k) =>
            store.register(chunked(smallLayer({ [`f${n + k}`]: '' }).bytes)),
          ),
        );
      }
    }
    for (let n = 0; n < 3; n += 1) {
      await using store = await LayerStore.open({ root, driver: new VfsDriver({ home }) });
      expect(store.map().size).toBe(2000);
      expect(await store.diagnose()).toEqual([]);
    }
  }, 120_000);
});
