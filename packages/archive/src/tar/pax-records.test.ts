import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import { isLayerStoreError } from '../errors.js';
import { formatPaxRecord, parsePaxBody, parsePaxRecord } from './pax-records.js';
import { textOf } from './read-tar.test.support.js';
import { record } from './tar-bytes.test.support.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const parseOne = (text: string): readonly [string, string, string] | undefined => {
  const found = parsePaxRecord(bytes(text), 0, text.length);
  return found === undefined ? undefined : [found.key, textOf(found.value), text.slice(found.next)];
};
const parseAll = (text: string): Record<string, string> => {
  const found = parsePaxBody(bytes(text), 0, text.length, 512);
  return Object.fromEntries([...found].map(([key, value]) => [key, textOf(value)]));
};

describe('pax records', () => {
  it.each([
    ['6 k=v\n', 'k', 'v', ''],
    ['6 k=v\n6 k=v\n', 'k', 'v', '6 k=v\n'],
    ['5 k=\n', 'k', '', ''],
    ['008 k=v\n', 'k', 'v', ''],
    ['7 k==v\n', 'k', '=v', ''],
    ['18 foo=b=\nar=\n==\x00\n', 'foo', 'b=\nar=\n==\x00', ''],
    [
      '23 \xe4\xbd\xa0\xe5\xa5\xbd=\xe4\xb8\x96\xe7\x95\x8c hello\n',
      '\xe4\xbd\xa0\xe5\xa5\xbd',
      '\xe4\xb8\x96\xe7\x95\x8c hello',
      '',
    ],
    ['30 mtime=1350244992.023960108\n', 'mtime', '1350244992.023960108', ''],
    ['30 SCHILY.xattr.user.bin=\x00\x01\xff\x80\n', 'SCHILY.xattr.user.bin', '\x00\x01\xff\x80', ''],
  ])('%j is read (ParsePAXRecord)', (text, key, value, rest) => {
    expect(parseOne(text)).toEqual([key, value, rest]);
  });

  it.each([
    '',
    'k=v\n',
    ' 6 k=v\n',
    '6k=v\n',
    '5 k=v\n',
    '7 k=v\n',
    '6 k=v~',
    '6 k-v\n',
    '5 =v\n',
    '6 =vv\n',
    '4 k=\n',
    '4 =\n',
    '3 \n',
    '0 k=v\n',
    '-6 k=v\n',
    '+6 k=v\n',
    '0x6 k=v\n',
    '99999999999999999999999 k=v\n',
    '9007199254740993 k=v\n',
    '000000000000000000000000000027 k=v\n',
    '7 k\x00=v\n',
    '16 path=a\x00b.txt\n',
    '15 linkpath=\x00\n',
    '11 uname=\x00\n',
    '11 gname=\x00\n',
    '6',
    '6 ',
  ])('%j is refused, not skipped (ParsePAXRecord, SEC-32, SEC-34)', (text) => {
    expect(parseOne(text)).toBeUndefined();
  });

  it.each([
    ['k', 'v', '6 k=v\n'],
    ['path', '/etc/hosts', '19 path=/etc/hosts\n'],
    ['path', 'x'.repeat(89), `98 path=${'x'.repeat(89)}\n`],
    ['path', 'x'.repeat(90), `99 path=${'x'.repeat(90)}\n`],
    ['path', 'x'.repeat(91), `101 path=${'x'.repeat(91)}\n`],
    ['path', 'x'.repeat(1000), `1011 path=${'x'.repeat(1000)}\n`],
    ['SCHILY.xattr.a', '\x00\xff', '21 SCHILY.xattr.a=\x00\xff\n'],
    ['a', '', '5 a=\n'],
  ])('%s is written with a length that counts itself (FormatPAXRecord)', (key, value, expected) => {
    const written = formatPaxRecord(key, bytes(value));
    expect(textOf(written)).toBe(expected);
    expect(parseOne(textOf(written))).toEqual([key, value, '']);
  });

  it.each([
    ['', 'v'],
    ['a=b', 'v'],
    ['a\x00b', 'v'],
    ['path', 'a\x00b'],
    ['linkpath', '\x00'],
    ['uname', '\x00'],
    ['gname', '\x00'],
  ])('key %j with value %j is not written (FormatPAXRecord)', (key, value) => {
    expect(formatPaxRecord(key, bytes(value))).toBeUndefined();
  });

  it.each<[string, Record<string, string>]>([
    ['', {}],
    ['6 k=v\n', { k: 'v' }],
    [record('a', '1') + record('b', '2'), { a: '1', b: '2' }],
    [record('a', '1') + record('a', '2'), { a: '2' }],
    [record('a', '1') + record('a', ''), { a: '' }],
    [
      record('GNU.sparse.offset', '0') +
        record('GNU.sparse.numbytes', '1') +
        record('GNU.sparse.offset', '2') +
        record('GNU.sparse.numbytes', '3'),
      { 'GNU.sparse.map': '0,1,2,3' },
    ],
  ])('body %j (ParsePAX)', (body, expected) => {
    expect(parseAll(body)).toEqual(expected);
  });

  it.each([
    '\x00',
    `${record('a', '1')}x`,
    `${record('a', '1')}\x00\x00`,
    record('GNU.sparse.numbytes', '1'),
    record('GNU.sparse.offset', '1') + record('GNU.sparse.offset', '1'),
    record('GNU.sparse.offset', '1,2'),
  ])('body %j is refused with the place of the record (ParsePAX)', (body) => {
    let error: unknown;
    try {
      parsePaxBody(bytes(body), 0, body.length, 512);
    } catch (caught) {
      error = caught;
    }
    expect(isLayerStoreError(error, 'ARCHIVE_INVALID_PAX')).toBe(true);
    expect(isLayerStoreError(error) ? (error.offset ?? -1) : -1).toBeGreaterThanOrEqual(512);
  });

  it('keys that are special to JavaScript objects are plain keys (SEC-46)', () => {
    const body = ['__proto__', 'constructor', 'toString', '1', '0'].map((key) => record(key, 'x')).join('');
    const found = parsePaxBody(bytes(body), 0, body.length, 0);
    expect([...found.keys()]).toEqual(['__proto__', 'constructor', 'toString', '1', '0']);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });
});
