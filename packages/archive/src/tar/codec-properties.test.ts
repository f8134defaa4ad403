import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isLayerStoreError } from '../errors.js';
import type { TarHeader, TarTime } from './entry.js';
import { encodeTarHeader } from './header-encode.js';
import type { TarHeaderInit } from './header-init.js';
import { readBrokenTar, readTar, textOf } from './read-tar.test.support.js';
import { base256, END, gnuLong, paxHeader, rawEntry, rawHeader, sealed } from './tar-bytes.test.support.js';

const nameBytes = (max: number): fc.Arbitrary<Uint8Array> =>
  fc.oneof(
    fc
      .uint8Array({ min: 1, maxLength: max })
      .map((bytes) => bytes.map((byte) => (byte === 0x2f ? 0x2e : byte))),
    fc
      .array(fc.constantFrom('usr', 'x'.repeat(40), 'é', 'doc', '.', '..'), {
        minLength: 1,
        maxLength: max / 20,
      })
      .map((parts) => new Uint8Array(Buffer.from(parts.join('/')))),
  );
const integer = (min: number, max: number): fc.Arbitrary<number> =>
  fc.oneof(
    fc.integer({ min: 0, max: 5000 }),
    fc.maxSafeInteger().map((value) => Math.max(min, Math.min(value, max))),
  );
const id = integer(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
const time: fc.Arbitrary<TarTime> = fc.record({
  seconds: integer(-(2 ** 50), 2 ** 50),
  nanoseconds: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 999_999_999 })),
});
const xattr = fc.record({
  name: fc.uint8Array({ min: 0x3e, minLength: 1, maxLength: 20 }),
  value: fc.uint8Array({ minLength: 1, maxLength: 60 }),
});
const header: fc.Arbitrary<TarHeaderInit> = fc.record({
  kind: fc.constantFrom(
    'file' as const,
    'directory' as const,
    'symlink' as const,
    'hardlink' as const,
    'char' as const,
    'fifo' as const,
  ),
  name: nameBytes(300),
  linkName: nameBytes(300),
  mode: fc.integer({ min: 0, max: 0o7777777 }),
  uid: id,
  gid: id,
  mtime: time,
  atime: fc.option(time, { nil: undefined }),
  ctime: fc.option(time, { nil: undefined }),
  userName: nameBytes(60),
  groupName: nameBytes(60),
  deviceMajor: fc.integer({ min: 0, max: 8 ** 7 - 1 }),
  deviceMinor: fc.integer({ min: 0, max: 8 ** 7 - 1 }),
  xattrs: fc.uniqueArray(xattr, { maxLength: 4, selector: ({ name }) => textOf(name) }),
});

/** Archives with every sort of block the reader knows. */
const SEEDS: readonly Buffer[] = [
  Buffer.concat([
    rawEntry({ name: 'a' }, 'hello'),
    rawEntry({ name: 'd/', type: '5' }),
    rawEntry({ name: 'b' }, 'x'.repeat(700)),
    END,
  ]),
  Buffer.concat([
    paxHeader([
      ['path', 'long'],
      ['size', '5'],
      ['mtime', '1.5'],
      ['SCHILY.xattr.user.a', '\xff'],
    ]),
    gnuLong('K', 'target'),
    rawEntry({ name: 'a' }, 'hello'),
    paxHeader([['comment', 'x']], 'g'),
    gnuLong('L', 'n'.repeat(600)),
    rawEntry({ name: 'short', uid: base256(5_000_000n, 8), magic: 'gnu' }, 'y'),
    END,
  ]),
  Buffer.concat([
    paxHeader([
      ['GNU.sparse.major', '1'],
      ['GNU.sparse.minor', '0'],
      ['GNU.sparse.realsize', '10'],
    ]),
    rawEntry({ name: 's10' }, Buffer.from(`${'1\n0\n2\n'.padEnd(512, '\0')}ab`)),
    paxHeader([
      ['GNU.sparse.size', '9'],
      ['GNU.sparse.numblocks', '1'],
      ['GNU.sparse.map', '0,2'],
    ]),
    rawEntry({ name: 's01' }, 'ab'),
    rawHeader({ name: 'old', type: 'S', magic: 'gnu', size: 0, at: { 482: '\x01', 483: '00000000011 ' } }),
    Buffer.alloc(512),
    END,
    Buffer.from('trailing'),
  ]),
];

const chunkSizes = fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 8 });

