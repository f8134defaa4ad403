import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import type { ErrorCode } from '../errors.js';
import type { TarHeader } from './entry.js';
import { expectRefused, readTar, textOf } from './read-tar.test.support.js';
import { base256, END, gnuLong, paxHeader, rawEntry, rawHeader, record } from './tar-bytes.test.support.js';

const headersOf = (...parts: Buffer[]): TarHeader[] =>
  readTar(Buffer.concat([...parts, END])).entries.map(({ header }) => header);
const headerOf = (...parts: Buffer[]): TarHeader => {
  const [header] = headersOf(...parts);
  if (header === undefined) throw new Error('no entry');
  return header;
};
const refused = (code: ErrorCode, ...parts: Buffer[]): void => {
  expectRefused(Buffer.concat([...parts, END]), code);
};

describe('pax local headers', () => {
  it('every known record overrides its field (MergePAX)', () => {
    const header = headerOf(
      paxHeader([
        ['path', 'long/\xe4'],
        ['linkpath', '\xff'],
        ['uid', '2147483648'],
        ['gid', '-2'],
        ['uname', 'us\xc3\xa9r'],
        ['gname', 'group'],
        ['mtime', '1350244992.023960108'],
        ['atime', '-1.5'],
        ['ctime', '8589934592'],
        ['SCHILY.xattr.security.capability', '\x01\x00\x00\x02\xff\xfe'],
        ['SCHILY.xattr.user.b', '\x80'],
        ['comment', 'kept'],
      ]),
      rawEntry({ name: 'x', type: '2', linkName: 'y', userName: 'u', groupName: 'g' }),
    );
    expect(textOf(header.name)).toBe('long/\xe4');
    expect(textOf(header.linkName)).toBe('\xff');
    expect([header.uid, header.gid]).toEqual([2147483648, -2]);
    expect([textOf(header.userName), textOf(header.groupName)]).toEqual(['us\xc3\xa9r', 'group']);
    expect(header.mtime).toEqual({ seconds: 1350244992, nanoseconds: 23_960_108 });
    expect(header.atime).toEqual({ seconds: -2, nanoseconds: 500_000_000 });
    expect(header.ctime).toEqual({ seconds: 8589934592, nanoseconds: 0 });
    expect(header.xattrs.map(({ name, value }) => [textOf(name), textOf(value)])).toEqual([
      ['security.capability', '\x01\x00\x00\x02\xff\xfe'],
      ['user.b', '\x80'],
    ]);
    expect(textOf(header.pax.get('comment'))).toBe('kept');
    expect(header.format).toBe('pax');
  });

  it('an empty value leaves the field of the header (MergePAX)', () => {
    const empty = [
      'path',
      'linkpath',
      'uid',
      'gid',
      'size',
      'mtime',
      'uname',
      'gname',
      'SCHILY.xattr.user.a',
    ];
    const header = headerOf(
      paxHeader(empty.map((key) => [key, ''] as const)),
      rawEntry({ name: 'n', uid: '0000005', mtime: '00000000007', userName: 'u' }, 'abc'),
    );
    expect([textOf(header.name), header.uid, header.size, header.mtime.seconds]).toEqual(['n', 5, 3, 7]);
    expect(textOf(header.userName)).toBe('u');
    expect(header.xattrs).toEqual([]);
  });

  it.each([
    ['uid', 'x'],
    ['uid', '12345678901234567890'],
    ['gid', '1.5'],
    ['size', '0x10'],
    ['size', '9'.repeat(25)],
    ['mtime', 'now'],
    ['atime', '1e5'],
    ['ctime', '--1'],
  ])('%s=%s is refused (MergePAX)', (key, value) => {
    refused('ARCHIVE_INVALID_PAX', paxHeader([[key, value]]), rawEntry({ name: 'a' }));
  });

  it('an all-digit path is a name (SEC-33)', () => {
    expect(textOf(headerOf(paxHeader([['path', '12345']]), rawEntry({ name: 'a' })).name)).toBe('12345');
  });

  it.each(['path', 'linkpath', 'uname', 'gname'])('NUL in %s is refused (SEC-34)', (key) => {
    refused('ARCHIVE_INVALID_PAX', paxHeader([[key, 'a\x00b']]), rawEntry({ name: 'a' }));
  });

  it('the size record, not the header, says how long the payload is (SEC-31)', () => {
    const archive = Buffer.concat([
      paxHeader([['size', '5']]),
      rawHeader({ name: 'a', size: 9999 }),
      Buffer.from('hello'.padEnd(512, '\0')),
      rawEntry({ name: 'b' }, 'x'),
      END,
    ]);
    expect(readTar(archive).entries.map(({ payload }) => textOf(payload))).toEqual(['hello', 'x']);
  });

  it('size records do not reach a long name entry in between (SEC-30)', () => {
    const hidden = rawEntry({ name: 'hidden' }, 'h');
    const archive = Buffer.concat([
      paxHeader([['size', `${hidden.length}`]]),
      gnuLong('L', 'long name'),
      rawHeader({ name: 'a', size: 0 }),
      hidden,
      rawEntry({ name: 'last' }, 'l'),
      END,
    ]);
    const { entries } = readTar(archive);
    expect(entries.map(({ header }) => textOf(header.name))).toEqual(['long name', 'last']);
    expect(entries[0]?.payload.equals(hidden)).toBe(true);
  });

  it('a later pax header replaces an earlier one as a whole; long names win over both', () => {
    const [header, next] = headersOf(
      paxHeader([
        ['path', 'one'],
        ['uid', '7'],
      ]),
      gnuLong('L', 'gnu name'),
      gnuLong('K', 'gnu link'),
      paxHeader([['path', 'two']]),
      rawEntry({ name: 'x', type: '1', linkName: 'y' }),
      rawEntry({ name: 'next' }),
    );
    expect([textOf(header?.name), textOf(header?.linkName), header?.uid]).toEqual([
      'gnu name',
      'gnu link',
      0,
    ]);
    expect([textOf(next?.name), next?.pax.size]).toEqual(['next', 0]);
  });

  it('malformed records are refused, whatever is around them (SEC-32)', () => {
    for (const body of [
      '\0',
      '13 path=abc\n',
      '5 path=x\n',
      'path=x\n',
      '0 path=x\n',
      `${record('a', 'b')}garbage`,
    ]) {
      refused('ARCHIVE_INVALID_PAX', rawEntry({ type: 'x' }, body), rawEntry({ name: 'a' }));
    }
  });

  it('prototype keys are data (SEC-46)', () => {
    const { pax } = headerOf(
      paxHeader([
        ['__proto__', 'x'],
        ['constructor', 'y'],
        ['0', 'z'],
      ]),
      rawEntry({ name: 'a' }),
    );
    expect([...pax.keys()]).toEqual(['__proto__', 'constructor', '0']);
  });
});

