import { describe, expect, it } from '@jest/globals';
import { extract as openExtract, pack as openPack } from 'tar-stream';
import {
  drain,
  inChunks,
  mixedBytes,
  openDescriptors,
  StallingSource,
} from '../compress/streams.test.support.js';
import { readArchive } from './read-archive.js';
import { entriesFromTarStream, fromTarStream, toTarStream } from './tar-stream.js';

const BIG = mixedBytes(400_000, 8);

function samplePack(): ReturnType<typeof openPack> {
  const pack = openPack();
  pack.entry({ name: 'a' }, Buffer.from('first'));
  pack.entry({ name: 'big' }, BIG);
  pack.entry({ name: 'z' }, Buffer.from('last'));
  pack.finalize();
  return pack;
}

async function sampleBytes(): Promise<Buffer> {
  return (await drain(fromTarStream(samplePack()))).bytes;
}

describe('fromTarStream', () => {
  it('gives the bytes of a pack', async () => {
    const names: string[] = [];
    for await (const { header, body } of readArchive(fromTarStream(samplePack()))) {
      names.push(Buffer.from(header.name).toString());
      if (names.length === 2) expect((await drain(body)).bytes.equals(BIG)).toBe(true);
    }
    expect(names).toEqual(['a', 'big', 'z']);
  });

  it('passes an error on, also one that comes before the first read', async () => {
    const broken = new Error('file vanished');
    const pack = openPack();
    const source = fromTarStream(pack);
    pack.destroy(broken);
    await new Promise((resolve) => setImmediate(resolve));
    expect((await drain(source)).error).toBe(broken);
  });

  it('destroys the pack when it is left', async () => {
    const pack = samplePack();
    for await (const chunk of fromTarStream(pack)) {
      expect(chunk.byteLength).toBeGreaterThan(0);
      break;
    }
    expect(pack.destroying).toBe(true);
  });

  it('stops on abort while the pack gives nothing', async () => {
    const controller = new AbortController();
    const reading = drain(fromTarStream(openPack(), { signal: controller.signal }));
    const reason = new Error('stop');
    controller.abort(reason);
    expect((await reading).error).toBe(reason);
  });
});

describe('toTarStream', () => {
  it('feeds an extract to its end', async () => {
    const extract = openExtract();
    const seen: [string, number][] = [];
    extract.on('entry', (header, entry, next) => {
      let size = 0;
      entry.on('data', (chunk) => {
        size += (chunk as Uint8Array).byteLength;
      });
      entry.on('end', () => {
        seen.push([header.name, size]);
        next();
      });
    });
    await toTarStream(inChunks(await sampleBytes(), 10_000), extract);
    expect(seen).toEqual([
      ['a', 5],
      ['big', 400_000],
      ['z', 4],
    ]);
  });

  it('rejects with the error of an entry handler, and the process lives', async () => {
    const extract = openExtract();
    const broken = new Error('handler failed');
    extract.on('entry', (_header, _entry, next) => next(broken));
    const source = new StallingSource(await sampleBytes());
    await expect(toTarStream(source, extract)).rejects.toBe(broken);
    expect(source.closed).toBe(true);
  });

  it('rejects with the error of the source and destroys the extract', async () => {
    const extract = openExtract();
    extract.on('entry', (_header, entry, next) => {
      entry.on('end', () => next());
      entry.resume();
    });
    const bytes = await sampleBytes();
    const broken = new Error('connection reset');
    async function* source(): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 2000);
      throw broken;
    }
    await expect(toTarStream(source(), extract)).rejects.toBe(broken);
    expect(extract.destroying).toBe(true);
  });

  it('rejects with the reason of the signal while nobody reads the entries', async () => {
    const controller = new AbortController();
    const writing = toTarStream(inChunks(await sampleBytes(), 5000), openExtract(), {
      signal: controller.signal,
    });
    const reason = new Error('stop');
    setImmediate(() => controller.abort(reason));
    await expect(writing).rejects.toBe(reason);
  });
});

describe('entriesFromTarStream', () => {
  it('gives the entries, skipping bodies that are not read', async () => {
    const names: string[] = [];
    for await (const { header, body } of entriesFromTarStream(inChunks(await sampleBytes(), 10_000))) {
      names.push(header.name);
      if (header.name === 'z') expect((await drain(body)).bytes.toString()).toBe('last');
    }
    expect(names).toEqual(['a', 'big', 'z']);
  });

  it('destroys the source when the loop is left', async () => {
    const descriptors = openDescriptors();
    const source = new StallingSource((await sampleBytes()).subarray(0, 3000));
    for await (const { header } of entriesFromTarStream(source)) {
      expect(header.name).toBe('a');
      break;
    }
    expect(source.closed).toBe(true);
    expect(openDescriptors()).toBe(descriptors);
  });

  it('fails with the error of the source', async () => {
    const bytes = await sampleBytes();
    const broken = new Error('connection reset');
    async function* source(): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 600);
      throw broken;
    }
    const reading = (async () => {
      for await (const { body } of entriesFromTarStream(source())) await drain(body);
    })();
    await expect(reading).rejects.toBe(broken);
  });
});