describe('properties of the codec', () => {
  it('every header that is written is read back as it was', () => {
    fc.assert(
      fc.property(header, (init) => {
        let written: Uint8Array;
        try {
          written = encodeTarHeader(init, { subSecondTimes: true });
        } catch (error) {
          // A name may have a NUL or a slash at its end; nothing else is refused.
          expect(isLayerStoreError(error, 'ARCHIVE_HEADER_UNENCODABLE')).toBe(true);
          const texts = [init.name, init.linkName, init.userName, init.groupName].map((text) => textOf(text));
          expect(texts.some((text) => text.includes('\0')) || texts[0]?.endsWith('/')).toBe(true);
          return;
        }
        const { entries } = readTar(Buffer.concat([written, END]));
        expect(entries).toHaveLength(1);
        const found = entries[0]?.header;
        for (const field of Object.keys(init) as (keyof TarHeader & keyof TarHeaderInit)[]) {
          if (field !== 'xattrs') expect([field, found?.[field]]).toEqual([field, init[field]]);
        }
        const texts = (xattrs: TarHeaderInit['xattrs']): string[] =>
          (xattrs ?? []).map(({ name, value }) => `${textOf(name)}=${textOf(value)}`).sort();
        expect(texts(found?.xattrs)).toEqual(texts(init.xattrs));
      }),
      { numRuns: 500 },
    );
  });

  it('chunks make no difference', () => {
    for (const seed of SEEDS) {
      const whole = readTar(seed);
      expect(whole.bytes.equals(seed)).toBe(true);
      fc.assert(
        fc.property(chunkSizes, (chunks) => {
          const pieces = readTar(seed, { chunks, poison: true });
          expect(pieces.events).toEqual(whole.events);
          expect(pieces.entries).toEqual(whole.entries);
        }),
        { numRuns: 60 },
      );
    }
  });

  const mutation = fc.record({
    at: fc.nat(),
    value: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 0x20, 0x80, 0xff, 0x30, 0x37, 0x2d)),
    reseal: fc.boolean(),
  });

  it('damaged archives are read in full or refused with a code, the same way in any chunks', () => {
    let [accepted, refused] = [0, 0];
    fc.assert(
      fc.property(
        fc.constantFrom(...SEEDS),
        fc.array(mutation, { minLength: 1, maxLength: 5 }),
        fc.option(fc.nat(), { nil: undefined }),
        chunkSizes,
        (seed, mutations, cut, chunks) => {
          const archive = damaged(seed, mutations, cut);
          const whole = outcome(archive, [archive.length]);
          const pieces = outcome(archive, chunks);
          expect(pieces).toEqual(whole);
          if (whole.code === undefined) accepted++;
          else refused++;
        },
      ),
      { numRuns: 3000 },
    );
    // The mutations reach behind the checksum: both outcomes are common.
    expect(accepted).toBeGreaterThan(300);
    expect(refused).toBeGreaterThan(300);
  });

  function damaged(
    seed: Buffer,
    mutations: readonly { at: number; value: number; reseal: boolean }[],
    cut: number | undefined,
  ): Buffer {
    const archive = Buffer.from(seed);
    for (const { at, value, reseal } of mutations) {
      const index = at % archive.length;
      archive[index] = value;
      const block = index - (index % 512);
      // Most damage would only be seen by the checksum; half of it gets a right one.
      if (reseal && block + 512 <= archive.length) sealed(archive.subarray(block, block + 512));
    }
    return cut === undefined ? archive : archive.subarray(0, cut % (archive.length + 1));
  }

  function outcome(
    archive: Buffer,
    chunks: readonly number[],
  ): { code: string | undefined; headers: string[] } {
    const describeAll = (entries: readonly { header: TarHeader }[]): string[] =>
      entries.map(
        ({ header: { kind, name, size, payloadSize } }) => `${kind} ${textOf(name)} ${size} ${payloadSize}`,
      );
    try {
      const { entries, bytes } = readTar(archive, { chunks });
      expect(bytes.equals(archive)).toBe(true);
      return { code: undefined, headers: describeAll(entries) };
    } catch (error) {
      if (!isLayerStoreError(error)) throw error;
      const broken = readBrokenTar(archive, { chunks });
      expect(archive.subarray(0, broken.bytes.length).equals(broken.bytes)).toBe(true);
      return { code: `${error.code} ${error.offset}`, headers: describeAll(broken.entries) };
    }
  }

  it('random bytes are never taken for entries', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 512, maxLength: 2048 }), (bytes) => {
        if (bytes.subarray(0, 512).every((byte) => byte === 0)) return;
        expect(readBrokenTar(bytes).entries).toHaveLength(0);
      }),
    );
  });
});