describe('pax global headers', () => {
  it('are entries, change nothing after them, and are named by their path record (SEC-43)', () => {
    const [global, file] = headersOf(
      paxHeader(
        [
          ['path', 'evil'],
          ['size', '99'],
          ['comment', 'c0ffee'],
          ['uid', '7'],
        ],
        'g',
      ),
      rawEntry({ name: 'file' }, 'abc'),
    );
    expect([global?.kind, textOf(global?.name), global?.size, global?.payloadSize]).toEqual([
      'global',
      'evil',
      0,
      0,
    ]);
    expect(textOf(global?.pax.get('comment'))).toBe('c0ffee');
    expect([textOf(file?.name), file?.size, file?.uid, file?.pax.size]).toEqual(['file', 3, 0, 0]);
  });

  it('take pending local headers and long names with them, as in Go', () => {
    const [, file] = headersOf(
      paxHeader([['path', 'pax']]),
      gnuLong('L', 'gnu'),
      paxHeader([['comment', 'x']], 'g'),
      rawEntry({ name: 'file' }),
    );
    expect(textOf(file?.name)).toBe('file');
  });

  it('are reported after their records and before their padding', () => {
    const archive = Buffer.concat([paxHeader([['comment', 'x']], 'g'), END]);
    for (const chunks of [[4096], [1]]) {
      expect(readTar(archive, { chunks }).events).toEqual([
        'raw 525',
        'header PaxHeaders.0/x',
        'end',
        'raw 1523',
      ]);
    }
  });

  it('may be empty', () => {
    expect(headerOf(paxHeader([], 'g')).kind).toBe('global');
  });
});

