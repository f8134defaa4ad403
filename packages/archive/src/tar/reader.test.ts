import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import { isLayerStoreError } from '../errors.js';
import { expectRefused, readBrokenTar, readTar, textOf } from './read-tar.test.support.js';
import { TarReader } from './reader.js';
import { END, gnuLong, padded, paxHeader, rawEntry, rawHeader } from './tar-bytes.test.support.js';

const ZERO_BLOCK = Buffer.alloc(512);
const namesOf = (archive: Buffer): string[] =>
  readTar(archive).entries.map(({ header }) => textOf(header.name));

describe('where an archive ends (spec 3.8)', () => {
  const file = rawEntry({ name: 'a' }, 'hello');

  it.each([
    ['0 bytes', Buffer.alloc(0), []],
    ['one NUL block', ZERO_BLOCK, []],
    ['two NUL blocks', END, []],
    ['an entry and no end', file, ['a']],
    ['an entry and one NUL block', Buffer.concat([file, ZERO_BLOCK]), ['a']],
    ['a cut exactly at the payload end', file.subarray(0, 512 + 5), ['a']],
    ['a cut inside the padding', file.subarray(0, 512 + 100), ['a']],
    ['garbage in the padding', Buffer.concat([file.subarray(0, 517), Buffer.alloc(507, 0xee), END]), ['a']],
    ['odd bytes after the end', Buffer.concat([file, END, Buffer.from('junk')]), ['a']],
    ['whole entries after the end', Buffer.concat([file, END, rawEntry({ name: 'b' }, 'x'), END]), ['a']],
    ['an extended header and then nothing', paxHeader([['path', 'b']]), []],
    ['an extended header cut in its padding', paxHeader([['path', 'b']]).subarray(0, 600), []],
  ])('%s is accepted and every byte reported', (_, archive, names) => {
    expect(namesOf(archive)).toEqual(names);
    expect(readTar(archive).bytes.equals(archive)).toBe(true);
    expect(readTar(archive, { chunks: [1] }).events).toEqual(readTar(archive).events);
  });

  it.each([
    ['NUL block and 100 bytes', Buffer.concat([file, ZERO_BLOCK, Buffer.alloc(100)]), 'ARCHIVE_TRUNCATED'],
    ['NUL block and a header', Buffer.concat([ZERO_BLOCK, file]), 'ARCHIVE_INVALID_HEADER'],
    ['cut inside the payload', file.subarray(0, 514), 'ARCHIVE_TRUNCATED'],
    ['header only, data missing', file.subarray(0, 512), 'ARCHIVE_TRUNCATED'],
    ['cut inside a header', file.subarray(0, 511), 'ARCHIVE_TRUNCATED'],
    ['one byte', file.subarray(0, 1), 'ARCHIVE_TRUNCATED'],
    ['cut inside an extended header', paxHeader([['path', 'b']]).subarray(0, 515), 'ARCHIVE_TRUNCATED'],
  ] as const)('%s: %#', (_, archive, code) => {
    expectRefused(archive, code);
    expect(readBrokenTar(archive, { chunks: [1] }).error.code).toBe(code);
  });

  it('an archive cut anywhere is accepted only between entries and in padding (ReadTruncation)', () => {
    const archive = Buffer.concat([
      rawEntry({ name: 'a' }, 'A'.repeat(700)),
      paxHeader([['mtime', '1.5']]),
      rawEntry({ name: 'b' }, 'B'.repeat(512)),
      rawEntry({ name: 'd/', type: '5' }),
      END,
    ]);
    const starts = { a: 0, x: 1536, b: 2560, d: 3584, end: 4096 };
    const accepted = (cut: number): number | undefined => {
      if (cut >= starts.end)
        return cut === starts.end || cut === starts.end + 512 || cut === archive.length ? 3 : undefined;
      if (cut === starts.d) return 2;
      if (cut > starts.d) return undefined;
      // After the body of the pax header: nothing, or its padding, or the end of the archive.
      if (cut >= starts.x + 512 + 13 && cut <= starts.b) return 1;
      if (cut >= 512 + 700 && cut <= starts.x) return 1;
      return cut === 0 ? 0 : undefined;
    };
    const cuts = [
      0, 1, 2, 5, 256, 511, 512, 513, 600, 1211, 1212, 1213, 1535, 1536, 1537, 2047, 2048, 2060, 2061, 2062,
    ];
    cuts.push(
      2559,
      2560,
      2561,
      3071,
      3072,
      3073,
      3583,
      3584,
      3585,
      4095,
      4096,
      4097,
      4200,
      4607,
      4608,
      4609,
      5000,
      5119,
    );
    cuts.push(5120, 4352);
    expect(new Set(cuts).size).toBe(40);
    for (const cut of cuts) {
      const part = archive.subarray(0, cut);
      const expected = accepted(cut);
      if (expected === undefined)
        expect([cut, readBrokenTar(part).error.code]).toEqual([cut, 'ARCHIVE_TRUNCATED']);
      else expect([cut, readTar(part).entries.length]).toEqual([cut, expected]);
    }
  });
});

