import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import type { ErrorCode } from '../errors.js';
import type { SparseFragment } from './entry.js';
import { expanded, expectRefused, type ReadEntry, readTar, textOf } from './read-tar.test.support.js';
import { isValidSparseMap, parsePaxSparseMap, SparseCursor } from './sparse-map.js';
import { END, padded, paxHeader, rawEntry, rawHeader, sealed } from './tar-bytes.test.support.js';

type Pairs = readonly (readonly [number, number])[];
const mapOf = (pairs: Pairs): SparseFragment[] => pairs.map(([offset, length]) => ({ offset, length }));
const octal = (value: number): string => `${value.toString(8).padStart(11, '0')} `;
const pairText = (pairs: Pairs): string =>
  pairs.map(([offset, length]) => octal(offset) + octal(length)).join('');

describe('sparse map rules', () => {
  it.each<[Pairs, number, boolean]>([
    [[], 0, true],
    [[], 100, true],
    [[[0, 0]], 0, true],
    [[[100, 0]], 100, true],
    [[[0, 100]], 100, true],
    [
      [
        [0, 5],
        [5, 5],
        [90, 10],
      ],
      100,
      true,
    ],
    [
      [
        [0, 5],
        [4, 5],
      ],
      100,
      false,
    ],
    [
      [
        [10, 5],
        [0, 5],
      ],
      100,
      false,
    ],
    [[[0, 101]], 100, false],
    [[[101, 0]], 100, false],
    [[[-1, 5]], 100, false],
    [[[5, -1]], 100, false],
    [[[Number.NaN, 1]], 100, false],
    [[[0, Number.POSITIVE_INFINITY]], Number.MAX_SAFE_INTEGER, false],
    [[[Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]], Number.MAX_SAFE_INTEGER, false],
    [[], -1, false],
  ])('%j in %d bytes: %s (SparseEntries)', (pairs, size, valid) => {
    expect(isValidSparseMap(mapOf(pairs), size)).toBe(valid);
  });

  it.each([
    ['0', '', []],
    ['1', '0,5', [[0, 5]]],
    [
      '2',
      '0,5,10,5',
      [
        [0, 5],
        [10, 5],
      ],
    ],
    ['1', '0,5,10,5', undefined],
    ['2', '0,5', undefined],
    ['1', '0', undefined],
    ['1', '0,5,', undefined],
    ['-1', '', undefined],
    ['x', '0,5', undefined],
    [undefined, '0,5', undefined],
  ] as const)('%s blocks in %j (ReadGNUSparsePAXHeaders)', (blocks, map, pairs) => {
    const bytes = (text: string | undefined): Buffer | undefined =>
      text === undefined ? undefined : Buffer.from(text);
    expect(parsePaxSparseMap(bytes(blocks), bytes(map))).toEqual(
      pairs === undefined ? undefined : mapOf(pairs),
    );
  });

  it('numbers that are none make the map invalid (ReadGNUSparsePAXHeaders)', () => {
    const map = parsePaxSparseMap(Buffer.from('1'), Buffer.from('0,5x'));
    expect(isValidSparseMap(map ?? [], 100)).toBe(false);
  });

  it.each<[Pairs, number, string]>([
    [
      [
        [0, 2],
        [5, 3],
      ],
      8,
      'ab\0\0\0cde',
    ],
    [
      [
        [0, 2],
        [5, 3],
      ],
      10,
      'ab\0\0\0cde\0\0',
    ],
    [
      [
        [1, 3],
        [6, 5],
      ],
      11,
      '\0abc\0\0defgh',
    ],
    [
      [
        [1, 3],
        [6, 0],
        [6, 5],
        [12, 0],
      ],
      12,
      '\0abc\0\0defgh\0',
    ],
    [[[4, 0]], 4, '\0\0\0\0'],
  ])('stored data goes to the places of %j, in any pieces (FileReader)', (pairs, size, expected) => {
    const stored = 'abcdefgh'.slice(
      0,
      pairs.reduce((sum, [, length]) => sum + length, 0),
    );
    for (let step = 1; step <= 9; step++) {
      const file = Buffer.alloc(size);
      const cursor = new SparseCursor(mapOf(pairs));
      for (let at = 0; at < stored.length; at += step) {
        const piece = stored.slice(at, at + step);
        cursor.advance(piece.length, (offset, from, length) =>
          file.write(piece.slice(from, from + length), offset),
        );
      }
      expect(textOf(file)).toBe(expected);
    }
  });
});

