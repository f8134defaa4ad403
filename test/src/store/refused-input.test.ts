import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ErrorCode } from '@x/archive';
import type { RegisterOptions } from '@x/layer-store';
import { rawEntry, rawHeader } from '../corpus/raw-tar.js';
import { chunked, collect, smallLayer } from './small-layer.js';
import { openDescriptors, StoreUnderTest } from './store-under-test.js';

/*
 * Whatever is wrong with the input: a coded error that names the object, and afterwards the store, its directories and
 * the descriptors of the process are as before.
 */

const BASE = smallLayer({ 'etc/': '', 'etc/passwd': 'root:x:0:0' });
const GOOD = smallLayer({ 'etc/group': 'g'.repeat(100_000), 'usr/': '', 'usr/bin': 'b'.repeat(300_000) });
const UNKNOWN = `sha256:${'0'.repeat(64)}`;
const END = Buffer.alloc(1024);

let under: StoreUnderTest;

beforeAll(async () => {
  under = await StoreUnderTest.open({ sync: false });
  await under.store.register(chunked(BASE.bytes));
  // Opens once what stays open: the database's files, a worker.
  await collect((await under.store.register(chunked(GOOD.bytes))).tarStream());
});
afterAll(async () => {
  await under[Symbol.asyncDispose]();
});

async function expectUnchanged(attempt: () => Promise<unknown>): Promise<unknown> {
  const before = { disk: await under.onDisk(), layers: [...under.store.map().keys()] };
  const descriptors = await openDescriptors();
  const error = await attempt().then(
    () => {
      throw new Error('it was accepted');
    },
    (failure: unknown) => failure,
  );
  expect({ disk: await under.onDisk(), layers: [...under.store.map().keys()] }).toEqual(before);
  expect(await openDescriptors()).toBeLessThanOrEqual(descriptors);
  await under.expectTidy();
  return error;
}

describe('a register is refused without a trace', () => {
  const cases: [string, () => AsyncIterable<Uint8Array>, string | undefined, RegisterOptions, ErrorCode][] = [
    ['no tar', () => chunked(Buffer.alloc(5000, 'x')), BASE.diffId, {}, 'ARCHIVE_INVALID_HEADER'],
    [
      'cut inside a payload',
      () => chunked(GOOD.bytes.subarray(0, 50_000)),
      undefined,
      {},
      'ARCHIVE_TRUNCATED',
    ],
    ['cut inside a header', () => chunked(GOOD.bytes.subarray(0, 700)), undefined, {}, 'ARCHIVE_TRUNCATED'],
    [
      'a header with a wrong checksum',
      () => chunked(Buffer.concat([GOOD.bytes.subarray(0, 100), Buffer.from('!'), GOOD.bytes.subarray(101)])),
      undefined,
      {},
      'ARCHIVE_INVALID_HEADER',
    ],
    [
      'damaged gzip',
      () => {
        const gzip = gzipSync(GOOD.bytes);
        gzip.fill(0xff, gzip.length / 2, gzip.length / 2 + 20);
        return chunked(gzip);
      },
      undefined,
      {},
      'COMPRESSION_FAILED',
    ],
    ['cut gzip', () => chunked(gzipSync(GOOD.bytes).subarray(0, 300)), undefined, {}, 'COMPRESSION_FAILED'],
    [
      'another digest than expected',
      () => chunked(GOOD.bytes),
      undefined,
      { expectedDiffId: UNKNOWN },
      'LAYER_DIGEST_MISMATCH',
    ],
    ['an unknown parent', () => chunked(GOOD.bytes), UNKNOWN, {}, 'LAYER_NOT_FOUND'],
    ['a parent that is no chain id', () => chunked(GOOD.bytes), 'latest', {}, 'DIGEST_INVALID'],
    [
      'a hard link to nothing',
      () => chunked(Buffer.concat([rawHeader({ name: 'l', type: '1', linkName: 'none' }), END])),
      BASE.diffId,
      {},
      'ARCHIVE_INVALID_LINK',
    ],
    [
      'a whiteout of nothing',
      () => chunked(Buffer.concat([rawEntry({ name: '.wh.' }), END])),
      undefined,
      {},
      'ARCHIVE_INVALID_WHITEOUT',
    ],
    [
      'an unknown option',
      () => chunked(GOOD.bytes),
      undefined,
      { verfy: true } as RegisterOptions,
      'OPTION_UNKNOWN',
    ],
    [
      'an option of the wrong type',
      () => chunked(GOOD.bytes),
      undefined,
      { labels: { a: 1 } } as never,
      'OPTION_INVALID',
    ],
    [
      'a source that fails',
      async function* () {
        yield GOOD.bytes.subarray(0, 70_000);
        throw new Error('connection lost');
      },
      BASE.diffId,
      {},
      'ARCHIVE_IO',
    ],
  ];

  it.each(cases)('%s', async (_what, source, parent, options, code) => {
    const error = await expectUnchanged(() => under.store.register(source(), parent, options));
    expect(error).toMatchObject({ code });
  });

  it('a file that is not there', async () => {
    const missing = path.join(under.scratch.path, 'missing.tar');
    expect(await expectUnchanged(() => under.store.register(createReadStream(missing)))).toMatchObject({
      code: 'ARCHIVE_IO',
    });
  });

  it('what is no stream', async () => {
    expect(await expectUnchanged(() => under.store.register('layer.tar' as never))).toMatchObject({
      code: 'OPTION_INVALID',
    });
  });

  it('the source is closed whatever it was refused for', async () => {
    const file = path.join(under.scratch.path, 'good.tar');
    await writeFile(file, GOOD.bytes);
    for (const parent of [UNKNOWN, 'nonsense']) {
      const stream = createReadStream(file);
      await expectUnchanged(() => under.store.register(stream, parent));
      expect(stream.destroyed).toBe(true);
    }
    const unread = createReadStream(file);
    await expectUnchanged(() => under.store.register(unread, undefined, { x: 1 } as never)).catch(
      () => undefined,
    );
  });
});

