import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isLayerStoreError } from '../errors.js';
import { decompress } from './decompress.js';
import {
  childProcesses,
  compressWith,
  drain,
  inChunks,
  mixedBytes,
  openDescriptors,
} from './streams.test.support.js';

const PLAIN = mixedBytes(60_000, 3);
const STREAMS = {
  gzip: compressWith('gzip', ['-nc'], PLAIN),
  bzip2: compressWith('bzip2', ['-c'], PLAIN),
  xz: compressWith('xz', ['-c', '-0'], PLAIN),
  zstd: compressWith('zstd', ['-c', '-q', '-19'], PLAIN),
};
const RUNS = { gzip: 300, bzip2: 60, xz: 60, zstd: 60 };

const edit = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) });
const mutation = fc.record({
  edits: fc.array(edit, { minLength: 1, maxLength: 4 }),
  cut: fc.option(fc.nat()),
  junk: fc.uint8Array({ maxLength: 20 }),
  chunk: fc.integer({ min: 1, max: 70_000 }),
});

describe('decompress of mutated streams (FuzzDecompressStream)', () => {
  it.each(['gzip', 'bzip2', 'xz', 'zstd'] as const)(
    '%s ends with data or a coded error and leaves nothing running',
    async (kind) => {
      const children = childProcesses();
      const descriptors = openDescriptors();
      await fc.assert(
        fc.asyncProperty(mutation, async ({ edits, cut, junk, chunk }) => {
          const bytes = Buffer.from(STREAMS[kind]);
          for (const { at, byte } of edits) bytes[at % bytes.length] = byte;
          const input = Buffer.concat([
            bytes.subarray(0, cut === null ? bytes.length : cut % bytes.length),
            junk,
          ]);
          const { error } = await drain(
            decompress(inChunks(input, chunk), {
              helpers: 'on',
              stallTimeout: 5000,
              limits: { maxBytes: 5_000_000 },
            }),
          );
          expect(error === undefined || isLayerStoreError(error)).toBe(true);
        }),
        { numRuns: RUNS[kind], seed: 20_240_711 },
      );
      expect(childProcesses()).toEqual(children);
      expect(openDescriptors()).toBe(descriptors);
    },
    60_000,
  );
});
