import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BUILT_IN_CODECS } from './built-in-codecs.js';
import { type DecompressOptions, decompress } from './decompress.js';
import { nodeZstd } from './node-zstd.js';
import {
  childProcesses,
  compressWith,
  drain,
  inChunks,
  mixedBytes,
  openDescriptors,
  StallingSource,
} from './streams.test.support.js';

const PLAIN = mixedBytes(3_300_000, 11);
const COMPRESSED: Readonly<Record<string, Buffer>> = {
  gzip: compressWith('gzip', ['-nc', '-6'], PLAIN),
  bzip2: compressWith('bzip2', ['-c'], PLAIN),
  xz: compressWith('xz', ['-c', '-1'], PLAIN),
  zstd: compressWith('zstd', ['-c', '-q'], PLAIN),
};
const HELPERS: DecompressOptions = { helpers: 'on' };

function stream(kind: string): Buffer {
  return COMPRESSED[kind] ?? Buffer.alloc(0);
}

describe('decompress', () => {
  it.each(['gzip', 'bzip2', 'xz', 'zstd'])(
    'reads a %s stream to its end and closes cleanly (DecompressStreamGzip/Bzip2/Xz/Zstd)',
    async (kind) => {
      const children = childProcesses();
      const descriptors = openDescriptors();
      for (const size of [1 << 20, 4096, 1021]) {
        const detected: string[] = [];
        const source = Readable.from(inChunks(stream(kind), size));
        const { bytes, error } = await drain(
          decompress(source, { ...HELPERS, onDetected: (found) => detected.push(found) }),
        );
        expect(error).toBeUndefined();
        expect(bytes.equals(PLAIN)).toBe(true);
        expect(detected).toEqual([kind]);
        expect(source.destroyed).toBe(true);
      }
      expect(childProcesses()).toEqual(children);
      expect(openDescriptors()).toBe(descriptors);
    },
    30_000,
  );

  it('detects by bytes that come one at a time', async () => {
    const small = gzipSync('hello layer');
    expect((await drain(decompress(inChunks(small, 1)))).bytes.toString()).toBe('hello layer');
  });

  it.each(['node', 'fzstd', 'helper'] as const)(
    'decodes zstd with %s, frames, skippable frames and all',
    async (zstd) => {
      if (zstd === 'node' && nodeZstd() === undefined) {
        expect((await drain(decompress(inChunks(stream('zstd'), 4096), { zstd }))).error).toMatchObject({
          code: 'COMPRESSION_UNSUPPORTED',
        });
        return;
      }
      const skippable = Buffer.concat([Buffer.from('5a2a4d1805000000', 'hex'), Buffer.from('notes')]);
      const frames = Buffer.concat([
        skippable,
        stream('zstd'),
        skippable,
        compressWith('zstd', ['-c', '-q', '--no-check'], Buffer.from('tail')),
      ]);
      for (const size of [frames.length, 5000]) {
        const { bytes, error } = await drain(decompress(inChunks(frames, size), { ...HELPERS, zstd }));
        expect(error).toBeUndefined();
        expect(bytes.equals(Buffer.concat([PLAIN, Buffer.from('tail')]))).toBe(true);
      }
    },
    30_000,
  );

  it('decodes a zstd stream of very many small frames', async () => {
    const frame = compressWith('zstd', ['-c', '-q', '--stream-size=1'], Buffer.from('x'));
    const frames = Buffer.concat(Array.from({ length: 20_000 }, () => frame));
    const { bytes, error } = await drain(decompress(inChunks(frames, frames.length), { zstd: 'fzstd' }));
    expect(error).toBeUndefined();
    expect(bytes.equals(Buffer.alloc(20_000, 'x'))).toBe(true);
  });

  it('passes uncompressed chunks through as they are, and nothing for nothing', async () => {
    const chunks = [Buffer.from('ab'), Buffer.from('cdefghijklmnop'), PLAIN];
    const seen: Uint8Array[] = [];
    for await (const chunk of decompress(Readable.from(chunks))) seen.push(chunk);
    expect(seen.length).toBe(3);
    expect(seen.every((chunk, index) => chunk === chunks[index])).toBe(true);
    expect(await drain(decompress(inChunks(Buffer.alloc(0), 1)))).toEqual({
      bytes: Buffer.alloc(0),
      error: undefined,
    });
  });

  it.each(['gzip', 'xz', 'zstd'])('gives %s output in chunks of 1 MiB', async (kind) => {
    const sizes: number[] = [];
    for await (const chunk of decompress(inChunks(stream(kind), 30_000), HELPERS))
      sizes.push(chunk.byteLength);
    expect(sizes).toEqual([1 << 20, 1 << 20, 1 << 20, PLAIN.byteLength - 3 * (1 << 20)]);
  });

  it('runs no helper unless allowed, and says how to allow it', async () => {
    for (const kind of ['xz', 'bzip2']) {
      const { error } = await drain(decompress(inChunks(stream(kind), 4096)));
      expect(error).toMatchObject({
        code: 'COMPRESSION_UNSUPPORTED',
        message: expect.stringContaining("helpers: 'on'"),
      });
      const missing = await drain(
        decompress(inChunks(stream(kind), 4096), { helpers: 'on', helperDirectories: ['/nonexistent'] }),
      );
      expect(missing.error).toMatchObject({
        code: 'COMPRESSION_UNSUPPORTED',
        message: expect.stringContaining('/nonexistent'),
      });
    }
    const { error } = await drain(decompress(inChunks(stream('zstd'), 4096), { zstd: 'helper' }));
    expect(error).toMatchObject({
      code: 'COMPRESSION_UNSUPPORTED',
      message: expect.stringMatching(/Node 22\.15.*fzstd.*"zstd"/),
    });
  });

  it.each(['gzip', 'bzip2', 'xz', 'zstd'])(
    'ends with an error for a truncated or damaged %s stream',
    async (kind) => {
      const whole = stream(kind);
      const damaged = Buffer.from(whole);
      damaged.fill(0xff, whole.length >> 1, (whole.length >> 1) + 64);
      for (const bytes of [
        whole.subarray(0, whole.length - 5),
        whole.subarray(0, 12),
        damaged,
        Buffer.concat([whole, Buffer.from('junk')]),
      ]) {
        // bzip2 the program passes over junk after the end, with a warning.
        if (kind === 'bzip2' && bytes.length > whole.length) continue;
        expect((await drain(decompress(inChunks(bytes, 8192), HELPERS))).error).toMatchObject({
          code: 'COMPRESSION_FAILED',
        });
      }
    },
    30_000,
  );

  it('reads gzip members one after another, accepts NUL padding and refuses what follows it', async () => {
    const member = (text: string): Buffer => gzipSync(text);
    const two = Buffer.concat([member('one,'), member('two')]);
    for (const size of [two.length, member('one,').length, 3]) {
      expect((await drain(decompress(inChunks(two, size)))).bytes.toString()).toBe('one,two');
      const padded = Buffer.concat([two, Buffer.alloc(5000)]);
      expect(await drain(decompress(inChunks(padded, size)))).toEqual({
        bytes: Buffer.from('one,two'),
        error: undefined,
      });
      const hidden = Buffer.concat([padded, member('hidden')]);
      expect((await drain(decompress(inChunks(hidden, size)))).error).toMatchObject({
        code: 'COMPRESSION_FAILED',
      });
    }
  });

  it('stops bombs at the limits, whatever the compression (SEC-37)', async () => {
    const zeros = Buffer.alloc(40_000_000);
    const programs = { gzip: ['-nc'], bzip2: ['-c'], xz: ['-c', '-0'], zstd: ['-c', '-q'] };
    for (const [program, args] of Object.entries(programs)) {
      const bomb = compressWith(program, args, zeros);
      const ratio = await drain(
        decompress(inChunks(bomb, 4096), { ...HELPERS, limits: { maxRatio: 100, ratioFloor: 5_000_000 } }),
      );
      expect(ratio.error).toMatchObject({ code: 'ARCHIVE_LIMIT_EXCEEDED', option: 'maxRatio' });
      expect(ratio.bytes.length).toBeLessThan(25_000_000);
      const size = await drain(
        decompress(inChunks(bomb, 4096), { ...HELPERS, limits: { maxBytes: 3_000_000 } }),
      );
      expect(size.error).toMatchObject({ code: 'ARCHIVE_LIMIT_EXCEEDED', option: 'maxBytes' });
      expect(size.bytes.length).toBeLessThanOrEqual(3_000_000);
      expect((await drain(decompress(inChunks(bomb, 4096), HELPERS))).bytes.length).toBe(zeros.length);
    }
    expect(
      (await drain(decompress(inChunks(zeros, 1 << 20), { limits: { maxBytes: 10 } }))).error,
    ).toMatchObject({ code: 'ARCHIVE_LIMIT_EXCEEDED' });
  }, 60_000);

  it('expands one level only and counts many tiny members together (SEC-37)', async () => {
    const inner = gzipSync('inner');
    expect((await drain(decompress(inChunks(gzipSync(inner), 4096)))).bytes.equals(inner)).toBe(true);
    const members = Buffer.concat(Array.from({ length: 2000 }, () => gzipSync('x'.repeat(1000))));
    expect((await drain(decompress(inChunks(members, 4096)))).bytes.length).toBe(2_000_000);
    const limited = decompress(inChunks(members, 4096), { limits: { maxBytes: 1_500_000 } });
    expect((await drain(limited)).error).toMatchObject({ code: 'ARCHIVE_LIMIT_EXCEEDED' });
  });

  it.each(['none', 'gzip', 'xz', 'zstd'])(
    'releases source, helper and descriptors when a %s stream is aborted or left (SEC-47)',
    async (kind) => {
      const head = kind === 'none' ? PLAIN : stream(kind).subarray(0, stream(kind).length - 100);
      const children = childProcesses();
      const descriptors = openDescriptors();
      const controller = new AbortController();
      const reason = new Error('changed my mind');
      const source = new StallingSource(head);
      const aborted = drain(decompress(source, { ...HELPERS, signal: controller.signal }));
      setImmediate(() => controller.abort(reason));
      expect((await aborted).error).toBe(reason);
      expect(source.closed).toBe(true);

      const left = new StallingSource(head);
      for await (const chunk of decompress(left, HELPERS)) {
        expect(chunk.byteLength).toBeGreaterThan(0);
        break;
      }
      expect(left.closed).toBe(true);
      expect(childProcesses()).toEqual(children);
      expect(openDescriptors()).toBe(descriptors);
      const already = decompress(new StallingSource(head), { signal: AbortSignal.abort(reason) });
      expect((await drain(already)).error).toBe(reason);
    },
    20_000,
  );

  it.each(['none', 'gzip', 'bzip2', 'zstd'])(
    'passes the error of the source of a %s stream on as it is',
    async (kind) => {
      const broken = new Error('connection reset');
      async function* source(): AsyncGenerator<Uint8Array> {
        yield kind === 'none' ? PLAIN : stream(kind).subarray(0, 100_000);
        throw broken;
      }
      expect((await drain(decompress(source(), HELPERS))).error).toBe(broken);
    },
  );

  it('uses a codec of the user, and refuses a registry with two of a kind', async () => {
    const rot: Parameters<typeof BUILT_IN_CODECS.with>[0] = {
      kind: 'rot',
      matches: (head) => head[0] === 0x7e,
      async *decode(reader) {
        for await (const chunk of reader) yield chunk.map((byte) => 255 - byte);
      },
    };
    const codecs = BUILT_IN_CODECS.with(rot);
    expect(codecs.kinds).toEqual(['bzip2', 'gzip', 'xz', 'zstd', 'rot']);
    expect((await drain(decompress(inChunks(Buffer.from('~~'), 1), { codecs }))).bytes).toEqual(
      Buffer.from([0x81, 0x81]),
    );
    expect(codecs.with({ ...rot, kind: 'xz' }).kinds).toEqual(['bzip2', 'gzip', 'xz', 'zstd', 'rot']);
    expect(() => BUILT_IN_CODECS.with({ ...rot, kind: 'none' })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    );
  });

  it.each([
    [{ helper: 'on' }, 'OPTION_UNKNOWN'],
    [{ helpers: true }, 'OPTION_INVALID'],
    [{ helperDirectories: ['bin'] }, 'OPTION_INVALID'],
    [{ limits: { maxBytes: -1 } }, 'OPTION_INVALID'],
    [{ limits: { maxratio: 1 } }, 'OPTION_UNKNOWN'],
    [{ stallTimeout: Number.NaN }, 'OPTION_INVALID'],
    [{ signal: {} }, 'OPTION_INVALID'],
  ])('refuses options %j before it reads', (options, code) => {
    expect(() => decompress(inChunks(PLAIN, 10), options as DecompressOptions)).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it('refuses a source of strings', async () => {
    const source = Readable.from(['text']) as unknown as AsyncIterable<Uint8Array>;
    expect((await drain(decompress(source))).error).toMatchObject({ code: 'OPTION_INVALID' });
  });
});

describe('choice of the gzip decoder', () => {
  let directory = '';
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'unpigz-'));
    await writeFile(join(directory, 'unpigz'), '#!/bin/sh\nprintf "by unpigz:"\nexec gzip "$@"\n');
    await chmod(join(directory, 'unpigz'), 0o755);
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  async function read(options: DecompressOptions): Promise<string> {
    return (
      await drain(decompress(inChunks(gzipSync('text'), 100), { helperDirectories: [directory], ...options }))
    ).bytes.toString();
  }

  const PIGZ = { ...HELPERS, pigz: true };

  it('takes unpigz when asked to, where it is and helpers are on (Pigz)', async () => {
    expect(await read(PIGZ)).toBe('by unpigz:text');
    expect(await read({ pigz: true })).toBe('text');
    expect(await read({ ...PIGZ, helperDirectories: ['/nonexistent'] })).toBe('text');
    expect(await read(HELPERS)).toBe('text');
  });

  it('leaves unpigz alone when MOBY_DISABLE_PIGZ is true, and for no other value (DisablePigz)', async () => {
    try {
      for (const [value, expected] of [
        ['true', 'text'],
        ['1', 'text'],
        ['false', 'by unpigz:text'],
        ['nonsense', 'by unpigz:text'],
        ['', 'by unpigz:text'],
      ] as const) {
        process.env.MOBY_DISABLE_PIGZ = value;
        expect(await read(PIGZ)).toBe(expected);
      }
    } finally {
      delete process.env.MOBY_DISABLE_PIGZ;
    }
  });

  it('takes no helper that anybody could have written, nor a directory or a plain file', async () => {
    await chmod(join(directory, 'unpigz'), 0o757);
    expect(await read(PIGZ)).toBe('text');
    await chmod(join(directory, 'unpigz'), 0o644);
    expect(await read(PIGZ)).toBe('text');
    await rm(join(directory, 'unpigz'));
    await symlink('/usr/bin', join(directory, 'unpigz'));
    expect(await read(PIGZ)).toBe('text');
  });
});