describe('a register that is aborted leaves nothing', () => {
  const offsets = [
    0,
    1,
    511,
    512,
    1000,
    65_536,
    150_000,
    250_000,
    GOOD.bytes.length - 1024,
    GOOD.bytes.length,
  ];

  it.each(offsets)('after %d bytes', async (offset) => {
    const abort = new AbortController();
    const reason = new Error('changed my mind');
    let closed = false;
    async function* source(): AsyncGenerator<Uint8Array, void, undefined> {
      try {
        yield* chunked(GOOD.bytes.subarray(0, offset), 10_000);
        abort.abort(reason);
        yield* chunked(GOOD.bytes.subarray(offset), 10_000);
      } finally {
        closed = true;
      }
    }
    const error = await expectUnchanged(() =>
      under.store.register(source(), BASE.diffId, { signal: abort.signal }),
    );
    expect(error).toBe(reason);
    expect(closed).toBe(true);
  });

  it('while the source gives nothing', async () => {
    const abort = new AbortController();
    const silent = new Readable({ read: () => undefined });
    const register = (): Promise<unknown> => {
      const registering = under.store.register(silent, BASE.diffId, { signal: abort.signal });
      setImmediate(() => abort.abort());
      return registering;
    };
    expect(await expectUnchanged(register)).toMatchObject({ name: 'AbortError' });
    expect(silent.destroyed).toBe(true);
  });

  it('before it began', async () => {
    const register = () =>
      under.store.register(chunked(GOOD.bytes), BASE.diffId, { signal: AbortSignal.abort() });
    expect(await expectUnchanged(register)).toMatchObject({ name: 'AbortError' });
  });

  it('by the source being destroyed', async () => {
    const source = new Readable({ read: () => undefined });
    source.push(GOOD.bytes.subarray(0, 60_000));
    const register = (): Promise<unknown> => {
      const registering = under.store.register(source, BASE.diffId);
      setImmediate(() => source.destroy(new Error('destroyed')));
      return registering;
    };
    expect(await expectUnchanged(register)).toMatchObject({ code: 'ARCHIVE_IO' });
  });

  it('by a progress callback that throws', async () => {
    const onProgress = (): never => {
      throw new Error('callback failed');
    };
    expect(
      await expectUnchanged(() => under.store.register(chunked(GOOD.bytes), BASE.diffId, { onProgress })),
    ).toMatchObject({
      code: 'OPTION_INVALID',
      option: 'onProgress',
      cause: expect.objectContaining({ message: 'callback failed' }),
    });
  });
});

describe('a stream that is left early', () => {
  it('gives everything up: break, close, abort', async () => {
    const layer = await under.store.get(GOOD.diffId);
    const descriptors = await openDescriptors();
    for await (const _chunk of layer.tarStream()) break;
    const closed = layer.tarStream();
    await closed[Symbol.asyncIterator]().next();
    await closed.close();
    const never = layer.tarStream();
    await never.close();
    const abort = new AbortController();
    const aborted = layer.tarStream({ signal: abort.signal });
    abort.abort();
    await expect(collect(aborted)).rejects.toMatchObject({ name: 'AbortError' });
    expect(await openDescriptors()).toBeLessThanOrEqual(descriptors);
    await under.expectTidy();
  });
});
