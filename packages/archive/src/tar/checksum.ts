/** The header checksum: the sum of all 512 bytes with the checksum field read as spaces (spec/layer-archive.md 3.6). */
import { BLOCK_SIZE, CHECKSUM_LENGTH, CHECKSUM_OFFSET, SPACE } from './layout.js';

const SPACES = CHECKSUM_LENGTH * SPACE;

/**
 * Sum of the 512 unsigned bytes at `at`, the checksum field as it is; 0 means that the block is all NUL. Bytes are added
 * two at a time, in the halves of a 32-bit integer: 128 words of at most 255 per half cannot overflow 16 bits.
 */
export function blockSum(view: DataView, at: number): number {
  let even = 0;
  let odd = 0;
  for (let i = at; i < at + BLOCK_SIZE; i += 16) {
    const a = view.getInt32(i, true);
    const b = view.getInt32(i + 4, true);
    const c = view.getInt32(i + 8, true);
    const d = view.getInt32(i + 12, true);
    even += (a & 0xff00ff) + (b & 0xff00ff) + (c & 0xff00ff) + (d & 0xff00ff);
    odd += ((a >>> 8) & 0xff00ff) + ((b >>> 8) & 0xff00ff) + ((c >>> 8) & 0xff00ff) + ((d >>> 8) & 0xff00ff);
  }
  return (even & 0xffff) + (even >>> 16) + (odd & 0xffff) + (odd >>> 16);
}

/** Turns a {@link blockSum} into the header checksum of the same block. */
export function checksumOfSum(sum: number, block: Uint8Array, at: number): number {
  let field = 0;
  for (let i = CHECKSUM_OFFSET; i < CHECKSUM_OFFSET + CHECKSUM_LENGTH; i++) field += block[at + i] ?? 0;
  return sum - field + SPACES;
}

/** The checksum that some historic writers computed: the same sum of bytes read as signed. */
export function signedChecksum(block: Uint8Array, at: number): number {
  let sum = SPACES;
  for (let i = 0; i < BLOCK_SIZE; i++) {
    if (i >= CHECKSUM_OFFSET && i < CHECKSUM_OFFSET + CHECKSUM_LENGTH) continue;
    const byte = block[at + i] ?? 0;
    sum += byte < 0x80 ? byte : byte - 0x100;
  }
  return sum;
}
