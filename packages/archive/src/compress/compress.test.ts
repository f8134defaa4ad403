import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type CompressOptions, compress } from './compress.js';
import { decompress } from './decompress.js';
import { compressWith, drain, inChunks, mixedBytes, StallingSource } from './streams.test.support.js';

describe('compress', () => {
  it.each(['xz', 'bzip2', 'lzip', ''])(
    'refuses to write "%s" (CompressStreamXzUnsupported, Bzip2Unsupported, Invalid)',
    (kind) => {
      expect(() => compress(inChunks(Buffer.from('x'), 1), { kind } as unknown as CompressOptions)).toThrow(
        expect.objectContaining({ code: 'COMPRESSION_UNSUPPORTED' }),
      );
    },
  );

  it('writes gzip that other programs read, with equal bytes for any chunk size and number of threads', async () => {
    const plain = mixedBytes(5_000_003, 5);
    const { bytes } = await drain(compress(inChunks(plain, 65_536), { threads: 1 }));
    expect(compressWith('gzip', ['-dc'], bytes).equals(plain)).toBe(true);
    expect((await drain(compress(inChunks(plain, 999_999), { threads: 4 }))).bytes.equals(bytes)).toBe(true);
    expect(bytes.length).toBeLessThan(compressWith('gzip', ['-nc', '-6'], plain).length * 1.005);
  });

  it('round-trips whatever comes, at block boundaries too', async () => {
    for (const length of [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 2 << 20]) {
      const plain = mixedBytes(length, length);
      const { bytes } = await drain(compress(inChunks(plain, 1 << 19), { level: 1 }));
      expect(gunzipSync(bytes).equals(plain)).toBe(true);
    }
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 5000 }),
        fc.integer({ min: 0, max: 9 }),
        async (plain, level) => {
          const { bytes } = await drain(decompress(compress(inChunks(plain, 77), { level })));
          expect(bytes.equals(Buffer.from(plain))).toBe(true);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('passes bytes through for "none"', async () => {
    expect((await drain(compress(inChunks(Buffer.from('abc'), 2), { kind: 'none' }))).bytes.toString()).toBe(
      'abc',
    );
  });

  it('writes zstd with Node or an allowed helper, and says what to do without', async () => {
    const plain = mixedBytes(2_000_000, 9);
    const { bytes } = await drain(
      compress(inChunks(plain, 65_536), { kind: 'zstd', level: 5, helpers: 'on' }),
    );
    expect(compressWith('zstd', ['-dcq'], bytes).equals(plain)).toBe(true);
    if ('createZstdCompress' in (await import('node:zlib'))) return;
    const { error } = await drain(compress(inChunks(plain, 65_536), { kind: 'zstd' }));
    expect(error).toMatchObject({
      code: 'COMPRESSION_UNSUPPORTED',
      message: expect.stringContaining("helpers: 'on'"),
    });
  });

  it('stops on abort and passes the source error on', async () => {
    const controller = new AbortController();
    const source = new StallingSource(mixedBytes(100, 1));
    const aborted = drain(compress(source, { signal: controller.signal }));
    const reason = new Error('stop');
    controller.abort(reason);
    expect((await aborted).error).toBe(reason);
    const broken = new Error('disk on fire');
    async function* bad(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x');
      throw broken;
    }
    expect((await drain(compress(bad()))).error).toBe(broken);
  });

  it.each([{ level: 10 }, { level: 1.5 }, { threads: 0 }, { kind: 'zstd', level: 0 }])(
    'refuses %j',
    (options) => {
      expect(() => compress(inChunks(Buffer.alloc(1), 1), options as CompressOptions)).toThrow(
        expect.objectContaining({ code: 'OPTION_INVALID' }),
      );
    },
  );
});
