import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { formatChange } from '../changes/change.js';
import { changesBetween } from '../changes/changes-between.js';
import { compress, decompress, detectCompression } from '../compress/index.js';
import { untar } from '../extract/untar.js';
import { IdMap } from '../idmap/index.js';
import { isOverlayWhiteout } from '../root/file-stat.js';
import { RootDirectory } from '../root/root-directory.js';
import { BOTH_WAYS, collect, IS_ROOT, plant, Scratch } from '../root/temporary-tree.test.support.js';
import { listArchive, namesOf } from './archive-listing.test.support.js';
import type { ArchiveWarning } from './archive-warning.js';
import { createArchive } from './create-archive.js';
import type { CreateOptions } from './create-options.js';

const asRoot = IS_ROOT ? it : it.skip;

describe.each(BOTH_WAYS)('createArchive $way', ({ portable }) => {
  let scratch: Scratch;
  let warnings: ArchiveWarning[];
  const archive = (name: string, options: CreateOptions = {}): AsyncIterable<Uint8Array> =>
    createArchive(scratch.at(name), { portable, onWarning: (warning) => warnings.push(warning), ...options });
  const extracted = async (name: string, options: CreateOptions = {}, into = 'out'): Promise<string> => {
    const out = scratch.tree(into);
    await untar(archive(name, options), out);
    return out;
  };
  const differences = async (a: string, b: string): Promise<string[]> =>
    (await changesBetween(scratch.at(a), scratch.at(b), { portable })).map(formatChange);

  beforeEach(() => {
    scratch = new Scratch();
    warnings = [];
  });
  afterEach(() => scratch[Symbol.dispose]());

  it.each([false, true])(
    'a thousand files arrive unchanged, hard links among them: %s (TarFiles)',
    async (links) => {
      const root = scratch.tree('in');
      for (let index = 0; index < 1000; index++) {
        if (links && index % 2 === 1) linkSync(`${root}/file-${index - 1}`, `${root}/file-${index}`);
        else writeFileSync(`${root}/file-${index}`, `fooo ${index}`);
      }
      const out = await extracted('in');
      expect(readdirSync(out)).toHaveLength(1000);
      expect(await differences('out', 'in')).toEqual([]);
    },
  );

  it.each(['none', 'gzip'] as const)(
    'an excluded file is all that is missing; compression %s (TarUntar)',
    async (kind) => {
      scratch.tree('in', { 1: { file: 'hello world' }, 2: { file: 'welcome!' }, 3: { file: 'bye' } });
      const bytes = await collect(
        archive('in', { excludePatterns: ['3'], compress: (source) => compress(source, { kind }) }),
      );
      expect(detectCompression(bytes)).toBe(kind);
      async function* again(): AsyncGenerator<Uint8Array, void, undefined> {
        yield bytes;
      }
      await untar(decompress(again()), scratch.tree('out'));
      expect(await differences('out', 'in')).toEqual(['D /3']);
    },
  );

  const OPTION_CASES: readonly (readonly [CreateOptions, readonly string[]])[] = [
    [{ includeFiles: ['1'] }, ['D /2', 'D /folder', 'D /test']],
    [{ excludePatterns: ['2'] }, ['D /2']],
    [{ excludePatterns: ['1', 'folder*'] }, ['D /1', 'D /folder']],
    [{ includeFiles: ['1', '1'] }, ['D /2', 'D /folder', 'D /test']],
    [
      { includeFiles: ['1'], rebaseNames: new Map([['1', 'new']]) },
      ['D /1', 'D /2', 'D /folder', 'A /new', 'D /test'],
    ],
  ];
  it.each(OPTION_CASES)(
    'includes, excludes and rebased names %j (TarWithOptions)',
    async (options, expected) => {
      scratch.tree('in', {
        1: { file: 'hello' },
        2: { file: 'welcome' },
        'folder/x': { file: 'x' },
        test: { file: 't' },
      });
      await extracted('in', options);
      expect(await differences('out', 'in')).toEqual(expected);
    },
  );

  asRoot.each([
    [{ chownOpts: { uid: 1337, gid: 42 } }, [1337, 42]],
    [{ chownOpts: { uid: 100001, gid: 100001 }, idMap: map(100000) }, [100001, 100001]],
    [{ chownOpts: { uid: 0, gid: 0 } }, [0, 0]],
    [{ chownOpts: { uid: 1, gid: 1 } }, [1, 1]],
    [{ chownOpts: { uid: 1000, gid: 1000 }, idMap: map(0) }, [1000, 1000]],
  ])(
    'a forced owner wins over the id map: %j (TarWithOptionsChownOptsAlwaysOverridesIdPair)',
    async (options, owner) => {
      scratch.tree('in', { f: { file: 'x' } });
      const [entry] = await listArchive(archive('in', options));
      expect([entry?.header.uid, entry?.header.gid]).toEqual(owner);
    },
  );

  asRoot('host ids become container ids, the mapped root like any other; whiteouts keep theirs', async () => {
    scratch.tree('in', {
      root: { file: '', owner: [100_000, 100_000] },
      user: { file: '', owner: [100_007, 100_009] },
      '.wh.gone': { file: '', owner: [5, 6] },
    });
    const entries = await listArchive(archive('in', { idMap: map(100_000) }));
    expect(entries.map(({ name, header }) => [name, header.uid, header.gid])).toEqual([
      ['.wh.gone', 5, 6],
      ['root', 0, 0],
      ['user', 7, 9],
    ]);
    scratch.tree('strange', { f: { file: '', owner: [3, 3] } });
    await expect(collect(archive('strange', { idMap: map(100_000) }))).rejects.toMatchObject({
      code: 'ARCHIVE_ID_UNMAPPED',
    });
  });

  it('no user or group name is looked up (NosysFileInfo)', async () => {
    scratch.tree('in', { f: { file: 'x' } });
    const [entry] = await listArchive(archive('in'));
    expect([entry?.header.userName.length, entry?.header.groupName.length]).toEqual([0, 0]);
  });

  it('directories carry a trailing slash, files none; the root has no entry (CanonicalTarName)', async () => {
    scratch.tree('in', { 'dir/file': { file: '' }, 'dir.txt': { file: '' } });
    expect(await namesOf(archive('in'))).toEqual(['dir/', 'dir/file', 'dir.txt']);
  });

  it('with the source directory every name begins with ./', async () => {
    scratch.tree('in', { 'dir/file': { file: '' } });
    expect(await namesOf(archive('in', { includeSourceDir: true }))).toEqual(['./', './dir/', './dir/file']);
  });

  it('links of a file stay links, the first name carrying the payload (TarWithHardLink)', async () => {
    scratch.tree('in', { 'a/1': { file: 'payload' }, 'b/2': { link: 'a/1' }, 'c/3': { link: 'a/1' } });
    const entries = await listArchive(archive('in', { includeFiles: ['a', 'b', 'c'] }));
    const shown = entries.map(({ name, header, linkName, content }) => [
      name,
      header.kind,
      linkName,
      content.toString(),
    ]);
    expect(shown.filter(([, kind]) => kind !== 'directory')).toEqual([
      ['a/1', 'file', '', 'payload'],
      ['b/2', 'hardlink', 'a/1', ''],
      ['c/3', 'hardlink', 'a/1', ''],
    ]);
  });

  it('links follow the new name (TarWithHardLinkAndRebase)', async () => {
    scratch.tree('in', { 'origin/1': { file: 'x' }, 'origin/2': { link: 'origin/1' } });
    const entries = await listArchive(
      archive('in', { includeFiles: ['origin'], rebaseNames: new Map([['origin', 'new-$&']]) }),
    );
    expect(entries.map(({ name, linkName }) => [name, linkName])).toEqual([
      ['new-$&/', ''],
      ['new-$&/1', ''],
      ['new-$&/2', 'new-$&/1'],
    ]);
  });

  asRoot('devices and FIFOs arrive (TarWithBlockCharFifo)', async () => {
    scratch.tree('in', {
      1: { file: 'hello world' },
      2: { device: ['b', 12, 5] },
      3: { device: ['c', 12, 260] },
      4: { fifo: true },
    });
    await extracted('in');
    expect(await differences('out', 'in')).toEqual([]);
  });

  asRoot('a file capability arrives and no other file gets one (TarUntarWithXattr)', async () => {
    const root = scratch.tree('in', { 1: { file: 'x' }, 2: { file: 'y' }, 3: { file: 'z' } });
    execFileSync('setcap', ['cap_block_suspend+ep', `${root}/2`]);
    const out = await extracted('in');
    expect(execFileSync('getcap', ['-r', out]).toString()).toMatch(/\/2 cap_block_suspend=ep\n$/);
    expect(await differences('out', 'in')).toEqual([]);
  });

  it('user attributes are stored, those of storage drivers never, others on request', async () => {
    const root = scratch.tree('in', { f: { file: 'x' } });
    for (const name of ['user.b', 'user.a', 'user.overlay.origin']) {
      execFileSync('setfattr', ['-n', name, '-v', name, `${root}/f`]);
    }
    const names = async (options: CreateOptions): Promise<string[]> =>
      (await listArchive(archive('in', options))).flatMap(({ header }) =>
        header.xattrs.map(({ name }) => Buffer.from(name).toString()),
      );
    expect(await names({})).toEqual(['user.a', 'user.b']);
    expect(await names({ xattrs: ['user.b', 'user.overlay.*'] })).toEqual(['user.b']);
    expect(await names({ xattrs: [] })).toEqual([]);
  });

  asRoot('a capability bound to a user namespace is stored as a plain one', async () => {
    const root = scratch.tree('in', { f: { file: 'x' } });
    const plain = '0100000200200000000000000000000000000000';
    const bound = `01000003${plain.slice(8)}e8030000`;
    execFileSync('setfattr', ['-n', 'security.capability', '-v', `0x${bound}`, `${root}/f`]);
    const [entry] = await listArchive(archive('in'));
    expect(Buffer.from(entry?.header.xattrs[0]?.value ?? []).toString('hex')).toBe(plain);
  });

  asRoot(
    'overlay deletions and opaque directories become .wh. entries, and back again (OverlayTarUntar)',
    async () => {
      const root = scratch.tree('in', {
        'd1/f1': { file: '' },
        'd2/f1': { file: '', mode: 0o660 },
        'd3/f1': { device: ['c', 0, 0] },
      });
      for (const dir of ['d1', 'd2'])
        execFileSync('setfattr', ['-n', 'trusted.overlay.opaque', '-v', 'y', `${root}/${dir}`]);
      const entries = await listArchive(archive('in', { whiteoutFormat: 'overlay' }));
      expect(entries.map(({ name }) => name)).toEqual([
        'd1/',
        'd1/.wh..wh..opq',
        'd1/f1',
        'd2/',
        'd2/.wh..wh..opq',
        'd2/f1',
        'd3/',
        'd3/.wh.f1',
      ]);
      expect(entries.every(({ header }) => header.kind === 'directory' || header.kind === 'file')).toBe(true);
      expect(entries.every(({ header }) => header.pax.size === 0)).toBe(true);
      const marks = entries.filter(({ name }) => name.includes('.wh.'));
      expect(marks.map(({ header }) => [header.mode, header.mtime.seconds > 0])).toEqual([
        [0o755, false],
        [0o755, false],
        [0o600, true],
      ]);
      const out = scratch.tree('out');
      await untar(archive('in', { whiteoutFormat: 'overlay' }), out, { whiteoutFormat: 'overlay' });
      await using tree = RootDirectory.open(out, { portable });
      expect(isOverlayWhiteout(tree.lstat('d3/f1'))).toBe(true);
      for (const [dir, mark] of [
        ['d1', 'y\n'],
        ['d2', 'y\n'],
        ['d3', ''],
      ] as const) {
        const { stdout } = spawnSync('getfattr', [
          '-n',
          'trusted.overlay.opaque',
          '--only-values',
          '--absolute-names',
          `${out}/${dir}`,
        ]);
        expect(stdout.toString().trim()).toBe(mark.trim());
      }
    },
  );

  it('no include leads out of the root, whatever it passes (TarWithMaliciousSymlinks)', async () => {
    plant(scratch.path, {
      'host-file': { file: 'I am a host file' },
      'data/host-file': { file: 'I am a host file' },
    });
    scratch.tree('root', {
      safe: { symlink: scratch.path },
      relative: { symlink: '..' },
      'sub/ok': { file: 'ok' },
    });
    const includes = [
      ['safe'],
      ['safe/'],
      ['safe/host-file'],
      ['safe/data'],
      ['safe/data/'],
      ['relative/host-file'],
      ['relative/.'],
    ];
    for (const includeFiles of includes) {
      let bytes: Buffer = Buffer.alloc(0);
      try {
        bytes = await collect(archive('root', { includeFiles }));
      } catch (error) {
        expect(error).toMatchObject({ code: 'ARCHIVE_IO' });
      }
      expect(bytes.includes('I am a host file')).toBe(false);
    }
    await expect(collect(archive('root', { source: 'safe' }))).resolves.not.toContain('host file');
    await expect(collect(archive('root', { includeFiles: ['../host-file'] }))).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID_NAME',
    });
  });

  it('a trailing slash on an include follows a link, inside the root', async () => {
    scratch.tree('in', { 'real/f': { file: 'x' }, link: { symlink: '/real' } });
    expect(await namesOf(archive('in', { includeFiles: ['link'] }))).toEqual(['link']);
    expect(await namesOf(archive('in', { includeFiles: ['link/'] }))).toEqual(['link/', 'link/f']);
  });

  it('a root that is a file is archived alone under its name', async () => {
    scratch.tree('in', { f: { file: 'content' }, other: { file: '' } });
    const entries = await listArchive(archive('in/f'));
    expect(entries.map(({ name, content }) => [name, content.toString()])).toEqual([['f', 'content']]);
  });

  it('exceptions keep what they name in directories that are left out', async () => {
    scratch.tree('in', { 'dir/keep': { file: '' }, 'dir/drop': { file: '' }, 'gone/x': { file: '' } });
    const names = await namesOf(archive('in', { excludePatterns: ['dir', 'gone', '!dir/keep'] }));
    expect(names).toEqual(['dir/keep']);
  });

  it('sockets are left out with a warning', async () => {
    const root = scratch.tree('in', { f: { file: '' } });
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(`${root}/socket`, resolve));
    try {
      expect(await namesOf(archive('in'))).toEqual(['f']);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
    expect(warnings.map(({ kind, path }) => [kind, path])).toEqual([['socket-skipped', 'socket']]);
  });

  it('the same tree gives the same bytes, in chunks worth having', async () => {
    const root = scratch.tree('in');
    for (let index = 0; index < 3000; index++) writeFileSync(`${root}/f${index}`, 'x'.repeat(index));
    const lengths: number[] = [];
    const parts: Uint8Array[] = [];
    for await (const chunk of archive('in')) {
      lengths.push(chunk.length);
      parts.push(chunk);
    }
    expect(Math.max(...lengths)).toBeLessThanOrEqual(1024 * 1024);
    expect(Math.min(...lengths.slice(0, -1))).toBeGreaterThanOrEqual(512 * 1024);
    expect(Buffer.concat(parts).equals(await collect(archive('in')))).toBe(true);
  });

  /** Big enough that the file is still being read after the first chunks, one chunk ahead. */
  const LARGE = 8 * 1024 * 1024;

  it.each([
    ['grew', 'file-grew', (path: string): void => appendFileSync(path, 'more')],
    ['shrank', 'file-shrank', (path: string): void => truncateSync(path, 4096)],
  ] as const)(
    'a file that %s while it was read has the size its header says, and is reported',
    async (_, kind, change) => {
      const root = scratch.tree('in', { large: { file: Buffer.alloc(LARGE, 1) }, next: { file: 'intact' } });
      async function* disturbed(): AsyncGenerator<Uint8Array, void, undefined> {
        let count = 0;
        for await (const chunk of archive('in')) {
          if (count++ === 2) change(`${root}/large`);
          yield chunk;
        }
      }
      const entries = await listArchive(disturbed());
      expect(entries.map(({ name, content }) => [name, content.length])).toEqual([
        ['large', LARGE],
        ['next', 6],
      ]);
      expect(warnings.map((warning) => [warning.kind, warning.path])).toEqual([[kind, 'large']]);
      // SEC-44: what could not be read any more is zeros, never what the buffer held before
      const tail = entries[0]?.content.subarray(-1024 * 1024) ?? Buffer.alloc(0);
      expect(tail.equals(Buffer.alloc(tail.length, kind === 'file-shrank' ? 0 : 1))).toBe(true);
    },
  );

  it('what vanishes while the tree is read is left out and reported', async () => {
    const root = scratch.tree('in', {
      'a-large': { file: Buffer.alloc(LARGE, 1) },
      'b-file': { file: 'x' },
      'c-dir/x': { file: '' },
      d: { file: '' },
    });
    async function* disturbed(): AsyncGenerator<Uint8Array, void, undefined> {
      for await (const chunk of archive('in')) {
        rmSync(`${root}/b-file`, { force: true });
        rmSync(`${root}/c-dir`, { force: true, recursive: true });
        yield chunk;
      }
    }
    expect(await namesOf(disturbed())).toEqual(['a-large', 'd']);
    expect(warnings.map(({ kind, path }) => [kind, path])).toEqual([
      ['vanished', 'b-file'],
      ['vanished', 'c-dir'],
    ]);
  });

  it('a missing include is an error, not an empty archive', async () => {
    scratch.tree('in', { f: { file: '' } });
    await expect(collect(archive('in', { includeFiles: ['none'] }))).rejects.toMatchObject({
      code: 'ARCHIVE_IO',
      errno: 'ENOENT',
    });
  });

  it('leaves no descriptor behind when the consumer stops or aborts in the middle', async () => {
    const root = scratch.tree('in', {
      'a/b/c/large': { file: Buffer.alloc(LARGE, 1) },
      'a/b/d': { file: '' },
    });
    expect(existsSync(root)).toBe(true);
    const before = readdirSync('/proc/self/fd').length;
    for await (const chunk of archive('in')) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    const controller = new AbortController();
    const aborted = (async () => {
      for await (const chunk of archive('in', { signal: controller.signal })) {
        expect(chunk.length).toBeGreaterThan(0);
        controller.abort(new Error('enough'));
      }
    })();
    await expect(aborted).rejects.toThrow('enough');
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });

  it('leaves no descriptor behind when the consumer stops at a directory', async () => {
    const root = scratch.tree('in');
    for (let index = 0; index < 2500; index++) mkdirSync(`${root}/d${index}`);
    const before = readdirSync('/proc/self/fd').length;
    for await (const chunk of archive('in')) {
      expect(chunk.length).toBe(1024 * 1024);
      break;
    }
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });

  it('refuses unknown and malformed options at once', () => {
    expect(() => createArchive('/x', { portable, exclude: [] } as CreateOptions)).toThrow(
      expect.objectContaining({ code: 'OPTION_UNKNOWN' }),
    );
    expect(() => createArchive('/x', { chownOpts: { uid: -1, gid: 0 } })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    );
    expect(() => createArchive('/x', { xattrs: ['us*er'] })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    );
  });
});

function map(hostId: number): IdMap {
  const ranges = [{ containerId: 0, hostId, size: 65_536 }];
  return new IdMap({ uids: ranges, gids: ranges });
}
