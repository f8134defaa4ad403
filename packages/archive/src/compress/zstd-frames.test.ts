import { describe, expect, it } from '@jest/globals';
import { compressWith, mixedBytes } from './streams.test.support.js';
import { type FramePart, ZstdFrames } from './zstd-frames.js';

const SKIPPABLE = Buffer.from('502a4d1803000000616263', 'hex');
const EMPTY_SKIPPABLE = Buffer.from('5f2a4d1800000000', 'hex');

/** Splits a stream pushed in chunks of `size` into its frames. */
function split(bytes: Uint8Array, size: number): Buffer[] {
  const frames = new ZstdFrames();
  const found: Uint8Array[][] = [];
  let open = false;
  const take = (part: FramePart): void => {
    if (part.first === open) throw new Error('a frame begins inside another');
    if (part.first) found.push([]);
    found.at(-1)?.push(part.bytes);
    open = !part.last;
  };
  for (let at = 0; at < bytes.length; at += size) {
    for (const part of frames.push(bytes.subarray(at, at + size))) take(part);
  }
  frames.end();
  return found.map((parts) => Buffer.concat(parts));
}

const FRAMES = [
  compressWith('zstd', ['-cq'], mixedBytes(40_000, 1)),
  compressWith('zstd', ['-cq', '--no-check'], Buffer.alloc(200_000)),
  compressWith('zstd', ['-cq', '-19'], Buffer.from('short')),
  compressWith('zstd', ['-cq', '--no-check'], Buffer.alloc(0)),
  compressWith('zstd', ['-cq'], Buffer.alloc(0)),
];

describe('ZstdFrames', () => {
  it.each([1, 2, 3, 7, 1000, 1 << 20])('finds the frames whatever the chunks (%i bytes)', (size) => {
    const stream = Buffer.concat([
      SKIPPABLE,
      ...FRAMES.flatMap((frame) => [frame, EMPTY_SKIPPABLE, SKIPPABLE]),
    ]);
    expect(split(stream, size).map((frame) => frame.toString('hex'))).toEqual(
      FRAMES.map((frame) => frame.toString('hex')),
    );
  });

  it('calls every proper prefix that cuts a frame truncated', () => {
    const stream = Buffer.concat([SKIPPABLE, FRAMES[2] ?? SKIPPABLE]);
    for (let length = 1; length < stream.length; length += 1) {
      if (length === SKIPPABLE.length) continue;
      expect(() => split(stream.subarray(0, length), 5)).toThrow(
        expect.objectContaining({ code: 'COMPRESSION_FAILED' }),
      );
    }
  });

  it.each([
    ['bytes that are no frame', '28b52ffe', 'COMPRESSION_FAILED'],
    ['the reserved header bit', '28b52ffd2c', 'COMPRESSION_FAILED'],
    ['the reserved block type', '28b52ffd2001070000', 'COMPRESSION_FAILED'],
    ['a block over 128 KiB', '28b52ffd0058030110', 'COMPRESSION_FAILED'],
    ['a window of 2 GiB', '28b52ffd00a8', 'ARCHIVE_LIMIT_EXCEEDED'],
    ['a single segment of 2^60 bytes', '28b52ffde00000000000000010', 'ARCHIVE_LIMIT_EXCEEDED'],
  ])('refuses %s', (_, hex, code) => {
    expect(() => split(Buffer.from(hex, 'hex'), 4)).toThrow(expect.objectContaining({ code }));
  });

  it('accepts a window of exactly 128 MiB', () => {
    expect(split(Buffer.from('28b52ffd0088010000', 'hex'), 9).length).toBe(1);
  });
});
