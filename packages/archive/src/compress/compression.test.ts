import { describe, expect, it } from '@jest/globals';
import { compressionExtension, detectCompression } from './compression.js';

const SIGNATURES = [
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['gzip', [0x1f, 0x8b, 0x08]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['zstd', [0x50, 0x2a, 0x4d, 0x18, 0x00, 0x00, 0x00, 0x00]],
  ['zstd', [0x5f, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0x7f]],
] as const;

describe('detectCompression', () => {
  it.each(SIGNATURES)(
    'tells %s from its signature (DetectCompressionZstd, IsArchiveBzip2)',
    (kind, magic) => {
      expect(detectCompression(Uint8Array.from([...magic, 1, 2, 3, 4]))).toBe(kind);
      expect(detectCompression(Uint8Array.from(magic))).toBe(kind);
    },
  );

  it('never matches input shorter than a signature, and never throws', () => {
    for (const [, magic] of SIGNATURES) {
      for (let length = 0; length < magic.length; length += 1) {
        expect(detectCompression(Uint8Array.from(magic.slice(0, length)))).toBe('none');
      }
    }
  });

  it('takes the sixteen skippable magics and not their neighbours', () => {
    for (let byte = 0; byte < 256; byte += 1) {
      const head = Uint8Array.of(byte, 0x2a, 0x4d, 0x18, 0, 0, 0, 0);
      expect(detectCompression(head)).toBe(byte >> 4 === 5 ? 'zstd' : 'none');
    }
  });

  it('calls 7zip, zip, zeros and text uncompressed (IsArchive7zip, IsArchiveInvalidHeader)', () => {
    for (const head of [
      Buffer.from('377abcaf271c0004', 'hex'),
      Buffer.from('PK\x03\x04'),
      Buffer.alloc(10),
      Buffer.from('BZx'),
    ]) {
      expect(detectCompression(head)).toBe('none');
    }
  });
});

describe('compressionExtension', () => {
  it.each([
    ['none', 'tar'],
    ['bzip2', 'tar.bz2'],
    ['gzip', 'tar.gz'],
    ['xz', 'tar.xz'],
    ['zstd', 'tar.zst'],
    ['lz4', ''],
    ['__proto__', ''],
  ])('of %s is "%s" (ExtensionInvalid/Uncompressed/Bzip2/Gzip/Xz/Zstd)', (kind, extension) => {
    expect(compressionExtension(kind)).toBe(extension);
  });
});
