import { Buffer } from 'node:buffer';
import { inflateRawSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { isLayerStoreError } from '../errors.js';
import type { TarHeader } from './entry.js';
import { GO_HEADERS } from './go-headers.test.data.js';
import { HEADER_CASES } from './header-cases.test.data.js';
import { type EncodeTarHeaderOptions, encodeTarHeader } from './header-encode.js';
import type { TarHeaderInit } from './header-init.js';
import { readTar, textOf } from './read-tar.test.support.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const file = (name: string, more: Partial<TarHeaderInit> = {}): TarHeaderInit => ({
  kind: 'file',
  name: bytes(name),
  ...more,
});
const code = (init: TarHeaderInit, options: EncodeTarHeaderOptions = {}): string => {
  try {
    encodeTarHeader(init, options);
  } catch (error) {
    return isLayerStoreError(error) ? error.code : `${error as string}`;
  }
  return 'written';
};

/** Encodes, reads back with payload NULs, and returns the one header. */
function reread(init: TarHeaderInit, options: EncodeTarHeaderOptions = {}): TarHeader {
  const payload = Buffer.alloc(Math.ceil((init.size ?? 0) / 512) * 512);
  const { entries } = readTar(Buffer.concat([encodeTarHeader(init, options), payload, Buffer.alloc(1024)]));
  const [entry] = entries;
  if (entry === undefined || entries.length !== 1) throw new Error(`${entries.length} entries`);
  return entry.header;
}

const paxBodyOf = (header: Uint8Array): string => {
  const size = Number.parseInt(textOf(header.subarray(124, 135)), 8);
  expect(header[156]).toBe('x'.charCodeAt(0));
  return textOf(header.subarray(512, 512 + size));
};

describe("headers are byte for byte those of Go's writer", () => {
  it.each(HEADER_CASES)('$title (Writer, HeaderAllowedFormats)', ({ title, init, format }) => {
    const expected = GO_HEADERS[title];
    if (expected === undefined) throw new Error('regenerate go-headers.test.data.ts');
    if (expected === '') {
      expect(code(init, { format, subSecondTimes: true })).toBe('ARCHIVE_HEADER_UNENCODABLE');
      return;
    }
    const written = encodeTarHeader(init, { format, subSecondTimes: true });
    expect(Buffer.from(written).equals(inflateRawSync(Buffer.from(expected, 'base64')))).toBe(true);
  });

  it('the table has an answer for every case and covers both outcomes', () => {
    expect(Object.keys(GO_HEADERS).sort()).toEqual(HEADER_CASES.map(({ title }) => title).sort());
    const refusals = Object.values(GO_HEADERS).filter((row) => row === '').length;
    expect(refusals).toBeGreaterThan(40);
  });
});

