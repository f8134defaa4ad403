import { readdirSync } from 'node:fs';
import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { LayerStoreError } from '../errors.js';
import { applyLayer } from './apply-layer.js';
import { archive, END, headerBlock } from './archive.test-support.js';
import { BATCH_BYTES } from './chunk-joiner.js';
import { EXECUTORS, failure, failureCode, Sandbox } from './sandbox.test-support.js';
import type { UnpackProgress } from './unpack.js';

const MIB = 1024 * 1024;

/** Never ends by itself and never has data: what a dead connection looks like. */
function stalled(first: Uint8Array): Readable {
  let sent = false;
  return new Readable({
    read() {
      if (sent) return;
      sent = true;
      this.push(first);
    },
  });
}

describe.each(EXECUTORS)('the pipeline, %s executor', (executor) => {
  const portable = executor === 'portable';

  it('rejects with the reason of its signal, also when the source stalls, and destroys the source', async () => {
    await using sandbox = await Sandbox.create(executor);
    const reason = new Error('enough');
    for (const when of ['before', 'during'] as const) {
      const controller = new AbortController();
      const source = stalled(Buffer.concat([headerBlock({ name: 'f' }, 10 * MIB), Buffer.alloc(2 * MIB)]));
      if (when === 'before') controller.abort(reason);
      const run = applyLayer(source, sandbox.dest, {
        portable,
        signal: controller.signal,
        onProgress: () => controller.abort(reason),
      });
      expect(await failure(run)).toBe(reason);
      expect(source.destroyed).toBe(true);
    }
  });

  it('reports a failure of the executor although the source stalls', async () => {
    await using sandbox = await Sandbox.create(executor);
    // Exactly one batch: the failure comes while the next chunk is waited for.
    const filler = { name: 'fill', content: Buffer.alloc(MIB - 1024) };
    const source = stalled(archive(filler, { name: 'h', type: '1', link: 'missing' }).subarray(0, MIB));
    expect(await failureCode(applyLayer(source, sandbox.dest, { portable }))).toBe('ARCHIVE_INVALID_LINK');
    expect(source.destroyed).toBe(true);
  });

  it('gives the coded error of the source as it is, and any other with a code', async () => {
    await using sandbox = await Sandbox.create(executor);
    async function* failing(error: unknown): AsyncGenerator<Uint8Array> {
      yield headerBlock({ name: 'f' }, 5 * MIB);
      throw error;
    }
    const coded = new LayerStoreError('COMPRESSION_FAILED', 'broken');
    expect(await failure(applyLayer(failing(coded), sandbox.dest, { portable }))).toBe(coded);
    expect(await failure(applyLayer(failing(new Error('reset')), sandbox.dest, { portable }))).toMatchObject({
      code: 'ARCHIVE_IO',
      cause: { message: 'reset' },
    });
  });

  it('ends with what a hook throws', async () => {
    await using sandbox = await Sandbox.create(executor);
    const thrown = new Error('from the hook');
    const source = Readable.from([archive({ name: 'a' })]);
    const onChunk = (): void => {
      throw thrown;
    };
    expect(await failure(applyLayer(source, sandbox.dest, { portable, onChunk }))).toBe(thrown);
    expect(source.destroyed).toBe(true);
  });

  it('ends with what a hook rejects with, also while the source stalls', async () => {
    await using sandbox = await Sandbox.create(executor);
    const rejected = new Error('from the hook');
    const source = stalled(archive({ name: 'fill', content: Buffer.alloc(MIB) }).subarray(0, MIB));
    const onChunk = (): Promise<void> => Promise.reject(rejected);
    expect(await failure(applyLayer(source, sandbox.dest, { portable, onChunk }))).toBe(rejected);
    expect(source.destroyed).toBe(true);
  });

  it('hands a chunk back only when the hook is through with it, and waits for the last', async () => {
    await using sandbox = await Sandbox.create(executor);
    const working = new Set<Uint8Array>();
    let recycled = 0;
    const early: Uint8Array[] = [];
    const onChunk = async (chunk: Uint8Array): Promise<void> => {
      working.add(chunk);
      // Long after the executor is through with it.
      for (let turn = 0; turn < 2000; turn++) await new Promise((resolve) => setImmediate(resolve));
      working.delete(chunk);
    };
    const recycle = (chunk: Uint8Array): void => {
      recycled += 1;
      if (working.has(chunk)) early.push(chunk);
    };
    const bytes = archive({ name: 'a', content: Buffer.alloc(8 * BATCH_BYTES) });
    const chunks = Array.from({ length: Math.ceil(bytes.length / BATCH_BYTES) }, (_, index) =>
      bytes.subarray(index * BATCH_BYTES, (index + 1) * BATCH_BYTES),
    );
    await applyLayer(Readable.from(chunks), sandbox.dest, { portable, onChunk, recycle });
    expect({ recycled, early, working }).toEqual({ recycled: chunks.length, early: [], working: new Set() });
  });

  it('gives chunks back to a source that takes them, without being asked', async () => {
    await using sandbox = await Sandbox.create(executor);
    const whole = archive({ name: 'f', content: Buffer.alloc(9 * MIB, 'x') });
    const chunks = [0, 1, 2, 3, 4].map((index) => whole.subarray(index * 2 * MIB, (index + 1) * 2 * MIB));
    const back: Uint8Array[] = [];
    const lent: boolean[] = [];
    await applyLayer(
      Object.assign(Readable.from(chunks), {
        recycle: (chunk: Uint8Array) => back.push(chunk),
        readBy: (reader: unknown) => lent.push(reader !== undefined),
      }),
      sandbox.dest,
      { portable },
    );
    expect(back).toEqual(chunks);
    expect(lent.at(-1)).toBe(false);
  });

  it('tells how far it is', async () => {
    await using sandbox = await Sandbox.create(executor);
    const bytes = archive({ name: 'a', content: Buffer.alloc(3 * MIB) }, { name: 'b' });
    const seen: UnpackProgress[] = [];
    await applyLayer(Readable.from([bytes]), sandbox.dest, {
      portable,
      onProgress: (progress) => seen.push(progress),
    });
    expect(seen).toHaveLength(Math.ceil(bytes.length / BATCH_BYTES));
    expect(seen.at(-1)).toEqual({ bytes: bytes.length, entries: 2 });
  });

  it('asks for no more than two chunks beyond what the executor has', async () => {
    await using sandbox = await Sandbox.create(executor);
    let given = 0;
    let most = 0;
    let seen = 0;
    async function* counted(): AsyncGenerator<Uint8Array> {
      yield headerBlock({ name: 'f' }, 32 * BATCH_BYTES);
      for (; given < 32; given++) {
        most = Math.max(most, given - seen);
        yield Buffer.alloc(BATCH_BYTES);
      }
      yield END;
    }
    await applyLayer(counted(), sandbox.dest, { portable, onChunk: () => seen++ });
    expect(most).toBeLessThanOrEqual(2);
  });

  it('needs no more memory for a gigabyte than for a megabyte', async () => {
    await using sandbox = await Sandbox.create(executor);
    const block = Buffer.alloc(MIB);
    async function* big(): AsyncGenerator<Uint8Array> {
      // The payload of a whiteout is read and not written: the test is about memory, not about the disk.
      yield headerBlock({ name: '.wh.x' }, 1024 * MIB);
      for (let index = 0; index < 1024; index++) yield block;
      yield END;
    }
    await applyLayer(Readable.from([archive({ name: 'warm', content: block })]), sandbox.dest, { portable });
    const before = process.memoryUsage().rss;
    await applyLayer(big(), sandbox.dest, { portable });
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * MIB);
  });

  it('runs several unpacks at once', async () => {
    await using one = await Sandbox.create(executor);
    await using two = await Sandbox.create(executor);
    const bytes = archive(
      ...Array.from({ length: 500 }, (_, index) => ({ name: `d${index % 7}/f${index}`, content: 'c' })),
    );
    await Promise.all([one.apply(bytes), two.apply(bytes)]);
    expect(one.tree()).toEqual(two.tree());
    expect(readdirSync(one.dest)).toHaveLength(7);
  });
});
