import { describe, expect, it } from '@jest/globals';
import {
  compressWith,
  drain,
  inChunks,
  mixedBytes,
  StallingSource,
} from '../compress/streams.test.support.js';
import { readArchive } from '../interop/read-archive.js';
import { generateArchive } from './generate-archive.js';
import { type EntryModifier, type ReplacementEntry, rewriteArchive } from './rewrite-archive.js';

const CHUNKS = [1, 513, 1 << 20];

async function rewrite(
  archive: Uint8Array,
  modifiers: Record<string, EntryModifier>,
  size = 1000,
): Promise<Buffer> {
  const { bytes, error } = await drain(
    rewriteArchive(inChunks(archive, size), new Map(Object.entries(modifiers))),
  );
  if (error !== undefined) throw error;
  return bytes;
}

/** Names and texts of an archive, as GNU tar lists and our reader reads them. */
async function contents(archive: Uint8Array): Promise<[string, string][]> {
  const found: [string, string][] = [];
  for await (const { header, body } of readArchive(inChunks(archive, 4096))) {
    found.push([Buffer.from(header.name).toString(), (await drain(body)).bytes.toString()]);
  }
  const listed = compressWith('tar', ['-tf-'], archive).toString().trim().split('\n').filter(Boolean);
  expect(listed).toEqual(found.map(([name]) => name));
  return found;
}

function file(name: string, text: string): ReplacementEntry {
  return { header: { kind: 'file', name: Buffer.from(name), mode: 0o600 }, content: Buffer.from(text) };
}

/** Upper-cases a file; creates it when it is not there. */
const shout: EntryModifier = async (entry) => {
  if (entry === undefined) return file('new', 'created');
  const { bytes } = await drain(entry.body);
  return { header: { ...entry.header, kind: 'file' }, content: Buffer.from(bytes.toString().toUpperCase()) };
};

const THREE = generateArchive([
  ['one', 'first'],
  ['two', 'x'.repeat(1500)],
  ['three', 'third'],
]);

