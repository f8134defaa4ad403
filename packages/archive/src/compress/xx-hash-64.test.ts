import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compressWith, mixedBytes } from './streams.test.support.js';
import { XxHash64 } from './xx-hash-64.js';

function hashOf(...pieces: readonly Uint8Array[]): XxHash64 {
  const hash = new XxHash64();
  for (const piece of pieces) hash.update(piece);
  return hash;
}

/** The checksum that ends a frame of the reference implementation. */
function checksumByZstd(bytes: Uint8Array): number {
  const frame = compressWith('zstd', ['-cq', '--check'], bytes);
  return frame.readUInt32LE(frame.length - 4);
}

describe('XxHash64', () => {
  it.each([
    ['', 0xef46db3751d8e999n],
    ['a', 0xd24ec4f1a98c6e5bn],
    ['abc', 0x44bc2cf5ad770999n],
  ])('gives the published value of "%s"', (text, expected) => {
    expect(hashOf(Buffer.from(text)).digest()).toBe(expected);
  });

  it('agrees with the checksums of zstd at every length around its blocks', () => {
    for (const length of [1, 3, 4, 7, 8, 11, 12, 31, 32, 33, 39, 44, 63, 64, 65, 1000, 131_072, 300_001]) {
      const bytes = mixedBytes(length, length);
      expect([length, hashOf(bytes).low32()]).toEqual([length, checksumByZstd(bytes)]);
    }
    expect(hashOf(Buffer.alloc(1000, 0xff)).low32()).toBe(checksumByZstd(Buffer.alloc(1000, 0xff)));
  });

  it('does not depend on how the input is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 100 })), (pieces) => {
        expect(hashOf(...pieces).digest()).toBe(hashOf(Buffer.concat(pieces)).digest());
      }),
    );
  });
});
