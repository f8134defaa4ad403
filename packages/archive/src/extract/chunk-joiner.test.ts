import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BATCH_BYTES, ChunkJoiner } from './chunk-joiner.js';

function joinerOf(chunks: readonly Uint8Array[]): ChunkJoiner {
  const rest = [...chunks];
  return new ChunkJoiner(async () => rest.shift(), 2);
}

async function all(chunks: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const joiner = joinerOf(chunks);
  const found: Uint8Array[] = [];
  for (let chunk = await joiner.next(); chunk !== undefined; chunk = await joiner.next())
    found.push(Buffer.from(chunk));
  return found;
}

describe('ChunkJoiner', () => {
  it('gives every byte once, in pieces of at most one batch', async () => {
    const sizes = fc.array(
      fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 5_000_000 })),
      {
        maxLength: 8,
      },
    );
    await fc.assert(
      fc.asyncProperty(sizes, async (lengths) => {
        const chunks = lengths.map((length, index) => Buffer.alloc(length, index + 1));
        const found = await all(chunks);
        expect(Buffer.concat(found).equals(Buffer.concat(chunks))).toBe(true);
        expect(Math.max(0, ...found.map(({ length }) => length))).toBeLessThanOrEqual(BATCH_BYTES);
      }),
      { numRuns: 30 },
    );
  });

  it('joins small chunks into whole batches', async () => {
    const found = await all(Array.from({ length: 40 }, () => Buffer.alloc(BATCH_BYTES / 16)));
    expect(found.map(({ length }) => length)).toEqual([BATCH_BYTES, BATCH_BYTES, BATCH_BYTES / 2]);
  });

  it('passes on a big chunk without a copy', async () => {
    const chunk = Buffer.alloc(BATCH_BYTES);
    expect((await joinerOf([chunk]).next())?.buffer).toBe(chunk.buffer);
  });

  it('leaves a batch alone for its lifetime, and uses its memory again after that', async () => {
    const joiner = joinerOf(
      [1, 2, 3, 4]
        .map((value) => Buffer.alloc(BATCH_BYTES / 16, value))
        .flatMap((chunk) => Array(16).fill(chunk)),
    );
    const first = await joiner.next();
    const copy = Buffer.from(first ?? []);
    await joiner.next();
    await joiner.next();
    expect(copy.equals(first ?? Buffer.alloc(0))).toBe(true);
    await joiner.next();
    expect(copy.equals(first ?? Buffer.alloc(0))).toBe(false);
  });
});