describe('header fields', () => {
  it('a signed checksum is as good as an unsigned one, any other is not (SEC-41)', () => {
    expect(textOf(headerOf(rawEntry({ name: '\xe4\xff', checksum: 'signed' })).name)).toBe('\xe4\xff');
    refused('ARCHIVE_INVALID_HEADER', rawEntry({ name: 'a', checksum: 'wrong' }));
  });

  it('names keep their bytes (A1: non-UTF-8 name)', () => {
    expect(textOf(headerOf(rawEntry({ name: 'caf\xe9' })).name)).toBe('caf\xe9');
  });

  it.each([
    ['v7', 'v7', 'n'],
    ['ustar', 'ustar', 'p/n'],
    ['gnu', 'gnu', 'p/n'],
    ['star', 'star', 'p/n'],
  ] as const)('%s: format and prefix', (magic, format, name) => {
    // In a GNU header text at that place is the mark of an old Go writer that knew no better.
    const header = headerOf(rawEntry({ name: 'n', prefix: 'p', magic }));
    expect([header.format, textOf(header.name)]).toEqual([format, name]);
  });

  it('a full prefix and a full name have a slash between them', () => {
    const header = headerOf(rawEntry({ name: 'n'.repeat(100), prefix: 'p'.repeat(155) }));
    expect(textOf(header.name)).toBe(`${'p'.repeat(155)}/${'n'.repeat(100)}`);
  });

  it('the star prefix is shorter and has times behind it', () => {
    const header = headerOf(
      rawEntry({
        name: 'n',
        magic: 'star',
        prefix: 'p'.repeat(131),
        at: { 476: '00000000011\0', 488: '00000000012\0' },
      }),
    );
    expect(textOf(header.name)).toBe(`${'p'.repeat(131)}/n`);
    expect([header.atime?.seconds, header.ctime?.seconds]).toEqual([9, 10]);
  });

  it('GNU headers have times there, also base-256 ones', () => {
    const at = { 345: '00000000011\0', 357: base256(-5n, 12) };
    const header = headerOf(rawEntry({ name: 'n', magic: 'gnu', at }));
    expect([textOf(header.name), header.atime?.seconds, header.ctime?.seconds]).toEqual(['n', 9, -5]);
  });

  it('a prefix that is not ASCII is no prefix of an old Go writer', () => {
    const header = headerOf(rawEntry({ name: 'n', magic: 'gnu', prefix: 'p\xe4' }));
    expect([textOf(header.name), header.atime]).toEqual(['n', undefined]);
  });

  it('base-256 numbers, negative ones too', () => {
    const header = headerOf(
      rawEntry({
        name: 'n',
        magic: 'gnu',
        uid: base256(4_000_000_000n, 8),
        gid: base256(-1n, 8),
        mtime: base256(2n ** 40n, 12),
      }),
    );
    expect([header.uid, header.gid, header.mtime.seconds]).toEqual([4_000_000_000, -1, 2 ** 40]);
  });

  it.each([
    ['uid', { uid: base256(2n ** 53n, 8) }],
    ['gid', { gid: '0000x00' }],
    ['mode', { mode: '9' }],
    ['mtime', { mtime: base256(2n ** 60n, 12) }],
    ['device major', { at: { 329: 'x' } }],
    ['device minor', { at: { 337: '\xff' } }],
  ])('a %s that is no number or too large is refused', (_, field) => {
    refused('ARCHIVE_INVALID_HEADER', rawEntry({ name: 'a', ...field }));
  });

  it.each<[string, ErrorCode, string | Buffer]>([
    ['-1', 'ARCHIVE_SIZE_UNSUPPORTED', base256(-1n, 12)],
    ['2^53', 'ARCHIVE_SIZE_UNSUPPORTED', base256(2n ** 53n, 12)],
    ['2^63 - 1', 'ARCHIVE_SIZE_UNSUPPORTED', base256(2n ** 63n - 1n, 12)],
    ['2^80', 'ARCHIVE_INVALID_HEADER', base256(2n ** 80n, 12)],
    ['text', 'ARCHIVE_INVALID_HEADER', 'size'],
  ])('a size of %s is refused with %s (SEC-35)', (_, code, size) => {
    refused(code, rawHeader({ name: 'a', size }));
    refused(code, rawHeader({ name: 'a', type: '5', size }));
    refused(code, rawHeader({ name: 'a', type: 'x', size }));
  });

  it.each<[string, ErrorCode]>([
    ['-1', 'ARCHIVE_SIZE_UNSUPPORTED'],
    ['9007199254740992', 'ARCHIVE_SIZE_UNSUPPORTED'],
    ['9223372036854775808', 'ARCHIVE_SIZE_UNSUPPORTED'],
  ])('a pax size of %s is refused with %s (SEC-35)', (size, code) => {
    refused(code, paxHeader([['size', size]]), rawHeader({ name: 'a' }));
  });

  it('a size of 2^53 - 1 is counted, not stored', () => {
    const archive = rawHeader({ name: 'a', size: base256(2n ** 53n - 1n, 12) });
    expectRefused(archive, 'ARCHIVE_TRUNCATED');
  });

  it('a NUL block in the middle ends the archive or breaks it, as for Go and GNU tar (SEC-40)', () => {
    const a = rawEntry({ name: 'a' });
    refused('ARCHIVE_INVALID_HEADER', a, Buffer.alloc(512), a);
    expect(headersOf(a, END, a)).toHaveLength(1);
  });

  it('entries of one name all come out, in order (SEC-45)', () => {
    const found = headersOf(
      rawEntry({ name: 'a' }, 'x'),
      rawEntry({ name: 'a', type: '5' }),
      rawEntry({ name: 'a', type: '2' }),
    );
    expect(found.map(({ kind }) => kind)).toEqual(['file', 'directory', 'symlink']);
  });
});
