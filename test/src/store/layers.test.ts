import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { formatChange } from '@x/archive';
import { chainIdOf, EMPTY_LAYER, EMPTY_LAYER_DIFF_ID, type Layer, parseDiffId } from '@x/layer-store';
import { chunked, collect, type SmallTree, sha256, smallLayer } from './small-layer.js';
import { StoreUnderTest } from './store-under-test.js';

let under: StoreUnderTest;

beforeEach(async () => {
  under = await StoreUnderTest.open({ sync: false });
});
afterEach(() => under[Symbol.asyncDispose]());

async function register(tree: SmallTree, parent?: Layer): Promise<Layer> {
  return under.store.register(chunked(smallLayer(tree).bytes), parent?.chainId);
}

describe('the empty layer (EmptyLayer)', () => {
  it('has the known ids, nothing in it, and the digest it claims', async () => {
    expect(EMPTY_LAYER.chainId).toBe(EMPTY_LAYER_DIFF_ID);
    expect(EMPTY_LAYER.diffId).toBe(EMPTY_LAYER_DIFF_ID);
    expect(EMPTY_LAYER.parent).toBeUndefined();
    expect([EMPTY_LAYER.size(), EMPTY_LAYER.diffSize()]).toEqual([0, 0]);
    expect(await EMPTY_LAYER.metadata()).toEqual({});
    expect(sha256(await collect(EMPTY_LAYER.tarStream()))).toBe(EMPTY_LAYER_DIFF_ID);
    expect(sha256(await collect(EMPTY_LAYER.tarStreamFrom('')))).toBe(EMPTY_LAYER_DIFF_ID);
    expect(() => EMPTY_LAYER.tarStreamFrom(EMPTY_LAYER_DIFF_ID)).toThrow(
      expect.objectContaining({ code: 'LAYER_NOT_ANCESTOR' }),
    );
  });

  it('can be registered like any other', async () => {
    const layer = await under.store.register(EMPTY_LAYER.tarStream());
    expect(layer.chainId).toBe(EMPTY_LAYER.chainId);
    expect(sha256(await collect(layer.tarStream()))).toBe(EMPTY_LAYER_DIFF_ID);
  });
});

