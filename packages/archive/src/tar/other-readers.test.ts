import { Buffer } from 'node:buffer';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { extract } from 'tar-stream';
import type { EncodeFormat } from './header-encode.js';
import type { TarHeaderInit } from './header-init.js';
import { expanded, type ReadEntry, readTar, textOf } from './read-tar.test.support.js';
import { type TarEntryInput, writeTar } from './writer.js';

const TIMEOUT_MS = 20_000;

function installed(program: string): boolean {
  const found = spawnSync(program, ['--version'], { timeout: TIMEOUT_MS }).status === 0;
  if (!found && process.env.CI === 'true') throw new Error(`${program} is not installed`);
  if (!found) process.stderr.write(`SKIPPED: ${program} is not installed\n`);
  return found;
}

const whenInstalled = { python3: when('python3'), tar: when('tar'), bsdtar: when('bsdtar') };

function when(program: string): typeof it | typeof it.skip {
  return installed(program) ? it : it.skip;
}

/** What readers can be compared by: kind, name, target, mode, owner, size, time. */
type Row = readonly (string | number)[];

const PYTHON = `
import json, sys, tarfile
rows = []
kinds = {b'0': 'file', b'\\0': 'file', b'1': 'hardlink', b'2': 'symlink', b'3': 'char', b'4': 'block', b'5': 'directory', b'6': 'fifo', b'S': 'file'}
with tarfile.open(sys.argv[1], errors='surrogateescape', encoding='utf-8') as archive:
    for m in archive:
        b = lambda s: s.encode('utf-8', 'surrogateescape').decode('latin-1')
        data = archive.extractfile(m).read().hex() if m.isreg() and m.size < 100000 else ''
        rows.append([kinds[m.type], b(m.name).rstrip('/'), b(m.linkname), m.mode & 0o7777, m.uid, m.gid, m.size if m.isreg() else 0, int(m.mtime // 1), data])
json.dump(rows, sys.stdout)
`;