describe('rewriteArchive (ReplaceFileTarWrapper)', () => {
  it.each(CHUNKS)('creates a file in an empty archive (chunks of %i)', async (size) => {
    expect(await contents(await rewrite(generateArchive([]), { new: shout }, size))).toEqual([
      ['new', 'created'],
    ]);
    expect(await contents(await rewrite(new Uint8Array(0), { new: shout }, size))).toEqual([
      ['new', 'created'],
    ]);
  });

  it.each(CHUNKS)('replaces the first, a middle and the last file (chunks of %i)', async (size) => {
    for (const index of [0, 1, 2]) {
      const before = await contents(THREE);
      const name = before[index]?.[0] ?? '';
      const after = await contents(await rewrite(THREE, { [name]: shout }, size));
      expect(after).toEqual(
        before.map(([other, text]) => [other, other === name ? text.toUpperCase() : text]),
      );
    }
  });

  it.each(CHUNKS)('appends what is not there, before the end marker (chunks of %i)', async (size) => {
    const out = await rewrite(THREE, { new: shout }, size);
    expect(await contents(out)).toEqual([...(await contents(THREE)), ['new', 'created']]);
    expect(out.subarray(0, THREE.length - 1024).equals(Buffer.from(THREE).subarray(0, -1024))).toBe(true);
    expect(out.subarray(-1024).every((byte) => byte === 0)).toBe(true);
  });

  it.each(CHUNKS)('drops and renames (chunks of %i)', async (size) => {
    const out = await rewrite(
      THREE,
      { two: () => undefined, three: () => file('3', 'drei'), four: () => undefined },
      size,
    );
    expect(await contents(out)).toEqual([
      ['one', 'first'],
      ['3', 'drei'],
    ]);
  });

  it('modifies every entry of a name and keeps the owner, times and attributes it is given', async () => {
    const twice = Buffer.concat([THREE.subarray(0, 1024), THREE]);
    expect(
      (await contents(await rewrite(twice, { one: shout }))).filter(([, text]) => text === 'FIRST').length,
    ).toBe(2);
    const args = [
      '-cf-',
      '--format=pax',
      '--mtime=@1700000000.5',
      '--owner=o:300000',
      '--group=g:1',
      '-C',
      '/etc',
      'hostname',
    ];
    const out = await rewrite(compressWith('tar', args, Buffer.alloc(0)), { hostname: shout });
    for await (const { header } of readArchive(inChunks(out, 512))) {
      expect(header).toMatchObject({
        uid: 300_000,
        gid: 1,
        mtime: { seconds: 1_700_000_000, nanoseconds: 500_000_000 },
      });
    }
  });

  it.each(CHUNKS)(
    'passes an archive that nothing matches byte for byte, whatever follows its end (chunks of %i)',
    async (size) => {
      const gnu = compressWith(
        'tar',
        ['-cf-', '--format=gnu', '-C', '/etc', 'passwd', 'group'],
        Buffer.alloc(0),
      );
      const pax = compressWith(
        'tar',
        ['-cf-', '--format=pax', '--pax-option=comment=x', '-C', '/etc', 'passwd'],
        Buffer.alloc(0),
      );
      const trailing = Buffer.concat([THREE, mixedBytes(5000, 2)]);
      const noEnd = THREE.subarray(0, THREE.length - 1024);
      const noPadding = THREE.subarray(0, THREE.length - 1024 - 400);
      for (const archive of [gnu, pax, trailing, noEnd, noPadding, new Uint8Array(0)]) {
        const out = await rewrite(archive, { absent: () => undefined }, size);
        expect(out.equals(Buffer.from(archive))).toBe(true);
      }
    },
  );

  it.each(CHUNKS)(
    'completes an archive without padding or end marker when it appends (chunks of %i)',
    async (size) => {
      for (const cut of [1024, 1024 + 400, 512]) {
        const out = await rewrite(THREE.subarray(0, THREE.length - cut), { new: shout }, size);
        expect(out.length % 512).toBe(0);
        expect((await contents(out)).at(-1)).toEqual(['new', 'created']);
      }
    },
  );

  it('passes on what a modifier throws, and closes the source', async () => {
    const broken = new Error('no');
    const source = new StallingSource(THREE.subarray(0, 2048));
    const modifiers = new Map<string, EntryModifier>([['two', () => Promise.reject(broken)]]);
    expect((await drain(rewriteArchive(source, modifiers))).error).toBe(broken);
    expect(source.closed).toBe(true);
  });

  it('fails as the tar reader does', async () => {
    await expect(rewrite(THREE.subarray(0, 515), {})).rejects.toMatchObject({ code: 'ARCHIVE_TRUNCATED' });
  });
});

describe('generateArchive', () => {
  it('makes an empty file (GenerateEmptyFile)', async () => {
    expect(await contents(generateArchive([['empty', '']]))).toEqual([['empty', '']]);
  });

  it('makes files with content, the same bytes each time (GenerateWithContent)', async () => {
    const files: [string, string][] = [
      ['file', 'content'],
      ['dir/täxt', 'ü'.repeat(600)],
    ];
    for await (const { header } of readArchive(inChunks(generateArchive(files), 100)))
      expect(header.mode & 0o777).toBe(0o644);
    expect(Buffer.from(generateArchive(files)).equals(Buffer.from(generateArchive(files)))).toBe(true);
    const names: string[] = [];
    for await (const { header } of readArchive(inChunks(generateArchive(files), 512)))
      names.push(Buffer.from(header.name).toString());
    expect(names).toEqual(['file', 'dir/täxt']);
  });

  it('makes 1024 NULs of nothing', () => {
    expect(Buffer.from(generateArchive([])).equals(Buffer.alloc(1024))).toBe(true);
  });
});