describe('registering and releasing', () => {
  it('a layer made of a read-write layer shows its content when mounted (MountAndRegister)', async () => {
    const { store } = under;
    const base = await register({ 'etc/': '', 'etc/base': 'from the base' });
    const rw = await store.createRWLayer('edit', base.chainId);
    await writeFile(path.join(await rw.mount(), 'added'), 'hello');
    await rw.unmount();
    const layer = await store.commit(rw);
    expect(layer.parent?.chainId).toBe(base.chainId);
    const look = await store.createRWLayer('look', layer.chainId);
    const mounted = await look.mount();
    expect(await readFile(path.join(mounted, 'added'), 'utf8')).toBe('hello');
    expect(await readFile(path.join(mounted, 'etc/base'), 'utf8')).toBe('from the base');
    await look.unmount();
    expect(await store.releaseRWLayer(look)).toHaveLength(0);
    expect(await store.releaseRWLayer(rw)).toHaveLength(0);
    await under.expectTidy();
  });

  it('layers go when nothing refers to them, child first (LayerRelease)', async () => {
    const { store } = under;
    const first = await register({ one: 'layer 1' });
    const second = await register({ two: 'layer 2' }, first);
    const left = await register({ 'three-a': 'layer 3a' }, second);
    const right = await register({ 'three-b': 'layer 3b' }, second);
    expect(await store.release(first)).toHaveLength(0);
    expect(await store.release(second)).toHaveLength(0);
    expect(store.map().size).toBe(4);
    expect([...(await store.release(right))]).toEqual([
      { chainId: right.chainId, diffId: right.diffId, size: 22, diffSize: 8 },
    ]);
    expect([...(await store.release(left))]).toEqual([
      { chainId: left.chainId, diffId: left.diffId, size: 22, diffSize: 8 },
      { chainId: second.chainId, diffId: second.diffId, size: 14, diffSize: 7 },
      { chainId: first.chainId, diffId: first.diffId, size: 7, diffSize: 7 },
    ]);
    expect(store.map().size).toBe(0);
    await under.expectTidy();
  });

  it('a chain and a mount are as before after reopening (StoreRestore)', async () => {
    const base = await register({ base: 'base' });
    const middle = await register({ middle: 'middle' }, base);
    const top = await register({ top: 'top' }, middle);
    const rw = await under.store.createRWLayer('some-mount', top.chainId, {
      init: (at) => writeFile(path.join(at, 'init'), 'i'),
    });
    await writeFile(path.join(await rw.mount(), 'kept'), 'kept');
    await rw.unmount();
    const seen = [...under.store.map().values()].map((layer) =>
      [layer.chainId, layer.cacheId, layer.size(), layer.parent?.chainId].join(' '),
    );
    const mountId = under.store.getMountId('some-mount');

    const store = await under.reopen();
    expect(
      [...store.map().values()]
        .map((layer) => [layer.chainId, layer.cacheId, layer.size(), layer.parent?.chainId].join(' '))
        .toSorted(),
    ).toEqual(seen.toSorted());
    await expect(store.createRWLayer('some-mount', base.chainId)).rejects.toMatchObject({
      code: 'MOUNT_NAME_CONFLICT',
    });
    expect(store.getMountId('some-mount')).toBe(mountId);
    const again = await store.getRWLayer('some-mount');
    const mounted = await again.mount();
    expect(await again.mount()).toBe(mounted);
    expect(await readFile(path.join(mounted, 'kept'), 'utf8')).toBe('kept');
    await again.unmount();
    await again.unmount();
    const handle = await store.get(top.chainId);
    expect(await store.releaseRWLayer(again)).toHaveLength(0);
    expect(await store.releaseRWLayer(again)).toHaveLength(0);
    expect((await store.release(handle)).map(({ chainId }) => chainId)).toEqual([
      top.chainId,
      middle.chainId,
      base.chainId,
    ]);
    await under.expectTidy();
  });

  it('streams come back byte for byte whatever else lies in the layer directory (TarStreamStability)', async () => {
    const one = smallLayer({ 'a/': '', 'a/file': 'x'.repeat(3000) });
    const two = smallLayer({ 'a/other': 'y' });
    const first = await under.store.register(chunked(one.bytes));
    await writeFile(path.join(under.layerDirectory(first.cacheId), 'alien'), 'alien');
    const second = await under.store.register(chunked(two.bytes, 7), first.chainId);
    expect(await collect(first.tarStream())).toEqual(one.bytes);
    expect(await collect(second.tarStream())).toEqual(two.bytes);
    expect(await under.store.release(first)).toHaveLength(0);
    const kept = await under.store.get(first.chainId);
    expect(await collect(kept.tarStream())).toEqual(one.bytes);
    expect(await collect(second.tarStream())).toEqual(two.bytes);
  });

  it('the same layer twice is one layer with two handles (RegisterExistingLayer)', async () => {
    const base = await register({ base: '' });
    const first = await register({ file: 'content' }, base);
    const second = await register({ file: 'content' }, base);
    expect(second).not.toBe(first);
    expect(second.chainId).toBe(first.chainId);
    expect(second.cacheId).toBe(first.cacheId);
    expect(first.referenceCount).toBe(2);
    expect(await under.store.release(first)).toHaveLength(0);
    await expect(under.store.release(first)).rejects.toMatchObject({ code: 'LAYER_NOT_RETAINED' });
    expect(await under.store.release(second)).toHaveLength(1);
    expect(await under.store.release(second)).toHaveLength(0);
    await under.expectTidy();
  });

  it('a stream that is not the registered one does not end well (TarStreamVerification)', async () => {
    const first = await register({ file: { content: 'same', mode: 0o644 } });
    const second = await register({ file: { content: 'same', mode: 0o600 } });
    const [one, two, aside] = [
      under.tarSplit(first.cacheId),
      under.tarSplit(second.cacheId),
      under.tarSplit('aside'),
    ];
    await rename(one, aside);
    await rename(two, one);
    await rename(aside, two);
    for (const layer of [first, second]) {
      await expect(collect(layer.tarStream())).rejects.toMatchObject({
        code: 'LAYER_UNVERIFIED',
        message: expect.stringContaining('could not verify layer data'),
        chainId: layer.chainId,
      });
    }
  });

  it('the last chunk of a stream comes only when the digest of all was right', async () => {
    const first = await register({ file: { content: 'same', mode: 0o644 } });
    const second = await register({ file: { content: 'same', mode: 0o600 } });
    await rename(under.tarSplit(second.cacheId), under.tarSplit(first.cacheId));
    let chunks = 0;
    const reading = (async () => {
      for await (const _ of first.tarStream()) chunks++;
    })();
    await expect(reading).rejects.toMatchObject({ code: 'LAYER_UNVERIFIED' });
    expect(chunks).toBe(0);
  });

  it('a stream takes its chunks back and fills them again', async () => {
    const layer = await register({ file: 'content '.repeat(1024 * 1024) });
    const stream = layer.tarStream();
    const memories = new Set<ArrayBufferLike>();
    const hash = createHash('sha256');
    for await (const chunk of stream) {
      memories.add(chunk.buffer);
      hash.update(chunk);
      stream.recycle(chunk);
    }
    expect(`sha256:${hash.digest('hex')}`).toBe(layer.diffId);
    // as many as are read ahead, laid out, withheld and looked at: fewer than the nine of the whole
    expect(memories.size).toBeLessThanOrEqual(5);
  });

  it('a file edited behind the store is found when the layer is streamed', async () => {
    const layer = await register({ file: 'content' });
    await writeFile(path.join(under.layerDirectory(layer.cacheId), 'file'), 'CONTENT');
    await expect(collect(layer.tarStream())).rejects.toMatchObject({ code: 'ARCHIVE_FILE_CORRUPT' });
  });

  it('sizes are those of the content, and add up along the chain (LayerSize)', async () => {
    const base = await register({ 'd/': '', 'd/a': 'four', '.wh.gone': '' });
    const top = await register({ b: 'three' }, base);
    expect([base.diffSize(), base.size()]).toEqual([4, 4]);
    expect([top.diffSize(), top.size()]).toEqual([5, 9]);
  });

  it('ids are those of the algebra', async () => {
    const layers = [smallLayer({ a: '1' }), smallLayer({ b: '2' }), smallLayer({ c: '3' })];
    let top: Layer | undefined;
    for (const { bytes } of layers) top = await under.store.register(chunked(bytes), top?.chainId);
    expect(top?.chainId).toBe(
      chainIdOf(
        undefined,
        layers.map(({ diffId }) => parseDiffId(diffId)),
      ),
    );
  });

  it('a flattened stream holds what the chain adds to an ancestor, and refuses who is none', async () => {
    const base = await register({ base: 'base' });
    const middle = await register({ middle: 'middle' }, base);
    const top = await register({ top: 'top', '.wh.base': '' }, middle);
    const squashed = await under.store.register(top.tarStreamFrom(base.chainId), base.chainId);
    const rw = await under.store.createRWLayer('squashed', squashed.chainId);
    const mounted = await rw.mount();
    expect(execFileSync('ls', [mounted]).toString()).toBe('middle\ntop\n');
    await rw.unmount();
    const all = await under.store.register(top.tarStreamFrom());
    expect(all.parent).toBeUndefined();
    expect(all.diffSize()).toBe(9);
    expect(() => base.tarStreamFrom(top.chainId)).toThrow(
      expect.objectContaining({ code: 'LAYER_NOT_ANCESTOR' }),
    );
  });

  it('prune deletes what nothing refers to, but for what is to be kept with its ancestors', async () => {
    const base = await register({ base: '' });
    const kept = await register({ kept: '' }, base);
    const alsoGone = await register({ gone: '' }, base);
    const alone = await register({ alone: '' });
    const mountedOn = await register({ mounted: '' });
    await under.store.createRWLayer('m', mountedOn.chainId);
    const held = await register({ held: '' });
    const store = await under.reopen();
    await store.get(held.chainId);
    const removed = await store.prune({ keep: [kept.chainId] });
    expect(removed.map(({ chainId }) => chainId).toSorted()).toEqual(
      [alsoGone.chainId, alone.chainId].toSorted(),
    );
    expect([...store.map().keys()].toSorted()).toEqual(
      [base, kept, mountedOn, held].map(({ chainId }) => chainId).toSorted(),
    );
    await under.expectTidy();
  });

  it('labels and descriptors are given back after reopening', async () => {
    const { bytes, diffId } = smallLayer({ a: '' });
    const descriptor = {
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      digest: diffId,
      size: bytes.length,
    };
    const { chainId } = await under.store.register(chunked(bytes), '', { labels: { who: 'me' }, descriptor });
    const store = await under.reopen();
    expect(store.map().get(chainId)?.labels).toEqual({ who: 'me' });
    expect(store.map().get(chainId)?.descriptor).toEqual(descriptor);
  });

  it('data that cannot be deleted is reported and deleted later (RemoveImageGarbageCollector)', async () => {
    const base = await register({ base: 'base' });
    const layer = await register({ file: 'content' }, base);
    const directory = under.layerDirectory(layer.cacheId);
    under.driver.failRemovalOf(layer.cacheId);
    await under.store.release(base);
    const removed = await under.store.release(layer);
    expect(removed.map(({ chainId }) => chainId)).toEqual([layer.chainId, base.chainId]);
    expect(removed.errors).toEqual([expect.objectContaining({ code: 'DRIVER_FAILED', errno: 'EPERM' })]);
    expect(under.store.map().size).toBe(0);
    expect(await readFile(path.join(directory, 'file'), 'utf8')).toBe('content');
    await under.store.cleanup();
    expect(await under.store.diagnose()).toEqual([
      expect.objectContaining({ kind: 'pending-deletion', driverIds: [layer.cacheId] }),
    ]);
    under.driver.failRemovalOf(undefined);
    await under.store.cleanup();
    await under.expectTidy();
  });

  it('a deletion that failed is done by the next open', async () => {
    const layer = await register({ file: 'content' });
    under.driver.failRemovalOf(layer.cacheId);
    await under.store.release(layer);
    await under.reopen();
    expect(await under.onDisk()).toEqual({ driverIds: [], tarSplits: [], staging: [] });
    await under.expectTidy();
  });
});

