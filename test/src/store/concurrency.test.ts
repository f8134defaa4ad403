import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { childChainId, type Layer, parseChainId, parseDiffId } from '@x/layer-store';
import { chunked, collect, sha256, smallLayer } from './small-layer.js';
import { StoreUnderTest } from './store-under-test.js';

const BASE = smallLayer({ base: 'base' });
const LAYER = smallLayer({ file: 'f'.repeat(20_000) });

let under: StoreUnderTest;

beforeEach(async () => {
  under = await StoreUnderTest.open({ sync: false });
  await under.store.register(chunked(BASE.bytes));
});
afterEach(() => under[Symbol.asyncDispose]());

describe('many at once', () => {
  it('50 registers of the same layer end in one layer with 50 handles and one driver directory', async () => {
    const registers = Array.from({ length: 50 }, () =>
      under.store.register(chunked(LAYER.bytes), BASE.diffId),
    );
    const handles = await Promise.all(registers);
    expect(new Set(handles).size).toBe(50);
    expect(new Set(handles.map(({ cacheId }) => cacheId)).size).toBe(1);
    expect(handles[0]?.referenceCount).toBe(50);
    await under.expectTidy();
    const removed = (await Promise.all(handles.map((handle) => under.store.release(handle)))).flat();
    expect(removed.map(({ chainId }) => chainId)).toContain(handles[0]?.chainId);
    await under.expectTidy();
  });

  it('announced registers of the same layer read one stream', async () => {
    let opened = 0;
    async function* source(): AsyncGenerator<Uint8Array, void, undefined> {
      opened += 1;
      yield* chunked(LAYER.bytes, 1000);
    }
    const options = { expectedDiffId: LAYER.diffId };
    const handles = await Promise.all(
      Array.from({ length: 20 }, () => under.store.register(source(), BASE.diffId, options)),
    );
    expect(opened).toBe(1);
    expect(handles[0]?.referenceCount).toBe(20);
    await under.store.register(source(), BASE.diffId, options);
    expect(opened).toBe(1);
  });

  it('when the first of them fails the next does the work', async () => {
    async function* broken(): AsyncGenerator<Uint8Array, void, undefined> {
      yield LAYER.bytes.subarray(0, 600);
      await turn();
      throw new Error('connection lost');
    }
    const options = { expectedDiffId: LAYER.diffId };
    const first = under.store.register(broken(), BASE.diffId, options);
    const second = under.store.register(chunked(LAYER.bytes), BASE.diffId, options);
    await expect(first).rejects.toMatchObject({ code: 'ARCHIVE_IO' });
    expect((await second).diffId).toBe(LAYER.diffId);
    await under.expectTidy();
  });

  it('SEC-49 a register whose input stalls holds no lock: everybody else goes on', async () => {
    const stop = new AbortController();
    const stalled = new Promise<never>(() => undefined);
    let reached = (): void => undefined;
    const hanging = new Promise<void>((resolve) => {
      reached = resolve;
    });
    async function* hangs(): AsyncGenerator<Uint8Array, void, undefined> {
      yield LAYER.bytes.subarray(0, 600);
      reached();
      await stalled;
    }
    const blocked = under.store.register(hangs(), BASE.diffId, { signal: stop.signal });
    const refused = expect(blocked).rejects.toThrow('enough');
    await hanging;
    const other = await under.store.register(chunked(LAYER.bytes), BASE.diffId);
    const rw = await under.store.createRWLayer('meanwhile', other.chainId);
    await rw.mount();
    await rw.unmount();
    await under.store.releaseRWLayer(rw);
    expect((await collect(other.tarStream())).equals(LAYER.bytes)).toBe(true);
    stop.abort(new Error('enough'));
    await refused;
    await under.expectTidy();
  });

  it('a waiting register can be aborted', async () => {
    const abort = new AbortController();
    const options = { expectedDiffId: LAYER.diffId };
    const first = under.store.register(chunked(LAYER.bytes, 500), BASE.diffId, options);
    const second = under.store.register(chunked(LAYER.bytes), BASE.diffId, {
      ...options,
      signal: abort.signal,
    });
    abort.abort();
    await expect(second).rejects.toMatchObject({ name: 'AbortError' });
    expect((await first).referenceCount).toBe(1);
  });

  it('100 read-write layers of different names come and go', async () => {
    const held = await under.store.get(BASE.diffId);
    await Promise.all(
      Array.from({ length: 100 }, async (_, number) => {
        const rw = await under.store.createRWLayer(`rw-${number}`, BASE.diffId);
        await rw.mount();
        await rw.unmount();
        expect(await under.store.releaseRWLayer(rw)).toHaveLength(0);
      }),
    );
    expect(under.store.mounts()).toEqual([]);
    expect(held.referenceCount).toBe(2);
    await under.expectTidy();
  });

  it('of 100 that want the same name one gets it', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 100 }, () => under.store.createRWLayer('same', BASE.diffId)),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'MOUNT_NAME_CONFLICT' });
    }
    await under.expectTidy();
  });

  it('layers that come while they go are whole or gone', async () => {
    const rounds = Array.from({ length: 60 }, async (_, number) => {
      const layer: Layer = await under.store.register(chunked(LAYER.bytes, 3000), BASE.diffId);
      if (number % 3 === 0) expect(sha256(await collect(layer.tarStream()))).toBe(LAYER.diffId);
      await under.store.release(layer);
    });
    await Promise.all(rounds);
    const chain = childChainId(parseChainId(BASE.diffId), parseDiffId(LAYER.diffId));
    expect(under.store.map().has(chain)).toBe(false);
    await under.expectTidy();
    const store = await under.reopen();
    expect(store.map().has(chain)).toBe(false);
    await under.expectTidy();
  });

  it('a layer that goes while it is streamed is deleted when the stream ends', async () => {
    const layer = await under.store.register(chunked(LAYER.bytes));
    const stream = layer.tarStream();
    await stream[Symbol.asyncIterator]().next();
    const removed = await under.store.release(layer);
    expect(removed).toHaveLength(1);
    await stream.close();
    await under.expectTidy();
  });

  it('a parent whose last handle goes during a register stays as long as the register runs', async () => {
    const handle = await under.store.get(BASE.diffId);
    const [first] = await Promise.all([
      under.store.register(chunked(LAYER.bytes, 2000), BASE.diffId),
      turn().then(() => handle.release()),
    ]);
    expect(first.parent?.chainId).toBe(BASE.diffId);
    await under.expectTidy();
  });
});