describe('chunks and calls', () => {
  const archive = Buffer.concat([
    gnuLong('L', 'n'.repeat(150)),
    rawEntry({ name: 'short' }, 'body of the first'),
    rawEntry({ name: 'empty' }),
    rawEntry({ name: 'second' }, 'x'.repeat(512)),
    END,
  ]);

  it('a payload arrives in pieces without waiting for the rest (PartialRead)', () => {
    const events: string[] = [];
    const reader = new TarReader({
      raw: (_, start, end) => events.push(`raw ${end - start}`),
      header: (header) => events.push(`header ${header.payloadSize}`),
      payload: (bytes, start, end) => events.push(`payload ${textOf(bytes.subarray(start, end))}`),
      entryEnd: () => events.push('end'),
    });
    const file = rawEntry({ name: 'a' }, 'hello');
    reader.write(file.subarray(0, 512));
    expect(events).toEqual(['raw 512', 'header 5']);
    reader.write(file.subarray(512, 514));
    expect(events.at(-1)).toBe('payload he');
    reader.write(file.subarray(514, 517));
    expect(events.slice(-2)).toEqual(['payload llo', 'end']);
    reader.end();
  });

  it('nothing written is an archive without entries (UninitializedRead)', () => {
    expect(readTar(Buffer.alloc(0))).toEqual({ entries: [], bytes: Buffer.alloc(0), events: [] });
  });

  it('an empty chunk means nothing', () => {
    const reader = new TarReader({ raw: fail, header: fail, payload: fail, entryEnd: fail });
    reader.write(new Uint8Array(0));
    reader.end();
    expect(() => reader.write(archive)).toThrow(expect.objectContaining({ code: 'STORE_INVARIANT' }));
    function fail(): never {
      throw new Error('nothing to report');
    }
  });

  it.each([[[1]], [[2, 3]], [[511]], [[512]], [[513]], [[1023, 1]], [[100_000]]])(
    'chunks of %j bytes give the same events',
    (chunks) => {
      expect(readTar(archive, { chunks, poison: true }).events).toEqual(readTar(archive).events);
    },
  );

  it('headers stay as they are when the chunk is used again', () => {
    const [first] = readTar(archive, { poison: true }).entries;
    expect(textOf(first?.header.name)).toBe('n'.repeat(150));
  });

  it('a failed reader fails again with the same error', () => {
    const reader = new TarReader({ raw: noop, header: noop, payload: noop, entryEnd: noop });
    const broken = rawHeader({ checksum: 'wrong' });
    const errors = [() => reader.write(broken), () => reader.write(END), () => reader.end()].map(caught);
    expect(isLayerStoreError(errors[0], 'ARCHIVE_INVALID_HEADER')).toBe(true);
    expect(errors[1]).toBe(errors[0]);
    expect(errors[2]).toBe(errors[0]);
  });

  it('an error of the handler comes out of write and sticks', () => {
    const mine = new Error('mine');
    const reader = new TarReader({
      raw: noop,
      header: () => {
        throw mine;
      },
      payload: noop,
      entryEnd: noop,
    });
    expect(caught(() => reader.write(archive))).toBe(mine);
    expect(caught(() => reader.end())).toBe(mine);
  });

  it('errors say where in the archive', () => {
    const file = rawEntry({ name: 'a' }, 'hello');
    const broken = Buffer.concat([file, file, rawHeader({ checksum: 'wrong' })]);
    expect(expectRefused(broken, 'ARCHIVE_INVALID_HEADER').offset).toBe(2048);
    expect(readBrokenTar(broken, { chunks: [7] }).error.offset).toBe(2048);
  });

  function noop(): void {}
  function caught(call: () => void): unknown {
    try {
      call();
    } catch (error) {
      return error;
    }
    return undefined;
  }
});

