import { describe, expect, it } from '@jest/globals';
import { createChunkDigester } from './chunk-digester.js';
import { digestBytes } from './digester.js';

describe('createChunkDigester', () => {
  it.each([
    ['nothing', []],
    ['small chunks, hashed at once', [10, 70_000, 3]],
    ['large chunks, on a thread where there is one', [1 << 20, 1 << 20, 5, 300_000]],
    ['a small chunk first', [5, 1 << 20]],
  ])('gives the digest of %s', async (_title, sizes) => {
    using digester = createChunkDigester();
    const chunks = sizes.map((size, index) => Buffer.alloc(size, index + 1));
    const updates = chunks.map((chunk) => digester.update(chunk));
    expect(await digester.digest()).toBe(digestBytes(Buffer.concat(chunks)));
    expect(digester.size).toBe(sizes.reduce((sum, size) => sum + size, 0));
    for (const update of updates) await update;
  });

  it('knows the other algorithms', async () => {
    using digester = createChunkDigester('sha512');
    const bytes = Buffer.alloc(1 << 20, 'x');
    await digester.update(bytes);
    expect(await digester.digest()).toBe(digestBytes(bytes, 'sha512'));
  });

  it('can be disposed of in the middle', async () => {
    const digester = createChunkDigester();
    const update = digester.update(Buffer.alloc(1 << 20));
    digester[Symbol.dispose]();
    await expect(Promise.resolve(update)).resolves.toBeUndefined();
  });
});
