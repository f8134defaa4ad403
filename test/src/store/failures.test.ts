import { execFileSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { VfsDriver } from '@x/driver-vfs';
import { LayerStore, type RWLayer } from '@x/layer-store';
import { FAILPOINTS, type Failpoint, setFailpointHook } from '@x/layer-store/testing';
import { itWith, rootPrivilege } from '../capability/capability.js';
import { type ScratchDirectory, scratchDirectory } from '../scratch/scratch-directory.js';
import { chunked, collect, smallLayer } from './small-layer.js';
import { StoreUnderTest } from './store-under-test.js';

/*
 * A step that fails, without the process dying: the operation rejects with that failure, the store is as before, and the
 * same operation succeeds once the failure is gone. What could not be cleaned up is cleaned up later.
 */

const BASE = smallLayer({ base: 'base' });
const LAYER = smallLayer({ file: 'content' });

let under: StoreUnderTest;

beforeEach(async () => {
  under = await StoreUnderTest.open();
  await under.store.register(chunked(BASE.bytes));
});
afterEach(async () => {
  setFailpointHook(undefined);
  await under[Symbol.asyncDispose]();
});

/** The disk is full when the named steps begin. */
function failAt(...names: readonly string[]): void {
  setFailpointHook((name, phase) => {
    if (phase === 'before' && names.includes(name)) {
      throw Object.assign(new Error(`ENOSPC: no space left on device (${name})`), {
        code: 'ENOSPC',
        errno: -28,
      });
    }
  });
}

const points = (prefix: string): Failpoint[] => FAILPOINTS.filter((name) => name.startsWith(prefix));

describe('a failing step', () => {
  it.each(points('register.').filter((name) => name !== 'register.clear'))(
    'of register: %s',
    async (name) => {
      failAt(name);
      await expect(under.store.register(chunked(LAYER.bytes), BASE.diffId)).rejects.toMatchObject({
        code: 'ENOSPC',
      });
      setFailpointHook(undefined);
      await under.expectTidy();
      expect(under.store.map().size).toBe(1);
      const layer = await under.store.register(chunked(LAYER.bytes), BASE.diffId);
      expect(await collect(layer.tarStream())).toEqual(LAYER.bytes);
      await under.expectTidy();
    },
  );

  it.each(points('rw-create.'))('of the creation of a read-write layer: %s', async (name) => {
    failAt(name);
    const create = (): Promise<RWLayer> =>
      under.store.createRWLayer('web', BASE.diffId, { init: () => undefined });
    await expect(create()).rejects.toMatchObject({ code: 'ENOSPC' });
    setFailpointHook(undefined);
    await under.expectTidy();
    expect(under.store.mounts()).toEqual([]);
    await create();
    await under.expectTidy();
  });

  it.each(points('undo.'))('of cleaning up after a failure: %s is made up for later', async (name) => {
    failAt('register.commit', name);
    await expect(under.store.register(chunked(LAYER.bytes), BASE.diffId)).rejects.toMatchObject({
      message: expect.stringContaining('register.commit'),
    });
    expect(await under.store.diagnose()).toEqual([expect.objectContaining({ kind: 'pending-deletion' })]);
    setFailpointHook(undefined);
    await under.store.cleanup();
    await under.expectTidy();
  });

  it('of recording a deletion: the handle is still good, and so is the layer', async () => {
    const layer = await under.store.register(chunked(LAYER.bytes), BASE.diffId);
    failAt('release.commit');
    await expect(under.store.release(layer)).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(layer.retained).toBe(true);
    expect(await collect(layer.tarStream())).toEqual(LAYER.bytes);
    setFailpointHook(undefined);
    expect(await under.store.release(layer)).toHaveLength(1);
    await under.expectTidy();
  });

  it('of recording the deletion of a read-write layer: the handle is taken back, and can be released again', async () => {
    const rw = await under.store.createRWLayer('web', BASE.diffId);
    failAt('rw-release.commit');
    await expect(under.store.releaseRWLayer(rw)).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(rw.retained).toBe(true);
    await rw.mount();
    await rw.unmount();
    expect(under.store.mounts()).toHaveLength(1);
    setFailpointHook(undefined);
    await under.store.releaseRWLayer(rw);
    expect(under.store.mounts()).toEqual([]);
    await under.expectTidy();
  });

  it.each(points('removal.'))(
    'of deleting: %s is reported and made up for by the next open',
    async (name) => {
      const layer = await under.store.register(chunked(LAYER.bytes), BASE.diffId);
      failAt(name);
      const removed = await under.store.release(layer);
      expect(removed).toHaveLength(1);
      expect(removed.errors).toHaveLength(1);
      setFailpointHook(undefined);
      await under.reopen();
      await under.expectTidy();
    },
  );
});

describe('a full disk', () => {
  let scratch: ScratchDirectory;

  beforeEach(async () => {
    scratch = await scratchDirectory();
  });
  afterEach(async () => {
    await scratch[Symbol.asyncDispose]();
  });

  async function onSmallDisk(use: (root: string) => Promise<void>): Promise<void> {
    const disk = path.join(scratch.path, 'disk');
    await mkdir(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=700', 'tmpfs', disk]);
    try {
      await use(disk);
    } finally {
      execFileSync('umount', [disk]);
    }
  }

  itWith(rootPrivilege())(
    'refuses a layer that does not fit, keeps what is there, and takes one that fits',
    async () => {
      await onSmallDisk(async (disk) => {
        const home = path.join(disk, 'vfs');
        await using store = await LayerStore.open({
          root: path.join(disk, 'store'),
          driver: new VfsDriver({ home }),
        });
        await store.register(chunked(BASE.bytes));
        const large = smallLayer({ a: 'a'.repeat(1_500_000), b: 'b'.repeat(6_000_000) });
        for (let attempt = 0; attempt < 3; attempt += 1) {
          await expect(store.register(chunked(large.bytes), BASE.diffId)).rejects.toMatchObject({
            errno: 'ENOSPC',
          });
          expect(await store.diagnose()).toEqual([]);
          expect(store.map().size).toBe(1);
        }
        const layer = await store.register(chunked(LAYER.bytes), BASE.diffId);
        expect(await collect(layer.tarStream())).toEqual(LAYER.bytes);
      });
    },
  );

  itWith(rootPrivilege())('refuses a layer whose record does not fit although its files do', async () => {
    await onSmallDisk(async (root) => {
      await using elsewhere = await scratchDirectory();
      const driver = new VfsDriver({ home: path.join(elsewhere.path, 'vfs') });
      await using store = await LayerStore.open({ root, driver });
      await store.register(chunked(BASE.bytes));
      execFileSync('sh', ['-c', 'head -c 10m /dev/zero > "$0/ballast" 2>/dev/null; true', root]);
      await expect(store.register(chunked(LAYER.bytes), BASE.diffId)).rejects.toMatchObject({
        code: expect.stringMatching(/^(ARCHIVE|STORE|DRIVER)_/),
      });
      expect(store.map().size).toBe(1);
      execFileSync('rm', [path.join(root, 'ballast')]);
      await store.cleanup();
      expect(await store.diagnose()).toEqual([]);
      const layer = await store.register(chunked(LAYER.bytes), BASE.diffId);
      expect(await collect(layer.tarStream())).toEqual(LAYER.bytes);
    });
  });
});
