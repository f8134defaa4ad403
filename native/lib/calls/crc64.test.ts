import { createHash } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { describeAddon } from '../addon.test-support.js';

/** One bit at a time, from the definition (spec/layer-archive.md 3.2). */
function reference(data: Uint8Array): string {
  let crc = 0xffff_ffff_ffff_ffffn;
  for (const byte of data) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0xd800_0000_0000_0000n : crc >> 1n;
  }
  return (crc ^ 0xffff_ffff_ffff_ffffn).toString(16).padStart(16, '0');
}

/** Bytes that look random and are the same every time. */
function noise(length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 64) + 1 }, (_, i) =>
    createHash('sha512').update(String(i)).digest(),
  );
  return Buffer.concat(blocks).subarray(0, length);
}

describeAddon('CRC-64', (calls) => {
  const variants = Object.entries(calls.crc64Variants);

  it.each([
    ['', '0000000000000000'],
    ['123456789', 'b90956c775a41001'],
    ['foo', '3c3c303000000000'],
    ['bar', '2dc416f000000000'],
    ['imma hurr til I derp', '0274a4b1abec6b4e'],
    ['café con leche, por favor', '7e4859efe6fca0bb'],
  ])('of %j is %s', (text, expected) => {
    expect(calls.crc64(undefined, Buffer.from(text)).toString('hex')).toBe(expected);
    for (const [, variant] of variants) {
      expect(variant(undefined, Buffer.from(text)).toString('hex')).toBe(expected);
    }
  });

  it('has a table implementation everywhere and uses the fastest there is', () => {
    expect(variants.map(([name]) => name)).toContain('table');
    expect(typeof calls.crc64Variants.table).toBe('function');
  });

  it.each(variants)('by %s agrees with the definition at every length and alignment', (_name, variant) => {
    const data = noise(2100);
    for (let length = 0; length <= 600; length++) {
      const piece = data.subarray(length % 17, (length % 17) + length);
      expect(variant(undefined, piece).toString('hex')).toBe(reference(piece));
    }
    for (const length of [767, 768, 769, 1024, 1535, 2047, 2048]) {
      expect(variant(undefined, data.subarray(0, length)).toString('hex')).toBe(
        reference(data.subarray(0, length)),
      );
    }
  });

  it.each(variants)('by %s continues from a seed', (_name, variant) => {
    const data = noise(3000);
    const whole = variant(undefined, data).toString('hex');
    for (let cut = 0; cut <= data.length; cut += 97) {
      const seed = variant(undefined, data.subarray(0, cut));
      expect(variant(seed, data.subarray(cut)).toString('hex')).toBe(whole);
    }
  });

  it('sees every single bit of a long input', () => {
    const data = noise(1024);
    const original = calls.crc64(undefined, data).toString('hex');
    for (let at = 0; at < data.length; at += 7) {
      const changed = Buffer.from(data);
      changed.writeUInt8(changed.readUInt8(at) ^ (1 << (at % 8)), at);
      expect(calls.crc64(undefined, changed).toString('hex')).not.toBe(original);
    }
  });
});