describe('what is written is read again', () => {
  it('a long name goes through a pax header named after it (Pax)', () => {
    const name = 'abc/'.repeat(100) + 'x'.repeat(120);
    const written = encodeTarHeader(file(name));
    expect(textOf(written.subarray(0, 100))).toBe(`${'abc/'.repeat(100).slice(0, 99)}\0`);
    expect(paxBodyOf(written)).toBe(`530 path=${name}\n`);
    expect(textOf(reread(file(name)).name)).toBe(name);
  });

  it('a long link target too (PaxSymlink)', () => {
    const init: TarHeaderInit = { kind: 'symlink', name: bytes('link'), linkName: bytes('t/'.repeat(300)) };
    expect(textOf(encodeTarHeader(init).subarray(0, 19))).toBe('PaxHeaders.0/link\0\0');
    expect(textOf(reread(init).linkName)).toBe('t/'.repeat(300));
  });

  it('names that are not ASCII, UTF-8 or not (PaxNonAscii)', () => {
    for (const name of ['\xe6\x96\x87\xe4\xbb\xb6', 'caf\xe9']) {
      const found = reread(file(name, { userName: bytes(name), groupName: bytes(name) }));
      expect([found.name, found.userName, found.groupName].map(textOf)).toEqual([name, name, name]);
    }
  });

  it('extended attributes with any bytes (PaxXattrs)', () => {
    const value = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const xattrs = [
      { name: bytes('security.capability'), value },
      { name: bytes('user.\xff'), value: bytes('\n=\0') },
    ];
    const found = reread(file('f', { xattrs })).xattrs;
    expect(found.map((xattr) => [textOf(xattr.name), textOf(xattr.value)])).toEqual(
      xattrs.map((xattr) => [textOf(xattr.name), textOf(xattr.value)]),
    );
  });

  it('records are sorted by the bytes of their keys (PaxHeadersSorted)', () => {
    const names = ['b', 'a', 'B', '\xe4', '1', '_'];
    const written = encodeTarHeader(
      file('\xff', { uid: 2 ** 40, xattrs: names.map((name) => ({ name: bytes(name), value: bytes('v') })) }),
    );
    const keys = paxBodyOf(written).match(/[^ \n]+(?==)/g);
    const attributes = ['1', 'B', '_', 'a', 'b', '\xe4'].map((name) => `SCHILY.xattr.${name}`);
    expect(keys).toEqual([...attributes, 'path', 'uid']);
  });

  it('a long ASCII path is split without a pax header (USTARLongName)', () => {
    const name = `${'/0123456789'.repeat(8)}/${'/0123456789'.repeat(8)}`;
    const written = encodeTarHeader(file(name));
    expect(written).toHaveLength(512);
    expect(textOf(reread(file(name)).name)).toBe(name);
  });

  it('the type flag stays with the file, not with its pax header (ValidTypeflagWithPAXHeader)', () => {
    const written = encodeTarHeader(file('n'.repeat(200)));
    expect([156, 1024 + 156].map((at) => String.fromCharCode(written[at] ?? 0))).toEqual(['x', '0']);
    const link = encodeTarHeader({ kind: 'hardlink', name: bytes('n'.repeat(200)), linkName: bytes('a') });
    expect(String.fromCharCode(link[1024 + 156] ?? 0)).toBe('1');
  });

  it.each([
    'a'.repeat(155),
    `/${'a'.repeat(155)}`,
    `${'a'.repeat(100)}/`,
    `${'a'.repeat(156)}/${'b'.repeat(10)}`,
    `/${'b'.repeat(100)}/${'c'.repeat(100)}`,
    `${'dir/'.repeat(60)}x`,
  ])('names at the edge of splitting keep their bytes: %s (Issue12594)', (name) => {
    const init: TarHeaderInit = { kind: 'directory', name: bytes(name) };
    for (const format of ['pax', 'gnu'] as const) expect(textOf(reread(init, { format }).name)).toBe(name);
  });

  it('what readers refuse is not written: pax records over 1 MiB (WriteLongHeader)', () => {
    const value = (length: number): Partial<TarHeaderInit> => ({
      xattrs: [{ name: bytes('user.a'), value: Buffer.alloc(length, 1) }],
    });
    // "1048576 SCHILY.xattr.user.a=" and a newline.
    expect(reread(file('f', value(1024 * 1024 - 29))).xattrs[0]?.value.length).toBe(1024 * 1024 - 29);
    expect(code(file('f', value(1024 * 1024 - 28)))).toBe('ARCHIVE_HEADER_UNENCODABLE');
  });

  it.each(['pax', 'gnu'] as const)('a full header in %s (RoundTrip, HeaderRoundTrip)', (format) => {
    const init: TarHeaderInit = {
      kind: 'char',
      name: bytes('d\xffv'),
      mode: 0o4755,
      uid: 4_294_967_294,
      gid: 2 ** 31,
      mtime: { seconds: 2 ** 35, nanoseconds: 0 },
      atime: { seconds: -7, nanoseconds: 0 },
      ctime: { seconds: 9, nanoseconds: 0 },
      userName: bytes('root'),
      groupName: bytes('wheel'),
      deviceMajor: 10,
      deviceMinor: 229,
    };
    const found = reread(init, { format });
    for (const [field, value] of Object.entries(init)) {
      expect([field, found[field as keyof TarHeader]]).toEqual([
        field,
        value instanceof Uint8Array ? new Uint8Array(value) : value,
      ]);
    }
  });

  it('directories and symlinks are what they were (FileInfoHeaderDir, FileInfoHeaderSymlink)', () => {
    const directory = reread({ kind: 'directory', name: bytes('d/'), mode: 0o755 });
    expect([directory.kind, directory.size, textOf(directory.name)]).toEqual(['directory', 0, 'd/']);
    const link = reread({ kind: 'symlink', name: bytes('l'), linkName: bytes('../t') });
    expect([link.kind, link.size, textOf(link.linkName)]).toEqual(['symlink', 0, '../t']);
  });

  it('a regular file keeps size, mode and time (FileInfoHeader)', () => {
    const found = reread(
      file('f', { size: 5, mode: 0o640, mtime: { seconds: 1_700_000_000, nanoseconds: 0 } }),
    );
    expect([found.kind, found.size, found.mode, found.mtime.seconds]).toEqual([
      'file',
      5,
      0o640,
      1_700_000_000,
    ]);
  });
});