/** An old GNU header with up to four pairs, and extension blocks for the rest. */
function oldGnu(pairs: Pairs, size: number, stored: string, magic: 'gnu' | 'ustar' | 'star' = 'gnu'): Buffer {
  const rest = pairs.slice(4);
  const at = { 386: pairText(pairs.slice(0, 4)), 482: rest.length > 0 ? '\x01' : '\0', 483: octal(size) };
  const blocks = [rawHeader({ name: 'sparse', type: 'S', magic, size: stored.length, at })];
  for (let i = 0; i < rest.length; i += 21) {
    const block = Buffer.alloc(512);
    block.write(pairText(rest.slice(i, i + 21)), 'latin1');
    if (i + 21 < rest.length) block[504] = 1;
    blocks.push(block);
  }
  return Buffer.concat([...blocks, padded(Buffer.from(stored)), rawEntry({ name: 'next' }, 'n'), END]);
}

function first(archive: Buffer, chunks: readonly number[] = [archive.length]): ReadEntry {
  const { entries, bytes } = readTar(archive, { chunks, poison: true });
  const [entry, next] = entries;
  if (entry === undefined) throw new Error('no entry');
  expect(textOf(next?.payload)).toBe('n');
  expect(bytes.equals(archive)).toBe(true);
  return entry;
}

const every = (count: number): Pairs => Array.from({ length: count }, (_, i) => [i * 10, 1] as const);

describe('old GNU sparse headers', () => {
  it.each([0, 1, 4, 5, 25, 26, 46, 47, 100])(
    '%i pairs, in the header and extension blocks (ReadOldGNUSparseMap)',
    (count) => {
      const stored = 'd'.repeat(count);
      for (const chunks of [[100_000], [1], [513]]) {
        const entry = first(oldGnu(every(count), count * 10, stored), chunks);
        expect([entry.header.kind, entry.header.size, entry.header.payloadSize]).toEqual([
          'sparse',
          count * 10,
          count,
        ]);
        expect(entry.header.sparse).toEqual(mapOf(every(count)));
        expect(textOf(expanded(entry))).toBe('d\0\0\0\0\0\0\0\0\0'.repeat(count));
      }
    },
  );

  it('the list ends at a pair that starts with NUL, though another block was announced (ReadOldGNUSparseMap)', () => {
    const at = { 386: pairText([[0, 3]]), 482: '\x01', 483: octal(3) };
    const header = rawHeader({ name: 's', type: 'S', magic: 'gnu', size: 3, at });
    const archive = Buffer.concat([
      header,
      Buffer.alloc(512),
      padded(Buffer.from('abc')),
      rawEntry({ name: 'n' }, 'n'),
    ]);
    expect(textOf(expanded(first(archive)))).toBe('abc');
  });

  it.each<[string, Buffer, ErrorCode]>([
    ['ustar magic', oldGnu([[0, 1]], 1, 'x', 'ustar'), 'ARCHIVE_INVALID_HEADER'],
    ['star magic', oldGnu([[0, 1]], 1, 'x', 'star'), 'ARCHIVE_INVALID_HEADER'],
    ['more stored than mapped', oldGnu([[0, 1]], 9, 'xx'), 'ARCHIVE_INVALID_SPARSE'],
    ['less stored than mapped', oldGnu([[0, 5]], 9, 'xx'), 'ARCHIVE_INVALID_SPARSE'],
    ['a map past the size', oldGnu([[8, 2]], 9, 'xx'), 'ARCHIVE_INVALID_SPARSE'],
    [
      'a map out of order',
      oldGnu(
        [
          [8, 1],
          [0, 1],
        ],
        9,
        'xx',
      ),
      'ARCHIVE_INVALID_SPARSE',
    ],
    ['a cut extension block', oldGnu(every(5), 50, 'ddddd').subarray(0, 900), 'ARCHIVE_TRUNCATED'],
    ['a missing extension block', oldGnu(every(5), 50, 'ddddd').subarray(0, 512), 'ARCHIVE_TRUNCATED'],
  ])('%s is refused (ReadOldGNUSparseMap)', (_, archive, code) => {
    expectRefused(archive, code);
  });

  it('text in a pair is refused (ReadOldGNUSparseMap)', () => {
    const at = { 386: 'abcdefghijk ', 483: octal(3) };
    expectRefused(rawHeader({ type: 'S', magic: 'gnu', at }), 'ARCHIVE_INVALID_SPARSE');
  });

  it('extension blocks without end are cut off at 1 MiB (SEC-42)', () => {
    const header = oldGnu(every(5), 50, 'ddddd').subarray(0, 512);
    const more = Buffer.alloc(512);
    more[504] = 1;
    expectRefused(
      Buffer.concat([header, ...Array.from({ length: 2049 }, () => more)]),
      'ARCHIVE_FIELD_TOO_LONG',
    );
  });
});

