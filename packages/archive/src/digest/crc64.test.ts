import { describe, expect, it } from '@jest/globals';
import { Crc64 } from './crc64.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const sum = (text: string | Uint8Array): string =>
  hex(new Crc64().update(typeof text === 'string' ? Buffer.from(text) : text).digest());

/** The definition, bit by bit, as an oracle. */
function slow(bytes: Uint8Array): string {
  let crc = 0xffffffffffffffffn;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ 0xd800000000000000n : crc >> 1n;
  }
  return (crc ^ 0xffffffffffffffffn).toString(16).padStart(16, '0');
}

describe('CRC-64/ISO', () => {
  it.each([
    ['', '0000000000000000'],
    ['123456789', 'b90956c775a41001'],
    ['foo', '3c3c303000000000'],
    ['bar', '2dc416f000000000'],
    ['imma hurr til I derp', '0274a4b1abec6b4e'],
    ['café con leche, por favor', '7e4859efe6fca0bb'],
  ])('of %j is %s', (text, expected) => {
    expect(sum(text)).toBe(expected);
  });

  it('does not depend on alignment, length or how the bytes are cut', () => {
    const bytes = Buffer.alloc(300);
    for (let index = 0; index < bytes.length; index++) bytes[index] = (index * 131 + (index >> 3)) & 0xff;
    for (let start = 0; start < 9; start++) {
      for (const length of [0, 1, 7, 8, 15, 16, 17, 31, 64, 100, 255]) {
        const piece = bytes.subarray(start, start + length);
        const expected = slow(piece);
        expect(sum(piece)).toBe(expected);
        const cut = (length * 5) >> 3;
        expect(hex(new Crc64().update(piece.subarray(0, cut)).update(piece.subarray(cut)).digest())).toBe(
          expected,
        );
      }
    }
  });

  it('starts over after reset', () => {
    const crc = new Crc64().update(Buffer.from('something'));
    crc.reset();
    expect(hex(crc.update(Buffer.from('foo')).digest())).toBe('3c3c303000000000');
  });
});
