import { describe, expect, it } from '@jest/globals';
import { ChunkPool } from './chunk-pool.js';

const memoryOf = (bytes: Uint8Array): ArrayBufferLike => bytes.buffer;

describe('a pool of chunks', () => {
  it('gives a buffer again that came back, whole or by its beginning', () => {
    const pool = new ChunkPool(16, 2);
    const first = pool.take();
    pool.lend(first);
    expect(memoryOf(pool.take())).not.toBe(memoryOf(first));
    pool.recycle(first.subarray(0, 3));
    const again = pool.take();
    expect(memoryOf(again)).toBe(memoryOf(first));
    expect(again).toHaveLength(16);
  });

  it('never gives a buffer to two', () => {
    const pool = new ChunkPool(16, 2);
    const lent = pool.take();
    pool.lend(lent);
    pool.recycle(lent);
    pool.recycle(lent);
    expect(memoryOf(pool.take())).not.toBe(memoryOf(pool.take()));
    pool.recycle(lent);
    expect(memoryOf(pool.take())).not.toBe(memoryOf(lent));
  });

  it('ignores what it did not lend, and other parts of what it did', () => {
    const pool = new ChunkPool(16, 2);
    const kept = pool.take();
    const lent = pool.take();
    pool.lend(lent);
    for (const foreign of [kept, new Uint8Array(16), lent.subarray(1)]) pool.recycle(foreign);
    const given = [pool.take(), pool.take()].map(memoryOf);
    expect(given).not.toContain(memoryOf(kept));
    expect(given).not.toContain(memoryOf(lent));
  });

  it('keeps no more than its limit', () => {
    const pool = new ChunkPool(16, 2);
    const buffers = [pool.take(), pool.take(), pool.take()];
    for (const buffer of buffers) pool.lend(buffer);
    for (const buffer of buffers) pool.recycle(buffer);
    const known = new Set(buffers.map(memoryOf));
    const given = [pool.take(), pool.take(), pool.take()].map(memoryOf);
    expect(given.filter((memory) => known.has(memory))).toHaveLength(2);
  });
});