describe('values that other writers get wrong (dependencies A1)', () => {
  it('mode 0 stays 0', () => {
    expect(reread(file('f', { mode: 0 })).mode).toBe(0);
  });

  it.each(['pax', 'gnu'] as const)('ids of 262144 and more, and mtime in 2040, in %s', (format) => {
    const init = file('f', {
      uid: 262_144,
      gid: 4_000_000_000,
      mtime: { seconds: 2_208_988_800, nanoseconds: 0 },
    });
    const found = reread(init, { format });
    expect([found.uid, found.gid, found.mtime.seconds]).toEqual([262_144, 4_000_000_000, 2_208_988_800]);
  });

  it('a device major of 3,000,000 is written in GNU format and refused in pax, never clamped', () => {
    const init: TarHeaderInit = { kind: 'block', name: bytes('d'), deviceMajor: 3_000_000, deviceMinor: 1 };
    expect(reread(init, { format: 'gnu' }).deviceMajor).toBe(3_000_000);
    expect(code(init)).toBe('ARCHIVE_HEADER_UNENCODABLE');
  });

  it('nanoseconds are written when asked for, and cut, not rounded, when not', () => {
    const init = file('f', {
      mtime: { seconds: 5, nanoseconds: 999_999_999 },
      atime: { seconds: -1, nanoseconds: 1 },
    });
    const exact = reread(init, { subSecondTimes: true });
    expect([exact.mtime, exact.atime]).toEqual([init.mtime, init.atime]);
    const whole = reread(init);
    expect([whole.mtime, whole.atime]).toEqual([
      { seconds: 5, nanoseconds: 0 },
      { seconds: -1, nanoseconds: 0 },
    ]);
    expect(encodeTarHeader(file('f', { mtime: { seconds: 5, nanoseconds: 1 } }))).toHaveLength(512);
  });
});

describe('what cannot be written is refused (WriterErrors)', () => {
  const invalid: readonly (readonly [string, TarHeaderInit])[] = [
    ['a file name with a slash at its end', file('f/')],
    ['a fifo name with a slash at its end', { kind: 'fifo', name: bytes('f/') }],
    ['a negative size', file('f', { size: -1 })],
    ['a size over 2^53-1', file('f', { size: 2 ** 53 })],
    ['a size that is no integer', file('f', { size: 1.5 })],
    ['a link with a size', { kind: 'hardlink', name: bytes('l'), linkName: bytes('a'), size: 5 }],
    ['a directory with a size', { kind: 'directory', name: bytes('d/'), size: 5 }],
    ['a uid that is no number', file('f', { uid: Number.NaN })],
    ['a time that is no integer', file('f', { mtime: { seconds: 0.5, nanoseconds: 0 } })],
    ['a second of nanoseconds', file('f', { mtime: { seconds: 0, nanoseconds: 1e9 } })],
    ['negative nanoseconds', file('f', { atime: { seconds: 0, nanoseconds: -1 } })],
    ['a global header with a mode', { kind: 'global', name: bytes('g'), mode: 0o644 }],
    ['a global header with a link', { kind: 'global', name: bytes('g'), linkName: bytes('x') }],
    [
      'a global header with a time',
      { kind: 'global', name: bytes('g'), ctime: { seconds: 1, nanoseconds: 0 } },
    ],
    ['a name with a NUL', file('a\0b')],
  ];

  it.each(invalid)('%s', (_, init) => {
    for (const format of ['pax', 'ustar', 'gnu'] as const) {
      expect(code(init, { format })).toBe('ARCHIVE_HEADER_UNENCODABLE');
    }
  });

  it('options that are none', () => {
    expect(code(file('f'), { formats: 'pax' } as EncodeTarHeaderOptions)).toBe('OPTION_UNKNOWN');
    expect(code(file('f'), { format: 'v7' as 'pax' })).toBe('OPTION_INVALID');
    expect(code(file('f'), { subSecondTimes: 1 as unknown as boolean })).toBe('OPTION_INVALID');
  });

  it('the message names the entry and the reason', () => {
    expect(() => encodeTarHeader(file('some/file', { mode: 2 ** 40 }))).toThrow(/"some\/file".*mode/);
  });
});
