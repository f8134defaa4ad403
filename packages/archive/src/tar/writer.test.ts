import { Buffer } from 'node:buffer';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { isLayerStoreError } from '../errors.js';
import { encodeTarHeader } from './header-encode.js';
import { END_OF_ARCHIVE, tarPadding } from './layout.js';
import { readTar, textOf } from './read-tar.test.support.js';
import { type TarBody, type TarEntryInput, type WriteTarOptions, writeTar } from './writer.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const file = (name: string, size: number, body?: TarBody): TarEntryInput =>
  body === undefined
    ? { header: { kind: 'file', name: bytes(name), size } }
    : { header: { kind: 'file', name: bytes(name), size }, body };

async function write(
  entries: Iterable<TarEntryInput> | AsyncIterable<TarEntryInput>,
  options?: WriteTarOptions,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeTar(entries, options)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    await setImmediate();
    yield bytes(text);
  }
}

const failure = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'written',
    (error: unknown) => (isLayerStoreError(error) ? error.code : error),
  );

describe('archives', () => {
  it('headers, bodies, padding and two NUL blocks, nothing else (Writer)', async () => {
    const entries = [
      file('a', 5, bytes('hello')),
      { header: { kind: 'directory', name: bytes('d/'), mode: 0o755 } } as const,
      file('b', 512, [bytes('x'.repeat(500)), bytes('y'.repeat(12))]),
      file('c', 0),
    ];
    const expected = Buffer.concat(
      entries.flatMap(({ header }, i) => {
        const body = i === 0 ? 'hello' : i === 2 ? 'x'.repeat(500) + 'y'.repeat(12) : '';
        return [encodeTarHeader(header), bytes(body), Buffer.alloc(tarPadding(body.length))];
      }),
    );
    expect((await write(entries)).equals(Buffer.concat([expected, END_OF_ARCHIVE]))).toBe(true);
  });

  it('no entries are two NUL blocks', async () => {
    expect((await write([])).equals(Buffer.alloc(1024))).toBe(true);
  });

  it('entries and bodies may be async, and come out as they went in (RoundTrip)', async () => {
    const large = Buffer.alloc(300_000, 'large body ');
    async function* entries(): AsyncGenerator<TarEntryInput> {
      yield file('n'.repeat(200), 6, pieces('abc', '', 'def'));
      await setImmediate();
      yield file('large', large.length, [large]);
      yield file('last', 1, bytes('z'));
    }
    for (const format of ['pax', 'gnu'] as const) {
      const found = readTar(await write(entries(), { format })).entries;
      expect(found.map(({ header }) => textOf(header.name))).toEqual(['n'.repeat(200), 'large', 'last']);
      expect(textOf(found[0]?.payload)).toBe('abcdef');
      expect(found[1]?.payload.equals(large)).toBe(true);
    }
  });

  it.each<[string, TarEntryInput]>([
    ['shorter', file('f', 5, bytes('four'))],
    ['longer', file('f', 5, bytes('sixsix'))],
    ['missing', file('f', 5)],
    ['unexpected', file('f', 0, bytes('x'))],
    ['shorter in pieces', file('f', 5, pieces('ab', 'cd'))],
    ['longer in pieces', file('f', 5, pieces('abc', 'def'))],
  ])('a body that is %s than its header says is refused (FileWriter, WriterErrors)', async (_, entry) => {
    expect(await failure(write([entry]))).toBe('ARCHIVE_BODY_MISMATCH');
  });

  it('a body without end is stopped at its size, and closed', async () => {
    let closed = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.alloc(1024);
      } finally {
        closed = true;
      }
    }
    expect(await failure(write([file('f', 100_000, endless())]))).toBe('ARCHIVE_BODY_MISMATCH');
    expect(closed).toBe(true);
  });

  it('a body is closed when the consumer stops, and read no further than asked', async () => {
    const state = { closed: false, read: 0 };
    async function* body(): AsyncGenerator<Uint8Array> {
      try {
        for (; state.read < 100; state.read++) yield Buffer.alloc(100_000);
      } finally {
        state.closed = true;
      }
    }
    for await (const chunk of writeTar([file('f', 10_000_000, body())])) {
      expect(chunk.length).toBe(512);
      break;
    }
    expect(state).toEqual({ closed: true, read: 0 });
  });

  it('small entries are gathered, large bodies handed on as they are', async () => {
    const large = Buffer.alloc(1 << 20, 1);
    const sizes: number[] = [];
    let same = false;
    const entries = [
      ...Array.from({ length: 1000 }, (_, i) => file(`${i}`, 3, bytes('abc'))),
      file('l', large.length, large),
    ];
    for await (const chunk of writeTar(entries)) {
      sizes.push(chunk.length);
      same ||= chunk === large;
    }
    expect(same).toBe(true);
    expect(sizes.length).toBeLessThan(20);
  });

  it('chunks that were handed out are not written again', async () => {
    const entries = Array.from({ length: 500 }, (_, i) => file(`${i}`, 200, bytes(`${i}`.padEnd(200))));
    const kept: Uint8Array[] = [];
    for await (const chunk of writeTar(entries)) kept.push(chunk);
    expect(Buffer.concat(kept).equals(await write(entries))).toBe(true);
    expect(readTar(Buffer.concat(kept)).entries).toHaveLength(500);
  });

  it('the signal stops it between entries and between pieces of a body', async () => {
    const controller = new AbortController();
    const reason = new Error('stop');
    async function* body(): AsyncGenerator<Uint8Array> {
      yield bytes('ab');
      controller.abort(reason);
      yield bytes('cd');
    }
    expect(await failure(write([file('f', 4, body())], { signal: controller.signal }))).toBe(reason);
    expect(await failure(write([file('f', 0)], { signal: controller.signal }))).toBe(reason);
  });

  it('options are checked', async () => {
    expect(await failure(write([file('f', 0)], { sync: true } as WriteTarOptions))).toBe('OPTION_UNKNOWN');
    expect(await failure(write([], { sync: true } as WriteTarOptions))).toBe('OPTION_UNKNOWN');
    expect(await failure(write([{ header: { kind: 'file', name: bytes('f/') } }]))).toBe(
      'ARCHIVE_HEADER_UNENCODABLE',
    );
  });

  it.each([
    [0, 0],
    [1, 511],
    [511, 1],
    [512, 0],
    [513, 511],
    [2 ** 40 + 1, 511],
  ])('padding after %i bytes is %i', (size, padding) => {
    expect(tarPadding(size)).toBe(padding);
  });
});