type Records = readonly (readonly [string, string])[];
const sparsePax = (records: Records, stored: string | Buffer, type = '0'): Buffer =>
  Buffer.concat([
    paxHeader(records),
    rawEntry({ name: 'GNUSparseFile.0/x', type }, stored),
    rawEntry({ name: 'next' }, 'n'),
    END,
  ]);
const V00: Records = [
  ['GNU.sparse.size', '10'],
  ['GNU.sparse.numblocks', '2'],
  ['GNU.sparse.offset', '0'],
  ['GNU.sparse.numbytes', '2'],
  ['GNU.sparse.offset', '6'],
  ['GNU.sparse.numbytes', '3'],
];
const V01: Records = [
  ['GNU.sparse.size', '10'],
  ['GNU.sparse.numblocks', '2'],
  ['GNU.sparse.name', 'real'],
  ['GNU.sparse.map', '0,2,6,3'],
];
const V10: Records = [
  ['GNU.sparse.major', '1'],
  ['GNU.sparse.minor', '0'],
  ['GNU.sparse.name', 'real'],
  ['GNU.sparse.realsize', '10'],
];
const inData = (map: string, stored: string): Buffer =>
  Buffer.concat([padded(Buffer.from(map)), Buffer.from(stored)]);
const major = (version: string, minor: string, records: Records): Records => [
  ['GNU.sparse.major', version],
  ['GNU.sparse.minor', minor],
  ...records,
];