describe('entries without payload', () => {
  it.each(['1', '2', '3', '4', '5', '6'])(
    'type %s has none, whatever its size says (ReadHeaderOnly, SEC-36)',
    (type) => {
      const archive = Buffer.concat([
        rawHeader({ name: 'x', type, size: 700 }),
        rawEntry({ name: 'next' }, 'n'),
        END,
      ]);
      const { entries } = readTar(archive);
      expect(entries.map(({ header }) => [textOf(header.name), header.size, header.payloadSize])).toEqual([
        ['x', 700, 0],
        ['next', 1, 1],
      ]);
    },
  );

  it('a NUL type is a directory when its name, long names included, ends with a slash', () => {
    const nul = { type: '\0', size: 0 } as const;
    const archive = Buffer.concat([
      rawHeader({ ...nul, name: 'd/', size: 9, magic: 'v7' }),
      rawEntry({ ...nul, name: 'f', size: 1, magic: 'v7' }, 'x'),
      gnuLong('L', 'long/'),
      rawHeader({ ...nul, name: 'f' }),
      paxHeader([['path', 'plain']]),
      rawEntry({ ...nul, name: 'd/', size: 1 }, 'x'),
      END,
    ]);
    expect(readTar(archive).entries.map(({ header }) => header.kind)).toEqual([
      'directory',
      'file',
      'directory',
      'file',
    ]);
  });

  it.each(['7', 'D', 'M', 'V', 'Z', 'A', '\xff'])('type %s has one', (type) => {
    const { entries } = readTar(
      Buffer.concat([rawEntry({ name: 'x', type }, 'abc'), rawEntry({ name: 'y' }), END]),
    );
    expect(entries.map(({ payload }) => textOf(payload))).toEqual(['abc', '']);
    expect(entries[0]?.header.kind).toBe(type === '7' ? 'file' : 'other');
  });
});

describe('limits', () => {
  it.each(['x', 'g', 'L', 'K'])(
    'a %s header over 1 MiB is refused before its body is read (SEC-42)',
    (type) => {
      expectRefused(rawHeader({ type, size: 1024 * 1024 + 1 }), 'ARCHIVE_FIELD_TOO_LONG');
      expectRefused(rawHeader({ type, size: 8 ** 10 }), 'ARCHIVE_FIELD_TOO_LONG');
    },
  );

  it('a pax header of exactly 1 MiB is read', () => {
    const body = Buffer.from(`1048576 comment=${'x'.repeat(1048576 - 17)}\n`);
    expect(body.length).toBe(1024 * 1024);
    const archive = Buffer.concat([
      rawHeader({ type: 'x', size: body.length }),
      padded(body),
      rawEntry({ name: 'a' }),
      END,
    ]);
    const [entry] = readTar(archive, { chunks: [100_000] }).entries;
    expect(entry?.header.pax.get('comment')?.length).toBe(1048576 - 17);
    expectRefused(archive, 'ARCHIVE_FIELD_TOO_LONG', { maxExtendedHeader: 1024 });
  });

  it('counts visible entries', () => {
    const archive = Buffer.concat([
      paxHeader([['a', 'b']]),
      rawEntry({ name: '1' }),
      rawEntry({ name: '2' }),
      END,
    ]);
    expect(readTar(archive, { limits: { maxEntries: 2 } }).entries).toHaveLength(2);
    expectRefused(archive, 'ARCHIVE_LIMIT_EXCEEDED', { maxEntries: 1 });
  });

  it('refuses limits that are none', () => {
    const make = (limits: object) => (): TarReader =>
      new TarReader({ raw() {}, header() {}, payload() {}, entryEnd() {} }, limits);
    expect(make({ maxEntry: 1 })).toThrow(expect.objectContaining({ code: 'OPTION_UNKNOWN' }));
    expect(make({ maxEntries: '1' })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    expect(make({ maxEntries: -1 })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    expect(make({ maxEntries: Number.NaN })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    expect(make({ maxEntries: undefined })).not.toThrow();
  });

  it('a hundred thousand empty entries need no stack (SEC-39)', () => {
    const entry = rawEntry({ name: 'a' });
    const archive = Buffer.concat([...Array.from({ length: 100_000 }, () => entry), END]);
    let entries = 0;
    const reader = new TarReader({ raw() {}, header: () => entries++, payload() {}, entryEnd() {} });
    reader.write(archive);
    reader.end();
    expect(entries).toBe(100_000);
  });
});
