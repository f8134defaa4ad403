import { execFileSync } from 'node:child_process';
import { chmodSync, lstatSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { isLayerStoreError } from '../errors.js';
import { IdMap } from '../idmap/id-map.js';
import { applyLayer } from './apply-layer.js';
import { archive, END, type EntrySpec, globalHeader, headerBlock } from './archive.test-support.js';
import { EXECUTORS, failure, failureCode, Sandbox } from './sandbox.test-support.js';
import { untar } from './untar.js';

const dir = (name: string, mode = 0o755): EntrySpec => ({ name, type: '5', mode });
const file = (name: string, content = 'x'): EntrySpec => ({ name, content });

const UNPACKERS = ['untar', 'apply'] as const;

function owner(sandbox: Sandbox, name: string): readonly [number, number] {
  const { uid, gid } = lstatSync(join(sandbox.dest, name));
  return [uid, gid];
}

describe.each(EXECUTORS)('unpacking, %s executor', (executor) => {
  describe.each(UNPACKERS)('%s', (unpacker) => {
    it('skips a global header (TypeXGlobalHeaderDoesNotFail)', async () => {
      await using sandbox = await Sandbox.create(executor);
      await sandbox[unpacker]([globalHeader('pax_global_header', { comment: 'x' }), file('a')]);
      expect(Object.keys(sandbox.tree())).toEqual(['a']);
    });

    it('makes no parent for a global header (XGlobalNoParent)', async () => {
      await using sandbox = await Sandbox.create(executor);
      await sandbox[unpacker]([globalHeader('foo/bar', { comment: 'x' })]);
      expect(sandbox.tree()).toEqual({});
    });

    it('finds the name in a ustar prefix beside a base-256 user id (UntarUstarGnuConflict)', async () => {
      await using sandbox = await Sandbox.create(executor);
      await sandbox[unpacker]([
        { name: 'file.txt', prefix: 'some/long/prefix', uid: 2_200_000, content: 'found' },
      ]);
      expect(sandbox.tree()['some/long/prefix/file.txt']).toBe('file 644 found');
      expect(owner(sandbox, 'some/long/prefix/file.txt')[0]).toBe(2_200_000);
    });

    it('reads the prefix an old writer put into a GNU header (PrefixHeaderReadable)', async () => {
      await using sandbox = await Sandbox.create(executor);
      const block = headerBlock({ name: 'tail', format: 'gnu', prefix: 'a/prefix/no/number' }, 0);
      await sandbox[unpacker](Buffer.concat([block, END]));
      expect(Object.keys(sandbox.tree())).toContain('a/prefix/no/number/tail');
    });

    it.each([0o022, 0o027, 0o077])(
      'makes parents 0755 and entries exactly as told under umask %o (ImpliedDirectoryPermissions, UntarParentPathPermissions)',
      async (umask) => {
        await using sandbox = await Sandbox.create(executor);
        const before = process.umask(umask);
        try {
          await sandbox[unpacker]([
            { name: 'deeply/nested/dir/file', mode: 0o666 },
            dir('deeply/nested/and/explicit', 0o777),
            { name: 'setuid', mode: 0o6755, uid: 5, gid: 6 },
            { name: 'fifo', type: '6', mode: 0o666 },
          ]);
        } finally {
          process.umask(before);
        }
        expect(sandbox.tree()).toEqual({
          deeply: 'dir 755',
          'deeply/nested': 'dir 755',
          'deeply/nested/and': 'dir 755',
          'deeply/nested/and/explicit': 'dir 777',
          'deeply/nested/dir': 'dir 755',
          'deeply/nested/dir/file': 'file 666 ',
          fifo: 'fifo 666',
          setuid: 'file 6755 ',
        });
      },
    );

    it('changes no mode bits on the way (ChmodTarEntry)', async () => {
      await using sandbox = await Sandbox.create(executor);
      for (const mode of [0o000, 0o777, 0o644, 0o755, 0o444, 0o1777, 0o2711]) {
        await sandbox[unpacker]([{ name: 'f', mode }, dir('d', mode)]);
        expect(sandbox.tree()).toEqual({ d: `dir ${mode.toString(8)}`, f: `file ${mode.toString(8)} ` });
        chmodSync(join(sandbox.dest, 'd'), 0o755);
      }
    });

    it('keeps the capability of a file and gives none to others (TarUntarWithXattr)', async () => {
      await using sandbox = await Sandbox.create(executor);
      const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
      await sandbox[unpacker]([
        { name: 'cap', uid: 1, gid: 1, mode: 0o755, pax: { 'SCHILY.xattr.security.capability': capability } },
        { name: 'none', mode: 0o755 },
        { name: 'd', type: '5', pax: { 'SCHILY.xattr.trusted.note': Buffer.from([0, 255, 10]) } },
      ]);
      const xattrs = execFileSync('getfattr', ['-m', '-', '-d', '-e', 'hex', 'cap', 'none', 'd'], {
        cwd: sandbox.dest,
        encoding: 'utf8',
      });
      expect(xattrs).toContain(`security.capability=0x${capability.toString('hex')}`);
      expect(xattrs).toContain('trusted.note=0x00ff0a');
      expect(xattrs.match(/# file:/g)).toHaveLength(2);
    });

    it('never takes an SELinux label from an archive', async () => {
      await using sandbox = await Sandbox.create(executor);
      await sandbox[unpacker]([{ name: 'f', pax: { 'SCHILY.xattr.security.selinux': 'u:r:t:s0' } }]);
      expect(execFileSync('getfattr', ['-m', '-', 'f'], { cwd: sandbox.dest, encoding: 'utf8' })).toBe('');
    });

    it.each([
      [-1, 0],
      [0, -1],
      [2 ** 32, 0],
      [0, 2 ** 32],
    ])(
      'refuses device %d:%d before it touches the tree (HandleTarTypeBlockCharFifoDeviceRange)',
      async (major, minor) => {
        for (const type of ['3', '4']) {
          await using sandbox = await Sandbox.create(executor);
          const code = await failureCode(sandbox[unpacker]([{ name: 'sub/dev', type, major, minor }]));
          expect(code).toBe('ARCHIVE_DEVICE_RANGE');
          expect(sandbox.tree()).toEqual({});
        }
      },
    );

    it('makes devices and FIFOs', async () => {
      await using sandbox = await Sandbox.create(executor);
      await sandbox[unpacker]([
        { name: 'null', type: '3', major: 1, minor: 3, mode: 0o666 },
        { name: 'loop', type: '4', major: 7, minor: 9, uid: 4, gid: 6, mode: 0o660 },
        { name: 'pipe', type: '6', mode: 0o600 },
      ]);
      expect(sandbox.tree()).toEqual({ loop: 'block 7:9', null: 'char 1:3', pipe: 'fifo 600' });
      expect(owner(sandbox, 'loop')).toEqual([4, 6]);
      expect(lstatSync(join(sandbox.dest, 'loop')).mtimeMs).toBe(1_600_000_000_000);
    });

    it('sets the mode of what nobody may read or open (ChmodNoSymlinkFallback)', async () => {
      await using sandbox = await Sandbox.create(executor);
      // No driver answers to this number: opening the device would fail.
      await sandbox[unpacker]([
        { name: 'nothing', mode: 0o000 },
        dir('locked', 0o000),
        { name: 'device', type: '3', major: 250, minor: 250, mode: 0o640 },
      ]);
      expect(sandbox.tree()).toMatchObject({ locked: 'dir 0', nothing: 'file 0 ' });
      expect(lstatSync(join(sandbox.dest, 'device')).mode & 0o777).toBe(0o640);
    });

    it('sets times of everything, of directories last', async () => {
      await using sandbox = await Sandbox.create(executor);
      await sandbox[unpacker]([
        { name: 'd', type: '5', mtime: 1000 },
        { name: 'd/e', type: '5', mtime: 2000 },
        { name: 'd/e/f', mtime: 3000 },
        { name: 'd/l', type: '2', link: 'x', mtime: 4000 },
        { name: 'fine', pax: { mtime: '1234567890.123456789', atime: '1234567891.5' } },
        { name: 'early-atime', mtime: 5000, pax: { atime: '1000' } },
        { name: 'before', pax: { mtime: '-5.5' } },
        { name: 'beyond', pax: { mtime: '99999999999' } },
      ]);
      const times = (name: string): readonly number[] => {
        const { mtimeMs, atimeMs } = lstatSync(join(sandbox.dest, name));
        return [mtimeMs / 1000, atimeMs / 1000];
      };
      expect(times('d')[0]).toBe(1000);
      expect(times('d/e')[0]).toBe(2000);
      expect(times('d/e/f')[0]).toBe(3000);
      expect(times('d/l')[0]).toBe(4000);
      expect(times('early-atime')).toEqual([5000, 5000]);
      expect([times('before')[0], times('beyond')[0]]).toEqual([0, 0]);
      const fine = lstatSync(join(sandbox.dest, 'fine'), { bigint: true });
      expect(fine.mtimeNs / 1000n).toBe(1234567890123456n);
      expect(fine.atimeNs).toBe(1234567891500000000n);
    });

    it('replaces objects of every type by every other type', async () => {
      const shapes: readonly Omit<EntrySpec, 'name'>[] = [
        { content: 'f' },
        { type: '2', link: 'nowhere' },
        { type: '5' },
        { type: '6' },
        { type: '1', link: 'other' },
      ];
      await using sandbox = await Sandbox.create(executor);
      for (const first of shapes) {
        for (const second of shapes) {
          await sandbox[unpacker]([file('other', 'o'), { ...first, name: 'x' }]);
          await sandbox[unpacker]([{ ...second, name: 'x' }]);
          const expected = ['file 644 f', 'link nowhere', 'dir 755', 'fifo 644', 'file 644 o'];
          expect(sandbox.tree().x).toBe(expected[shapes.indexOf(second)]);
          expect(sandbox.tree().other).toBe('file 644 o');
        }
      }
    });

    it('maps ids exactly once, also one that equals the mapped root', async () => {
      await using sandbox = await Sandbox.create(executor);
      const range = { containerId: 0, hostId: 100_000, size: 200_000 };
      const idMap = new IdMap({ uids: [range], gids: [range] });
      await sandbox[unpacker]([file('implied/root'), { name: 'same', uid: 100_000, gid: 100_000 }], {
        idMap,
      });
      expect(owner(sandbox, 'implied')).toEqual([100_000, 100_000]);
      expect(owner(sandbox, 'implied/root')).toEqual([100_000, 100_000]);
      expect(owner(sandbox, 'same')).toEqual([200_000, 200_000]);
      expect(await failureCode(sandbox[unpacker]([{ name: 'x', uid: 300_000 }], { idMap }))).toBe(
        'ARCHIVE_ID_UNMAPPED',
      );
    });

    it('changes no owner when told not to', async () => {
      await using sandbox = await Sandbox.create(executor);
      const range = { containerId: 0, hostId: 100_000, size: 10 };
      const idMap = new IdMap({ uids: [range], gids: [range] });
      await sandbox[unpacker]([{ name: 'd/f', uid: 9, gid: 9 }], { noLchown: true, idMap });
      expect([owner(sandbox, 'd'), owner(sandbox, 'd/f')]).toEqual([
        [0, 0],
        [0, 0],
      ]);
    });

    it('keeps names that are not UTF-8, byte for byte', async () => {
      await using sandbox = await Sandbox.create(executor);
      const name = Buffer.from([0x64, 0x2f, 0xff, 0xfe, 0x41]);
      await sandbox[unpacker]([
        { name, content: 'bytes' },
        { name: Buffer.from([0x80]), type: '6' },
      ]);
      expect(sandbox.tree()).toEqual({ '\x80': 'fifo 644', d: 'dir 755', 'd/\xff\xfeA': 'file 644 bytes' });
    });

    it('unpacks type 7 as a file and D as a directory without its payload; refuses the rest', async () => {
      await using sandbox = await Sandbox.create(executor);
      await sandbox[unpacker]([
        { name: 'contiguous', type: '7', content: 'c' },
        { name: 'dump', type: 'D', mode: 0o755, content: 'Yfile\0' },
      ]);
      expect(sandbox.tree()).toEqual({ contiguous: 'file 644 c', dump: 'dir 755' });
      expect(await failureCode(sandbox[unpacker]([{ name: 'v', type: 'V' }]))).toBe(
        'ARCHIVE_TYPE_UNSUPPORTED',
      );
    });

    it('takes zeros that trickle in for an empty archive (ChrootUntarEmptyArchiveFromSlowReader, ChrootApplyEmptyArchiveFromSlowReader)', async () => {
      await using sandbox = await Sandbox.create(executor);
      async function* slow(): AsyncGenerator<Uint8Array> {
        for (let index = 0; index < 10; index++) {
          await setTimeout(1);
          yield Buffer.alloc(1024);
        }
      }
      const run = unpacker === 'untar' ? untar : applyLayer;
      const { entries } = await run(slow(), sandbox.dest, { portable: executor === 'portable' });
      expect(entries).toBe(0);
    });

    it('needs a source and a root directory (ChrootUntarEmptyArchive)', async () => {
      await using sandbox = await Sandbox.create(executor);
      const run = unpacker === 'untar' ? untar : applyLayer;
      const portable = executor === 'portable';
      expect(await failureCode(run(undefined as never, sandbox.dest))).toBe('OPTION_INVALID');
      const missing = await failure(run([] as never, join(sandbox.base, 'missing'), { portable }));
      expect(isLayerStoreError(missing) && missing.code).toBe('OPTION_INVALID');
      async function* empty(): AsyncGenerator<Uint8Array> {}
      expect(await failureCode(run(empty(), join(sandbox.base, 'missing'), { portable }))).toBe('ARCHIVE_IO');
      expect(await failureCode(run(empty(), join(sandbox.base, 'victim/hello'), { portable }))).toBe(
        'ARCHIVE_IO',
      );
    });
  });

  it('a layer describes its root, a plain tar does not', async () => {
    await using sandbox = await Sandbox.create(executor);
    const root: EntrySpec = { name: './', type: '5', mode: 0o711, uid: 3, gid: 4, mtime: 12_345 };
    await sandbox.untar([root, file('a')]);
    expect(statSync(sandbox.dest).mode & 0o777).toBe(0o755);
    await sandbox.apply([root, file('b')]);
    const { mode, uid, gid, mtimeMs } = statSync(sandbox.dest);
    expect([mode & 0o777, uid, gid, mtimeMs]).toEqual([0o711, 3, 4, 12_345_000]);
  });

  it('leaves out what begins with an excluded prefix, 65534 of them (ChrootUntarWithHugeExcludesList)', async () => {
    await using sandbox = await Sandbox.create(executor);
    const excludePatterns = Array.from({ length: 65_534 }, (_, index) => `nothing-${index}`);
    await sandbox.untar([file('dev/null2'), file('device'), file('etc')], {
      excludePatterns: [...excludePatterns, 'dev/'],
    });
    expect(Object.keys(sandbox.tree())).toEqual(['device', 'etc']);
  });

  it('gives everything to one owner, over headers and map', async () => {
    await using sandbox = await Sandbox.create(executor);
    const idMap = new IdMap({ uids: [{ containerId: 0, hostId: 5000, size: 1 }] });
    await sandbox.untar([{ name: 'd/f', uid: 77, gid: 77 }], { chownOpts: { uid: 21, gid: 22 }, idMap });
    expect([owner(sandbox, 'd'), owner(sandbox, 'd/f')]).toEqual([
      [21, 22],
      [21, 22],
    ]);
  });

  it('lets a directory and a non-directory not replace each other when told so', async () => {
    await using sandbox = await Sandbox.create(executor);
    await mkdir(join(sandbox.dest, 'd/inside'), { recursive: true });
    await writeFile(join(sandbox.dest, 'f'), 'kept', { mode: 0o644 });
    const options = { noOverwriteDirNonDir: true };
    for (const spec of [file('d'), dir('f'), { name: 'd', type: '2', link: 'f' }]) {
      expect(await failureCode(sandbox.untar([spec], options))).toBe('ARCHIVE_OVERWRITE_REFUSED');
    }
    await sandbox.untar([dir('d', 0o700), { name: 'f', type: '2', link: 'd' }], options);
    expect(sandbox.tree()).toEqual({ d: 'dir 700', 'd/inside': 'dir 755', f: 'link d' });
  });

  it('leaves out devices in a user namespace, after checking them', async () => {
    await using sandbox = await Sandbox.create(executor);
    await sandbox.untar([{ name: 'null', type: '3', major: 1, minor: 3 }, file('a')], { inUserNS: true });
    expect(Object.keys(sandbox.tree())).toEqual(['a']);
    const code = await failureCode(sandbox.untar([{ name: 'n', type: '3', major: -1 }], { inUserNS: true }));
    expect(code).toBe('ARCHIVE_DEVICE_RANGE');
  });

  it('fails on an attribute that is refused, or warns', async () => {
    await using sandbox = await Sandbox.create(executor);
    const spec = { name: 'l', type: '2', link: 'x', pax: { 'SCHILY.xattr.user.note': 'n' } };
    expect(await failureCode(sandbox.untar([spec]))).toBe('ARCHIVE_IO');
    const { warnings } = await sandbox.untar([spec, file('after')], { bestEffortXattrs: true });
    expect(warnings).toEqual([
      { syscall: expect.stringContaining('setxattr'), errno: 'EPERM', path: 'l', detail: 'user.note' },
    ]);
    expect(sandbox.tree()).toMatchObject({ after: 'file 644 x' });
  });

  it('counts sizes as headers give them, and payload once per file', async () => {
    await using sandbox = await Sandbox.create(executor);
    const result = await sandbox.apply([
      file('a', '12345'),
      { name: 'b', type: '1', link: 'a', size: 5 },
      file('.wh.c', 'xyz'),
      dir('d'),
    ]);
    expect(result).toEqual({ entries: 4, size: 13, payloadBytes: 5, warnings: [] });
  });

  it.each(['untar', 'apply'] as const)(
    '%s refuses options it does not know or cannot use',
    async (unpacker) => {
      await using sandbox = await Sandbox.create(executor);
      const cases: readonly [object, string][] = [
        [{ whiteOuts: 'overlay' }, 'OPTION_UNKNOWN'],
        [{ limits: { files: 1 } }, 'OPTION_UNKNOWN'],
        [{ limits: { entries: -1 } }, 'OPTION_INVALID'],
        [{ ownership: 'ignore' }, 'OPTION_INVALID'],
        [{ idMap: {} }, 'OPTION_INVALID'],
        [{ signal: {} }, 'OPTION_INVALID'],
        [{ noLchown: 1 }, 'OPTION_INVALID'],
      ];
      for (const [options, code] of cases) {
        expect(await failureCode(sandbox[unpacker](archive(file('a')), options))).toBe(code);
      }
      expect(sandbox.tree()).toEqual({});
    },
  );

  it('works where a hard link over the link itself changes nothing', async () => {
    await using sandbox = await Sandbox.create(executor);
    writeFileSync(join(sandbox.dest, 'a'), 'kept', { mode: 0o644 });
    await sandbox.untar([{ name: 'a', type: '1', link: 'a' }]);
    expect(sandbox.tree()).toEqual({ a: 'file 644 kept' });
  });
});