describe('pax sparse files', () => {
  it.each<[string, Buffer, string]>([
    ['0.0', sparsePax(V00, 'abcde'), 'GNUSparseFile.0/x'],
    ['0.0 with its version', sparsePax(major('0', '0', V00), 'abcde'), 'GNUSparseFile.0/x'],
    ['0.1', sparsePax(V01, 'abcde'), 'real'],
    ['0.1 with its version', sparsePax(major('0', '1', V01), 'abcde'), 'real'],
    ['1.0', sparsePax(V10, inData('2\n0\n2\n6\n3\n', 'abcde')), 'real'],
  ])('%s (ReadGNUSparsePAXHeaders, SEC-41)', (_, archive, name) => {
    for (const chunks of [[100_000], [1], [700]]) {
      const entry = first(archive, chunks);
      expect([textOf(entry.header.name), entry.header.kind, entry.header.size]).toEqual([name, 'sparse', 10]);
      expect(entry.header.sparse).toEqual(
        mapOf([
          [0, 2],
          [6, 3],
        ]),
      );
      expect([entry.header.payloadSize, textOf(entry.payload)]).toEqual([5, 'abcde']);
      expect(textOf(expanded(entry))).toBe('ab\0\0\0\0cde\0');
    }
  });

  it('the 1.0 map is raw, comes before the header and is not in the payload size', () => {
    const archive = sparsePax(V10, inData('2\n0\n2\n6\n3\n', 'abcde'));
    const [raw, header, payload] = readTar(archive).events;
    expect([raw, header, payload]).toEqual([`raw ${512 * 4}`, 'header real', 'payload 5']);
  });

  it.each([1, 100, 5000])('a 1.0 map of %i pairs over several blocks', (count) => {
    const map = `${count}\n${every(count)
      .map(([offset, length]) => `${offset}\n${length}\n`)
      .join('')}`;
    const records: Records = [...V10.slice(0, 3), ['GNU.sparse.realsize', `${count * 10}`]];
    const archive = sparsePax(records, inData(map, 'd'.repeat(count)));
    for (const chunks of [[archive.length], [511]]) {
      expect(first(archive, chunks).header.sparse).toEqual(mapOf(every(count)));
    }
  });

  it.each<[string, Records]>([
    ['an unknown version', major('2', '0', V01.slice(2))],
    ['a minor without a major', [['GNU.sparse.minor', '0']]],
    ['no map', [['GNU.sparse.size', '10']]],
  ])('%s makes an ordinary file (ReadGNUSparsePAXHeaders)', (_, records) => {
    const entry = first(sparsePax(records, 'abcde'));
    expect([entry.header.kind, entry.header.sparse, entry.header.size]).toEqual(['file', undefined, 5]);
  });

  it.each<[string, ErrorCode, Buffer]>([
    [
      '0.1 without a count',
      'ARCHIVE_INVALID_SPARSE',
      sparsePax(
        V01.filter(([key]) => !key.endsWith('numblocks')),
        'abcde',
      ),
    ],
    [
      '0.1 with a wrong count',
      'ARCHIVE_INVALID_SPARSE',
      sparsePax([...V01, ['GNU.sparse.numblocks', '3']], 'abcde'),
    ],
    ['0.1 with too little data', 'ARCHIVE_INVALID_SPARSE', sparsePax(V01, 'abcd')],
    ['0.1 with too much data', 'ARCHIVE_INVALID_SPARSE', sparsePax(V01, 'abcdef')],
    ['0.1 on a directory', 'ARCHIVE_INVALID_SPARSE', sparsePax(V01, '', '5')],
    ['1.0 on a symlink', 'ARCHIVE_INVALID_SPARSE', sparsePax(V10, '', '2')],
    [
      'a size that is no number',
      'ARCHIVE_INVALID_PAX',
      sparsePax([...V01, ['GNU.sparse.size', 'x']], 'abcde'),
    ],
    ['a negative size', 'ARCHIVE_SIZE_UNSUPPORTED', sparsePax([...V01, ['GNU.sparse.size', '-1']], 'abcde')],
    ['1.0 without data', 'ARCHIVE_INVALID_SPARSE', sparsePax(V10, '')],
    ['1.0 with a short block', 'ARCHIVE_INVALID_SPARSE', sparsePax(V10, '2\n0\n2\n6\n3\n')],
    [
      '1.0 with a map longer than its data',
      'ARCHIVE_INVALID_SPARSE',
      sparsePax(V10, inData('9\n0\n2\n6\n3\n', 'abcde')),
    ],
    ['1.0 with text', 'ARCHIVE_INVALID_SPARSE', sparsePax(V10, inData('two\n0\n2\n6\n3\n', 'abcde'))],
    ['1.0 with a negative number', 'ARCHIVE_INVALID_SPARSE', sparsePax(V10, inData('-1\n0\n', 'abcde'))],
    ['1.0 with an empty line', 'ARCHIVE_INVALID_SPARSE', sparsePax(V10, inData('1\n\n0\n', 'abcde'))],
    [
      '1.0 with an endless number',
      'ARCHIVE_INVALID_SPARSE',
      sparsePax(V10, inData('1'.repeat(600), 'abcde')),
    ],
    [
      '1.0 with an overlapping map',
      'ARCHIVE_INVALID_SPARSE',
      sparsePax(V10, inData('2\n0\n4\n3\n1\n', 'abcde')),
    ],
  ])('%s is refused with %s (ReadGNUSparsePAXHeaders)', (_, code, archive) => {
    expectRefused(archive, code);
  });

  it('a 1.0 map over 1 MiB is refused while it is read (CVE-2025-58183, SEC-42)', () => {
    const map = `600000\n${'0\n0\n'.repeat(600_000)}`;
    expectRefused(sparsePax(V10, inData(map, '')), 'ARCHIVE_FIELD_TOO_LONG');
  });

  it('a bomb of 8 EiB is refused, one under the limit of sizes only by a configured limit', () => {
    const bomb = (size: string): Buffer =>
      sparsePax([...V10.slice(0, 3), ['GNU.sparse.realsize', size]], inData('0\n', ''));
    expectRefused(bomb('9223372036854775807'), 'ARCHIVE_SIZE_UNSUPPORTED');
    expect(first(bomb('60000000000')).header.size).toBe(60_000_000_000);
    expectRefused(bomb('60000000000'), 'ARCHIVE_LIMIT_EXCEEDED', { maxLogicalSize: 1e10 });
  });

  it('types that nobody unpacks are not looked into', () => {
    const entry = first(sparsePax(V01, 'abcdef', 'V'));
    expect([entry.header.kind, entry.header.payloadSize]).toEqual(['other', 6]);
  });

  it('a broken checksum is found before any map', () => {
    const archive = oldGnu([[0, 1]], 1, 'x');
    expectRefused(
      Buffer.concat([sealed(Buffer.from(archive.subarray(0, 512)), 'wrong')]),
      'ARCHIVE_INVALID_HEADER',
    );
  });
});