function ourRow({ header, payload }: ReadEntry): Row {
  return [
    header.kind,
    textOf(header.name).replace(/\/+$/, ''),
    textOf(header.linkName),
    header.mode & 0o7777,
    header.uid,
    header.gid,
    header.size,
    header.mtime.seconds,
    payload.toString('hex'),
  ];
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const entry = (header: TarHeaderInit, body = ''): TarEntryInput => ({
  header: { mode: 0o644, mtime: { seconds: 1_700_000_000, nanoseconds: 0 }, ...header, size: body.length },
  body: bytes(body),
});

/** One of everything that all readers claim to support. */
function corpus(format: EncodeFormat): TarEntryInput[] {
  const more: TarEntryInput[] = [
    entry({ kind: 'file', name: bytes('n'.repeat(150)) }, 'long'),
    entry({ kind: 'file', name: Buffer.from(`träger/${'☃'.repeat(60)}`) }, 'utf-8'),
    entry({ kind: 'file', name: bytes('caf\xe9') }, 'latin-1'),
    entry({ kind: 'symlink', name: bytes('long-link'), linkName: bytes('t/'.repeat(100)), mode: 0o777 }),
    entry({ kind: 'file', name: bytes('ids'), uid: 3_000_000, gid: 4_000_000_000 }, 'ids'),
    entry({ kind: 'file', name: bytes('2300'), mtime: { seconds: 10_413_792_000, nanoseconds: 0 } }, 'late'),
  ];
  return [
    entry({ kind: 'directory', name: bytes('d/'), mode: 0o1777 }),
    entry({ kind: 'file', name: bytes('d/empty') }),
    ...[1, 511, 512, 513, 5000].map((size) =>
      entry({ kind: 'file', name: bytes(`d/${size}`) }, 'x'.repeat(size)),
    ),
    entry({ kind: 'hardlink', name: bytes('d/link'), linkName: bytes('d/1') }),
    entry({ kind: 'symlink', name: bytes('s'), linkName: bytes('/etc/passwd'), mode: 0o777 }),
    entry({ kind: 'fifo', name: bytes('p'), mode: 0o4600 }),
    entry({ kind: 'char', name: bytes('c'), deviceMajor: 1, deviceMinor: 3 }),
    entry({ kind: 'file', name: bytes(`${'directory/'.repeat(12)}${'n'.repeat(80)}`) }, 'split'),
    ...(format === 'ustar' ? [] : more),
  ];
}

describe('other readers and writers agree with ours', () => {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'tar-readers-'));
  });
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  async function archiveOf(format: EncodeFormat): Promise<{ path: string; archive: Buffer }> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of writeTar(corpus(format), { format })) chunks.push(chunk);
    const path = join(directory, `${format}.tar`);
    const archive = Buffer.concat(chunks);
    writeFileSync(path, archive);
    return { path, archive };
  }
  const python = (path: string): Row[] =>
    JSON.parse(
      execFileSync('python3', ['-c', PYTHON, path], { timeout: TIMEOUT_MS, encoding: 'utf8' }),
    ) as Row[];
  const list = (program: string, path: string): string[] => {
    const options = program === 'tar' ? ['--quoting-style=literal'] : [];
    // bsdtar lists everything but reports names that are not UTF-8 by its exit status.
    const { stdout } = spawnSync(program, ['-tf', path, ...options], {
      timeout: TIMEOUT_MS,
      env: { LC_ALL: 'C.UTF-8', PATH: process.env.PATH ?? '' },
    });
    return stdout.toString('latin1').trimEnd().split('\n');
  };

  const FORMATS = ['pax', 'gnu', 'ustar'] as const;

  whenInstalled.python3.each(FORMATS)('Python tarfile reads our %s archives as we do', async (format) => {
    const { path, archive } = await archiveOf(format);
    expect(python(path)).toEqual(readTar(archive).entries.map(ourRow));
  });

  describe.each(['tar', 'bsdtar'] as const)('%s', (program) => {
    whenInstalled[program].each(FORMATS)('lists our %s archives as we do', async (format) => {
      const { path, archive } = await archiveOf(format);
      const names = readTar(archive).entries.map(({ header }) => textOf(header.name));
      // bsdtar shows bytes that are not UTF-8 escaped.
      expect(list(program, path).map((line) => line.replace('caf\\351', 'caf\xe9'))).toEqual(names);
    });
  });

  it('tar-stream reads the names, sizes and bodies of our pax archives as we do', async () => {
    const { archive } = await archiveOf('pax');
    const reader = extract();
    reader.end(archive);
    const rows: unknown[] = [];
    for await (const part of reader) {
      const body: Uint8Array[] = [];
      for await (const chunk of part) body.push(chunk as Uint8Array);
      rows.push([part.header.size, Buffer.concat(body).toString('hex')]);
    }
    expect(rows).toEqual(
      readTar(archive).entries.map(({ header, payload }) => [header.size, payload.toString('hex')]),
    );
  });

  const WRITE = `
import io, sys, tarfile
with tarfile.open(sys.argv[1], 'w', format=int(sys.argv[2]), encoding='utf-8') as archive:
    for i, size in enumerate([0, 1, 511, 512, 513, 70000]):
        for name in ['f%d' % i, 'n' * 150 + str(i), 'd/' * 60 + str(i), '\\u2603' * 20 + str(i)]:
            m = tarfile.TarInfo(name)
            m.size, m.mode, m.mtime, m.uname, m.uid = size, 0o640, 1700000000 + (0.25 if sys.argv[2] == '2' else 0), 'j\\u00fcrgen', 3000000
            archive.addfile(m, io.BytesIO(b'x' * size))
    for kind, name in [(tarfile.DIRTYPE, 'dir'), (tarfile.SYMTYPE, 'sym'), (tarfile.LNKTYPE, 'f1.link')]:
        m = tarfile.TarInfo(name)
        m.type, m.linkname = kind, '' if kind == tarfile.DIRTYPE else 't' * 120
        archive.addfile(m)
`;

  whenInstalled.python3.each([
    ['GNU', '1'],
    ['pax', '2'],
  ])('we read the %s archives of Python tarfile as it does', (_, format) => {
    const path = join(directory, `python-${format}.tar`);
    execFileSync('python3', ['-c', WRITE, path, format], { timeout: TIMEOUT_MS });
    const archive = readFileSync(path);
    expect(readTar(archive).entries.map(ourRow)).toEqual(python(path));
    expect(readTar(archive).bytes.equals(archive)).toBe(true);
  });

  const WRITERS = [
    ['tar', '--format=gnu'],
    ['tar', '--format=posix'],
    ['tar', '--format=ustar'],
    ['tar', '--format=v7'],
    ['tar', '--format=gnu', '--sparse'],
    ['tar', '--format=posix', '--sparse', '--sparse-version=0.0'],
    ['tar', '--format=posix', '--sparse', '--sparse-version=0.1'],
    ['tar', '--format=posix', '--sparse', '--sparse-version=1.0'],
    ['bsdtar', '--format=pax'],
    ['bsdtar', '--format=gnutar'],
  ] as const;

  describe.each(WRITERS)('%s %s %s %s', (program, ...options) => {
    whenInstalled[program]('writes what we read', () => {
      const tree = mkdtempSync(join(directory, 'tree-'));
      const sparse = Buffer.alloc(3_000_000);
      sparse.write('start');
      sparse.write('middle', 1_500_000);
      writeFileSync(join(tree, 'plain'), 'plain');
      execFileSync('truncate', ['-s', '3000000', join(tree, 'holes')]);
      execFileSync('dd', ['of=holes', 'bs=1', 'conv=notrunc', 'status=none'], { cwd: tree, input: 'start' });
      execFileSync('dd', ['of=holes', 'bs=1', 'seek=1500000', 'conv=notrunc', 'status=none'], {
        cwd: tree,
        input: 'middle',
      });
      const path = join(directory, 'written.tar');
      execFileSync(program, [...options, '-cf', path, '-C', tree, 'plain', 'holes'], { timeout: TIMEOUT_MS });
      const archive = readFileSync(path);
      const { entries, bytes: all } = readTar(archive, { chunks: [65_536] });
      expect(all.equals(archive)).toBe(true);
      expect(entries.map(({ header }) => [textOf(header.name), header.size])).toEqual([
        ['plain', 5],
        ['holes', 3_000_000],
      ]);
      const last = entries.at(-1);
      expect(last !== undefined && expanded(last).equals(sparse)).toBe(true);
      if (options.length > 1) expect(last?.payload.length).toBeLessThan(100_000);
    });
  });
});