describe('read-write layers', () => {
  it('what init writes is there, over the base, with its mode (MountInit)', async () => {
    const base = await register({ file: 'base' });
    const rw = await under.store.createRWLayer('init', base.chainId, {
      init: async (at) => {
        await writeFile(path.join(at, 'file'), 'init');
        await chmod(path.join(at, 'file'), 0o777);
      },
    });
    const file = path.join(await rw.mount(), 'file');
    expect(await readFile(file, 'utf8')).toBe('init');
    expect((await stat(file)).mode & 0o777).toBe(0o777);
  });

  it('only what was written afterwards counts (MountSize)', async () => {
    const base = await register({ file: 'base content' });
    const rw = await under.store.createRWLayer('size', base.chainId, {
      init: (at) => writeFile(path.join(at, 'init'), 'init content'),
    });
    const mounted = await rw.mount();
    await writeFile(path.join(mounted, 'new'), 'new');
    expect(await rw.size()).toBe(3);
  });

  it('changes are modify, delete, modify, add; init content is none (MountChanges)', async () => {
    const base = await register({ testfile1: 'hello', testfile2: 'hello', testfile3: 'hello' });
    const rw = await under.store.createRWLayer('changes', base.chainId, {
      init: (at) => writeFile(path.join(at, 'testfile4'), 'init'),
    });
    const mounted = await rw.mount();
    await writeFile(path.join(mounted, 'testfile1'), 'mount data!');
    await chmod(path.join(mounted, 'testfile1'), 0o755);
    await unlink(path.join(mounted, 'testfile2'));
    await chmod(path.join(mounted, 'testfile3'), 0o600);
    await writeFile(path.join(mounted, 'testfile5'), 'new');
    expect((await rw.changes()).map(formatChange)).toEqual([
      'C /testfile1',
      'D /testfile2',
      'C /testfile3',
      'A /testfile5',
    ]);
  });

  it('a layer can be unpacked onto one (MountApply)', async () => {
    const base = await register({ base: '' });
    const other = await register({ file: 'applied' });
    const rw = await under.store.createRWLayer('apply', base.chainId);
    expect(await rw.applyDiff(other.tarStream())).toBe(7);
    expect(await readFile(path.join(await rw.mount(), 'file'), 'utf8')).toBe('applied');
  });

  it('each handle counts its own mounts', async () => {
    const { store } = under;
    const rw = await store.createRWLayer('m');
    const other = await store.getRWLayer('m');
    await expect(rw.unmount()).rejects.toMatchObject({ code: 'MOUNT_NOT_MOUNTED' });
    await rw.mount();
    await expect(other.unmount()).rejects.toMatchObject({ code: 'MOUNT_NOT_MOUNTED' });
    await expect(store.releaseRWLayer(rw)).rejects.toMatchObject({ code: 'MOUNT_ACTIVE' });
    expect(rw.retained).toBe(true);
    expect(await store.releaseRWLayer(rw, { force: true })).toHaveLength(0);
    await expect(store.releaseRWLayer(rw)).rejects.toMatchObject({ code: 'LAYER_NOT_RETAINED' });
    for (const use of [() => rw.mount(), () => rw.unmount(), () => rw.changes(), () => rw.size()]) {
      await expect(use()).rejects.toMatchObject({ code: 'LAYER_NOT_RETAINED' });
    }
    expect(() => rw.tarStream()).toThrow(expect.objectContaining({ code: 'LAYER_NOT_RETAINED' }));
    await store.releaseRWLayer(other);
    await expect(store.getRWLayer('m')).rejects.toMatchObject({ code: 'MOUNT_NOT_FOUND' });
    expect(() => store.getMountId('m')).toThrow(expect.objectContaining({ code: 'MOUNT_NOT_FOUND' }));
    await under.expectTidy();
  });

  it('the last handle takes the parent along if nothing else refers to it', async () => {
    const base = await register({ base: '' });
    const rw = await under.store.createRWLayer('m', base.chainId);
    expect(await under.store.release(base)).toHaveLength(0);
    expect((await under.store.releaseRWLayer(rw)).map(({ chainId }) => chainId)).toEqual([base.chainId]);
    await under.expectTidy();
  });

  it('a failing init leaves nothing', async () => {
    const base = await register({ base: '' });
    const init = (): never => {
      throw new Error('init failed');
    };
    await expect(under.store.createRWLayer('m', base.chainId, { init })).rejects.toThrow('init failed');
    await under.expectTidy();
    await under.store.createRWLayer('m', base.chainId);
    await under.expectTidy();
  });

  it.each(['', '.', '..', 'a/b', 'nul\0', 'x'.repeat(256), 'ü'.repeat(128)])(
    '%j cannot be a name',
    async (name) => {
      await expect(under.store.createRWLayer(name)).rejects.toMatchObject({ code: 'MOUNT_NAME_INVALID' });
      await under.expectTidy();
    },
  );

  it('a size is refused by a driver without quota', async () => {
    const storageOpt = { size: '1G' };
    await expect(under.store.createRWLayer('m', undefined, { storageOpt })).rejects.toMatchObject({
      code: 'DRIVER_QUOTA_NOT_SUPPORTED',
    });
    await under.expectTidy();
  });
});
