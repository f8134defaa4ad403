/** Headers whose encoding is compared with what Go's archive/tar writes for them (go-headers.test.data.ts). */
import { Buffer } from 'node:buffer';
import type { EncodeFormat } from './header-encode.js';
import type { TarHeaderInit } from './header-init.js';

export interface HeaderCase {
  readonly title: string;
  readonly format: EncodeFormat;
  readonly init: TarHeaderInit;
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const utf8 = (text: string): Buffer => Buffer.from(text, 'utf8');
const at = (seconds: number, nanoseconds = 0): { seconds: number; nanoseconds: number } => ({
  seconds,
  nanoseconds,
});
const file = (name: string | Buffer, more: Partial<TarHeaderInit> = {}): TarHeaderInit => ({
  kind: 'file',
  name: typeof name === 'string' ? bytes(name) : name,
  mode: 0o644,
  mtime: at(1_700_000_000),
  ...more,
});
const records = (entries: Readonly<Record<string, string>>): ReadonlyMap<string, Buffer> =>
  new Map(Object.entries(entries).map(([key, value]) => [key, bytes(value)]));

const SPLITTABLE = `${'directory/'.repeat(14)}${'n'.repeat(90)}`;
const UNSPLITTABLE = 'u'.repeat(101);
const BIG_SIZE = 8 ** 11;

/** In every format. */
const EVERYWHERE: readonly (readonly [string, TarHeaderInit])[] = [
  ['small file', file('etc/hosts', { size: 5 })],
  ['everything zero', { kind: 'file', name: bytes('zero') }],
  ['directory', { kind: 'directory', name: bytes('etc/'), mode: 0o755 }],
  ['directory with file type bits', { kind: 'directory', name: bytes('etc/'), mode: 0o40755 }],
  ['symlink', { kind: 'symlink', name: bytes('bin/sh'), linkName: bytes('/usr/bin/dash'), mode: 0o777 }],
  ['hard link', { kind: 'hardlink', name: bytes('b'), linkName: bytes('a') }],
  ['fifo', { kind: 'fifo', name: bytes('pipe') }],
  ['character device', { kind: 'char', name: bytes('null'), deviceMajor: 1, deviceMinor: 3 }],
  ['block device', { kind: 'block', name: bytes('sda'), deviceMajor: 8, deviceMinor: 2_097_151 }],
  ['device major over octal', { kind: 'char', name: bytes('dev'), deviceMajor: 3_000_000 }],
  ['owner names', file('f', { userName: bytes('root'), groupName: bytes('wheel') })],
  [
    'owner names of 33 bytes',
    file('f', { userName: bytes('u'.repeat(33)), groupName: bytes('g'.repeat(33)) }),
  ],
  ['owner names in UTF-8', file('f', { userName: utf8('jürgen'), groupName: utf8('größe') })],
  ['largest octal ids', file('f', { uid: 2_097_151, gid: 2_097_151 })],
  ['ids of a rootless map', file('f', { uid: 2_097_152, gid: 4_294_967_294 })],
  ['negative ids', file('f', { uid: -1, gid: -2 })],
  ['largest octal size', file('f', { size: BIG_SIZE - 1 })],
  ['size over octal', file('f', { size: BIG_SIZE })],
  ['mtime in 2040', file('f', { mtime: at(2_208_988_800) })],
  ['mtime over octal', file('f', { mtime: at(BIG_SIZE) })],
  ['mtime before 1970', file('f', { mtime: at(-1) })],
  ['mtime with nanoseconds', file('f', { mtime: at(1_700_000_000, 123_456_789) })],
  ['mtime before 1970 with nanoseconds', file('f', { mtime: at(-2, 500_000_000) })],
  ['atime and ctime', file('f', { atime: at(5), ctime: at(6, 500_000_000) })],
  ['setuid, setgid, sticky', file('f', { mode: 0o7777 })],
  ['mode over octal', file('f', { mode: 0o10000000 })],
  ['name of 100 bytes', file('n'.repeat(100))],
  ['name of 101 bytes', file(UNSPLITTABLE)],
  ['name to split', file(SPLITTABLE)],
  ['name to split, also needing pax', file(SPLITTABLE, { uid: 3_000_000 })],
  ['prefix of 155 bytes', file(`${'p'.repeat(155)}/${'n'.repeat(100)}`)],
  ['prefix of 156 bytes', file(`${'p'.repeat(156)}/n`)],
  ['directory of 101 bytes', { kind: 'directory', name: bytes(`${'d'.repeat(100)}/`) }],
  ['directory to split', { kind: 'directory', name: bytes(`${'d/'.repeat(60)}`) }],
  ['directory cut at a slash', { kind: 'directory', name: bytes(`${'d'.repeat(98)}///${'e'.repeat(120)}/`) }],
  ['name in UTF-8', file(utf8('träger/☃'))],
  ['name that is not UTF-8', file('caf\xe9/\xff')],
  ['name with dots', file(utf8('../a/./b//☃'))],
  ['absolute name', file(utf8('/abs/☃'))],
  ['name without a directory', file(utf8('☃'))],
  ['directory in UTF-8', { kind: 'directory', name: utf8('träger/☃/') }],
  ['long name in UTF-8', file(utf8(`${'ä'.repeat(80)}/${'x'.repeat(120)}`))],
  ['name with a NUL', file('a\0b')],
  ['link of 100 bytes', { kind: 'symlink', name: bytes('l'), linkName: bytes('t'.repeat(100)) }],
  ['link of 101 bytes', { kind: 'symlink', name: bytes('l'), linkName: bytes('t'.repeat(101)) }],
  [
    'link of 101 bytes that has slashes',
    { kind: 'symlink', name: bytes('l'), linkName: bytes('t/'.repeat(101)) },
  ],
  ['link in UTF-8', { kind: 'symlink', name: bytes('l'), linkName: utf8('☃') }],
  [
    'long link and long name',
    { kind: 'hardlink', name: bytes('n'.repeat(200)), linkName: bytes('t'.repeat(200)) },
  ],
  ['link with a NUL', { kind: 'symlink', name: bytes('l'), linkName: bytes('a\0b') }],
  [
    'capability',
    file('ping', {
      xattrs: [
        {
          name: bytes('security.capability'),
          value: Buffer.from('0100000200200000000000000000000000000000', 'hex'),
        },
      ],
    }),
  ],
  [
    'xattrs out of order, one empty',
    file('f', {
      xattrs: ['user.z', 'user.a', 'trusted.m'].map((name, i) => ({
        name: bytes(name),
        value: bytes('v'.repeat(i)),
      })),
    }),
  ],
  ['xattr name with an equals sign', file('f', { xattrs: [{ name: bytes('a=b'), value: bytes('v') }] })],
  [
    'further pax records',
    file('f', { pax: records({ comment: 'x', 'LIBARCHIVE.creationtime': '1', path: 'other' }) }),
  ],
  [
    'records that repeat a field',
    file('f', { uid: 7, pax: records({ path: 'f', uid: '7', gid: '9', mtime: '1700000000' }) }),
  ],
  [
    'records of a sparse file',
    file('f', { pax: records({ 'GNU.sparse.map': '0,1', 'GNU.sparse.major': '1' }) }),
  ],
  ['record with a NUL in its key', file('f', { pax: records({ 'a\0b': 'x' }) })],
  ['record without a key', file('f', { pax: records({ '': 'x' }) })],
  [
    'global header',
    { kind: 'global', name: bytes(''), pax: records({ comment: 'c0ffee', path: 'p', size: '5' }) },
  ],
  [
    'global header with a name',
    { kind: 'global', name: bytes('pax_global_header'), pax: records({ a: 'b' }) },
  ],
  ['empty global header', { kind: 'global', name: bytes('g') }],
];

export const HEADER_CASES: readonly HeaderCase[] = EVERYWHERE.flatMap(([title, init]) =>
  (['pax', 'ustar', 'gnu'] as const).map((format) => ({ title: `${title} in ${format}`, format, init })),
);