describe('depth', () => {
  it('a chain of 125 layers is accepted, the 126th is refused without a trace', async () => {
    let top: string = BASE.diffId;
    for (let depth = 2; depth <= 125; depth += 1) {
      top = (await under.store.register(chunked(smallLayer({ [`f${depth}`]: '' }).bytes), top)).chainId;
    }
    expect(under.store.map().get(parseChainId(top))?.depth).toBe(125);
    await expect(under.store.register(chunked(LAYER.bytes), top)).rejects.toMatchObject({
      code: 'LAYER_MAX_DEPTH',
      chainId: top,
    });
    await under.expectTidy();
    const rw = await under.store.createRWLayer('on-top', top, { init: () => undefined });
    await rw.mount();
    await rw.unmount();
    const store = await under.reopen();
    expect(store.map().size).toBe(125);
  }, 60_000);
});

describe('closing', () => {
  it('stops what runs, which leaves nothing', async () => {
    let hanging: () => void = () => undefined;
    const reached = new Promise<void>((resolve) => {
      hanging = resolve;
    });
    async function* endless(): AsyncGenerator<Uint8Array, void, undefined> {
      yield LAYER.bytes.subarray(0, 1024);
      hanging();
      await new Promise(() => undefined);
    }
    const registering = under.store.register(endless(), BASE.diffId);
    const outcome = expect(registering).rejects.toMatchObject({ code: 'STORE_ABORTED_BY_CLOSE' });
    await reached;
    const layer = await under.store.get(BASE.diffId);
    const stream = layer.tarStream();
    await under.store.close();
    await outcome;
    await expect(collect(stream)).resolves.toHaveLength(0);
    await expect(under.store.get(BASE.diffId)).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await expect(under.store.register(chunked(LAYER.bytes))).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    expect(() => under.store.map()).toThrow(expect.objectContaining({ code: 'STORE_CLOSED' }));
    await under.reopen();
    expect(under.store.map().size).toBe(1);
    await under.expectTidy();
  });

  it('twice is the same as once', async () => {
    await Promise.all([under.store.close(), under.store.close()]);
    await under.store.close();
  });
});
