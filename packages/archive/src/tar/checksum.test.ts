import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { blockSum, checksumOfSum, signedChecksum } from './checksum.js';

const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

describe('header checksum', () => {
  it.each([
    ['NUL', Buffer.alloc(512), 0],
    ['0xff', Buffer.alloc(512, 0xff), 512 * 255],
    ['0x80', Buffer.alloc(512, 0x80), 512 * 128],
  ])('adds up a block of %s without overflow', (_, block, sum) => {
    expect(blockSum(viewOf(block), 0)).toBe(sum);
  });

  it('agrees with a plain sum at any alignment', () => {
    for (let at = 0; at < 9; at++) {
      const bytes = randomBytes(512 + at + 7);
      const plain = bytes.subarray(at, at + 512).reduce((sum, byte) => sum + byte, 0);
      expect(blockSum(viewOf(bytes), at)).toBe(plain);
    }
  });

  it('sees a single byte wherever it is', () => {
    for (let i = 0; i < 512; i++) {
      const block = Buffer.alloc(512);
      block[i] = 1;
      expect(blockSum(viewOf(block), 0)).toBe(1);
    }
  });

  it('reads the checksum field as spaces, unsigned and signed', () => {
    const block = Buffer.alloc(600, 0x90);
    const sum = blockSum(viewOf(block), 40);
    expect(checksumOfSum(sum, block, 40)).toBe(504 * 0x90 + 8 * 0x20);
    expect(signedChecksum(block, 40)).toBe(504 * (0x90 - 0x100) + 8 * 0x20);
  });
});
