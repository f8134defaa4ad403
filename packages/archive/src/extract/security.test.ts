/** The attacks of spec/security.md that concern unpacking, each with what must still work beside it. */

import { execFileSync } from 'node:child_process';
import { lstatSync, readdirSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import { applyLayer } from './apply-layer.js';
import { archive, type EntrySpec, entry, globalHeader } from './archive.test-support.js';
import { Recording } from './recording.test-support.js';
import { EXECUTORS, failureCode, Sandbox } from './sandbox.test-support.js';
import { untar } from './untar.js';

const dir = (name: string): EntrySpec => ({ name, type: '5' });
const file = (name: string, content = 'x'): EntrySpec => ({ name, content });
const link = (name: string, target: string): EntrySpec => ({ name, type: '2', link: target });
const hard = (name: string, target: string): EntrySpec => ({ name, type: '1', link: target });

const UNPACKERS = ['untar', 'apply'] as const;
/** Ways to say no that are about the archive, not about us. */
const REFUSALS = ['ARCHIVE_BREAKOUT', 'ARCHIVE_INVALID_LINK', 'ARCHIVE_INVALID_NAME', 'ARCHIVE_IO'];

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

describe.each(EXECUTORS)('security, %s executor', (executor) => {
  describe.each(UNPACKERS)('%s', (unpacker) => {
    let sandbox: Sandbox;
    afterEach(async () => {
      await sandbox[Symbol.asyncDispose]();
    });

    /** Unpacks; whatever the outcome, nothing outside changed and a refusal is a coded one. Gives the code, or `ok`. */
    async function attack(...script: readonly (EntrySpec | Buffer)[]): Promise<string> {
      sandbox = await Sandbox.create(executor);
      return await attackAgain(...script);
    }

    async function attackAgain(...script: readonly (EntrySpec | Buffer)[]): Promise<string> {
      const code = await sandbox[unpacker](script).then(
        () => 'ok',
        async (error: unknown) => await failureCode(Promise.reject(error)),
      );
      if (code !== 'ok') expect(REFUSALS).toContain(code);
      sandbox.expectContained();
      return code;
    }

    it('SEC-01 names that climb or begin at /', async () => {
      for (const name of ['../x', 'a/../../x', './../x', '/../x', '//../x']) {
        expect(await attack(file(name))).toBe('ARCHIVE_BREAKOUT');
        await sandbox[Symbol.asyncDispose]();
      }
      expect(await attack(file('/abs'), file('//x'), file('///y/z'), file('a/../b'))).toBe('ok');
      expect(Object.keys(sandbox.tree())).toEqual(['abs', 'b', 'x', 'y', 'y/z']);
    });

    it('SEC-02 an absolute link, then a file through it', async () => {
      sandbox = await Sandbox.create(executor);
      const victim = join(sandbox.base, 'victim');
      expect(await attackAgain(link('l', victim), file('l/hello'), file('l/new'))).toBe('ok');
      expect(sandbox.tree()).toMatchObject({ [`${victim.slice(1)}/new`]: 'file 644 x' });
    });

    it('SEC-03 a directory that becomes a link before a file below it', async () => {
      expect(await attack(dir('d'), file('d/a'), link('d', '../victim'), file('d/hello'))).toBe(
        'ARCHIVE_BREAKOUT',
      );
      expect(
        await attackAgain(dir('e'), dir('e/f'), file('e/f/a'), link('e', '../victim'), file('e/f/b')),
      ).toBe('ARCHIVE_BREAKOUT');
    });

    it('SEC-04 backslashes and names equal but for case', async () => {
      const script = [
        dir('dir'),
        link('DIR', '../victim'),
        file('dir/hello'),
        file('..\\victim\\x'),
        link('b\\c', '/'),
      ];
      expect(await attack(...script, file('b/c/d'))).toBe('ok');
      expect(sandbox.tree()).toMatchObject({ 'b/c/d': 'file 644 x', 'dir/hello': 'file 644 x' });
    });

    it('SEC-05 names equal after Unicode normalisation', async () => {
      const composed = 'caf\u00e9';
      const decomposed = 'cafe\u0301';
      expect(
        await attack(dir(composed), link(decomposed, '../victim'), file(`${composed}/hello`), dir('\ufb01')),
      ).toBe('ok');
      expect(await attackAgain(link('fi', '../victim'), file('\ufb01/hello'))).toBe('ok');
    });

    it('SEC-06 a hard link to a file outside, then an entry of that name', async () => {
      sandbox = await Sandbox.create(executor);
      const hello = join(sandbox.base, 'victim/hello');
      expect(await attackAgain(hard('h', hello), file('h'))).toBe('ARCHIVE_INVALID_LINK');
      expect(await attackAgain(hard('h', '../victim/hello'), file('h'))).toBe('ARCHIVE_BREAKOUT');
    });

    it('SEC-07 an absolute hard link target is one in the root', async () => {
      expect(await attack(hard('passwd', '/etc/passwd'))).toBe('ARCHIVE_INVALID_LINK');
      expect(await attackAgain(file('etc/passwd', 'ours'), hard('passwd', '/etc/passwd'))).toBe('ok');
      expect(sandbox.tree().passwd).toBe('file 644 ours');
    });

    it('SEC-08 hard link targets count from the root, not from the entry', async () => {
      expect(await attack(hard('a/b/c', '../../victim/hello'))).toBe('ARCHIVE_BREAKOUT');
      expect(await attackAgain(hard('a/b/c', 'a/../../victim/hello'))).toBe('ARCHIVE_BREAKOUT');
    });

    it('SEC-09 a hard link through two links that together escape', async () => {
      expect(
        await attack(
          dir('a'),
          link('a/up', '..'),
          link('b', 'a/up/../victim'),
          hard('h', 'b/hello'),
          file('h'),
        ),
      ).toBe('ARCHIVE_BREAKOUT');
    });

    it('SEC-10 a sibling whose name begins like the root', async () => {
      expect(await attack(file('../dest-evil/x'))).toBe('ARCHIVE_BREAKOUT');
      expect(await attackAgain(link('l', '../dest-evil'), file('l/x'))).toBe('ARCHIVE_BREAKOUT');
      expect(await attackAgain(hard('h', '../dest-evil/x'))).toBe('ARCHIVE_BREAKOUT');
    });

    it('SEC-11 chains of links that leave the root and come back', async () => {
      expect(await attack(link('out', '..'), link('back', 'out/dest'), file('back/x'))).toBe(
        'ARCHIVE_BREAKOUT',
      );
      expect(await attackAgain(link('one', 'two'), link('two', '/three'), file('one/x'))).toBe('ok');
      expect(sandbox.tree()['three/x']).toBe('file 644 x');
    });

    it('SEC-12 drive letters are plain names', async () => {
      expect(await attack(file('C:x'), file('C:\\y'), link('l', 'C:../x'), file('D:/z'))).toBe('ok');
      expect(Object.keys(sandbox.tree())).toEqual(['C:\\y', 'C:x', 'D:', 'D:/z', 'l']);
      expect(await attackAgain(file('C:../../x'))).toBe('ok');
      // `C:..` is a component like any other, and the `..` after it takes it back.
      expect(Object.keys(sandbox.tree())).toContain('x');
    });

    it('SEC-13 the root and directories in it exchanged for links meanwhile', async () => {
      sandbox = await Sandbox.create(executor);
      await symlink('victim', join(sandbox.base, 'root-link'));
      const run = unpacker === 'untar' ? untar : applyLayer;
      const portable = executor === 'portable';
      const source = Readable.from([archive(file('hello'))]);
      expect(await failureCode(run(source, join(sandbox.base, 'root-link'), { portable }))).toBe(
        'ARCHIVE_IO',
      );
      const bytes = archive(dir('d'), file('d/a'), file('d/hello'));
      async function* swapped(): AsyncGenerator<Uint8Array> {
        // Large enough to be a batch of its own.
        yield Buffer.concat([
          bytes.subarray(0, 1536),
          entry({ name: 'filler', content: Buffer.alloc(2 ** 21) }),
        ]);
        execFileSync('rm', ['-rf', join(sandbox.dest, 'd')]);
        await symlink('../victim', join(sandbox.dest, 'd'));
        yield bytes.subarray(1536);
      }
      const code = await run(swapped(), sandbox.dest, { portable }).then(
        () => 'ok',
        async (error: unknown) => await failureCode(Promise.reject(error)),
      );
      expect(['ok', 'ARCHIVE_BREAKOUT', 'ARCHIVE_IO']).toContain(code);
      expect(readdirSync(join(sandbox.base, 'victim'))).toEqual(['hello']);
      expect(lstatSync(join(sandbox.base, 'victim/hello')).size).toBe(21);
    });

    it('SEC-14 a link in the place of the entry is replaced', async () => {
      sandbox = await Sandbox.create(executor);
      await symlink('../victim/hello', join(sandbox.dest, 'f'));
      await symlink('../victim', join(sandbox.dest, 'd'));
      expect(await attackAgain(file('f', 'mine'), dir('d'), file('d/x'))).toBe('ok');
      expect(sandbox.tree()).toEqual({ d: 'dir 755', 'd/x': 'file 644 x', f: 'file 644 mine' });
    });

    it('SEC-15 a hard link whose parent is redirected by a later entry', async () => {
      const code = await attack(
        dir('d'),
        file('d/f'),
        hard('d/h', 'd/f'),
        link('d', '../victim'),
        hard('h', 'd/hello'),
      );
      expect(code).toBe('ARCHIVE_BREAKOUT');
    });

    it('SEC-16 mode, owner and times never reach a target or a shared inode', async () => {
      sandbox = await Sandbox.create(executor);
      await writeFile(join(sandbox.dest, 'lower'), 'l', { mode: 0o600 });
      const before = lstatSync(join(sandbox.dest, 'lower'));
      const loud = { mode: 0o6777, uid: 9, gid: 9, mtime: 9 };
      expect(
        await attackAgain(
          { ...link('s', '../victim/hello'), ...loud },
          { ...link('d', '../victim'), ...loud },
          { ...hard('h', 'lower'), ...loud },
          { ...hard('h2', 's'), ...loud },
        ),
      ).toBe('ok');
      const after = lstatSync(join(sandbox.dest, 'lower'));
      expect([after.mode, after.uid, after.mtimeMs]).toEqual([before.mode, before.uid, before.mtimeMs]);
    });

    it('SEC-17 a root entry that is a link or anything but a directory', async () => {
      for (const name of ['.', './', '/', 'a/..']) {
        for (const type of ['0', '1', '2', '3', '6']) {
          expect(await attack({ name, type, link: '../victim' })).toBe('ARCHIVE_INVALID_NAME');
          await sandbox[Symbol.asyncDispose]();
        }
      }
      expect(await attack({ name: '.', type: '5', mode: 0o755 }, file('a'))).toBe('ok');
      expect(lstatSync(sandbox.dest).isDirectory()).toBe(true);
    });

    it('SEC-18 an option that changes what is unpacked does not make a link unsafe', async () => {
      if (unpacker === 'apply') {
        sandbox = await Sandbox.create(executor);
        await sandbox.apply([dir('d'), link('d/l', '../..'), { name: '.wh.d' }, file('d/x')]);
        sandbox.expectContained();
        return;
      }
      sandbox = await Sandbox.create(executor);
      const script = [dir('d'), link('safe', 'd'), link('d', '../victim'), file('safe/hello')];
      const code = await failureCode(sandbox.untar(script, { excludePatterns: ['other'] }));
      expect(code).toBe('ARCHIVE_BREAKOUT');
      sandbox.expectContained();
    });

    it('SEC-19 names with NUL, newlines, too many bytes', async () => {
      sandbox = await Sandbox.create(executor);
      const long = 'c'.repeat(256);
      const deep = 'ab/'.repeat(1400);
      for (const name of [long, `x/${long}/y`, deep]) {
        expect(await attackAgain({ name: 'n', pax: { path: name } })).toBe('ARCHIVE_INVALID_NAME');
      }
      // NUL in a pax path is refused by the reader already.
      expect(await failureCode(sandbox[unpacker]([{ name: 'n', pax: { path: 'a\0b' } }]))).toBe(
        'ARCHIVE_INVALID_PAX',
      );
      expect(await attackAgain(file('new\nline'), file('c'.repeat(255)))).toBe('ok');
      expect(Object.keys(sandbox.tree())).toEqual(['c'.repeat(255), 'new\nline']);
    });

    it('SEC-24 a FIFO or device where a file, directory or link source is expected does not block', async () => {
      sandbox = await Sandbox.create(executor);
      execFileSync('mkfifo', [join(sandbox.dest, 'pipe'), join(sandbox.dest, 'dir')]);
      expect(
        await attackAgain(hard('also', 'pipe'), file('pipe', 'now a file'), dir('dir'), file('dir/x')),
      ).toBe('ok');
      expect(sandbox.tree()).toEqual({
        also: 'fifo 644',
        dir: 'dir 755',
        'dir/x': 'file 644 x',
        pipe: 'file 644 now a file',
      });
      expect(await attackAgain(file('also/below'))).toBe('ARCHIVE_IO');
    });

    it('SEC-25 a root given with .. or through the options cannot be left', async () => {
      sandbox = await Sandbox.create(executor);
      const run = unpacker === 'untar' ? untar : applyLayer;
      const portable = executor === 'portable';
      await run(Readable.from([archive(file('a'))]), join(sandbox.dest, 'x/../..', 'dest'), { portable });
      expect(Object.keys(sandbox.tree())).toEqual(['a']);
      expect(await failureCode(run(Readable.from([]), `${sandbox.dest}\0/x`, { portable }))).toBe(
        'OPTION_INVALID',
      );
    });

    it('SEC-36 links, directories and devices with a size do not hide what follows', async () => {
      const sized = ['1', '2', '3', '4', '5', '6'].map((type) => ({
        name: `n${type}`,
        type,
        link: 'f',
        size: 1024,
      }));
      expect(await attack(file('f'), ...sized, file('last'))).toBe('ok');
      expect(Object.keys(sandbox.tree())).toEqual(['f', 'last', 'n1', 'n2', 'n3', 'n4', 'n5', 'n6']);
    });

    it('SEC-37 many tiny members stop at the limit', async () => {
      sandbox = await Sandbox.create(executor);
      const many = Array.from({ length: 101 }, (_, index) => file(`f${index}`));
      expect(await failureCode(sandbox[unpacker](many, { limits: { entries: 100 } }))).toBe(
        'ARCHIVE_LIMIT_EXCEEDED',
      );
      expect((await sandbox[unpacker](many, { limits: { entries: 101 } })).entries).toBe(101);
    });

    it('SEC-38 thousands of nested directories', async () => {
      sandbox = await Sandbox.create(executor);
      const deep = 'd/'.repeat(1025);
      expect(await failureCode(sandbox[unpacker]([dir(deep)]))).toBe('ARCHIVE_LIMIT_EXCEEDED');
      await sandbox[unpacker]([dir(deep)], { limits: { depth: 2000 } });
      // Replacing it removes it all.
      await sandbox[unpacker]([file('d', 'flat')]);
      expect(sandbox.tree()).toEqual({ d: 'file 644 flat' });
    });

    it('SEC-39 thirty thousand empty members', async () => {
      sandbox = await Sandbox.create(executor);
      const block = entry(file('same', ''));
      const { entries } = await sandbox[unpacker](
        Buffer.concat(Array.from({ length: 30_000 }, () => block)),
        {
          limits: { entries: 30_000 },
        },
      );
      expect(entries).toBe(30_000);
    }, 60_000);

    it('SEC-42 a sparse file of 60 GB takes no space and no time, and obeys the limit', async () => {
      sandbox = await Sandbox.create(executor);
      const size = 60e9;
      const bomb = entry({
        name: 'bomb',
        content: 'x',
        pax: { 'GNU.sparse.size': `${size}`, 'GNU.sparse.map': `${size - 1},1`, 'GNU.sparse.numblocks': '1' },
      });
      expect(await failureCode(sandbox[unpacker]([bomb], { limits: { bytes: 1e9 } }))).toBe(
        'ARCHIVE_LIMIT_EXCEEDED',
      );
      await sandbox[unpacker]([bomb]);
      const stat = lstatSync(join(sandbox.dest, 'bomb'));
      expect(stat.size).toBe(size);
      expect(stat.blocks * 512).toBeLessThan(1e6);
    });

    it('SEC-43 a global header changes nothing', async () => {
      expect(await attack(globalHeader('g', { path: '../victim/x', size: '9' }), file('f', 'own'))).toBe(
        'ok',
      );
      expect(sandbox.tree()).toEqual({ f: 'file 644 own' });
    });

    it('SEC-45 one path with different types, in every order', async () => {
      const shapes: EntrySpec[] = [
        file('x'),
        dir('x'),
        link('x', '../victim/hello'),
        hard('x', 'y'),
        { name: 'x', type: '6' },
      ];
      for (const a of shapes) {
        for (const b of shapes) {
          expect(await attack(file('y', 'y'), a, b)).toBe('ok');
          await sandbox[Symbol.asyncDispose]();
        }
      }
    });

    it('SEC-46 names and keys that mean something to JavaScript', async () => {
      const names = ['__proto__', 'constructor', 'toString', '12345', 'hasOwnProperty'];
      const script = names.map((name) => ({
        name,
        content: name,
        pax: { __proto__x: 'v', constructor: 'v', '1': 'v' },
      }));
      expect(await attack(...script)).toBe('ok');
      expect(readdirSync(sandbox.dest).sort()).toEqual([...names].sort());
      expect(({} as Record<string, unknown>).x).toBeUndefined();
    });

    it('SEC-47 an aborted or broken unpack leaves no descriptor and no thread', async () => {
      sandbox = await Sandbox.create(executor);
      const run = unpacker === 'untar' ? untar : applyLayer;
      const portable = executor === 'portable';
      const bytes = archive(file('a', 'a'.repeat(30_000)), file('../x'));
      await failureCode(run(Readable.from([bytes]), sandbox.dest, { portable }));
      const before = openDescriptors();
      for (let index = 0; index < 5; index++) {
        const source = Readable.from([bytes.subarray(0, 50_000), bytes.subarray(50_000)]);
        expect(await failureCode(run(source, sandbox.dest, { portable }))).toBe('ARCHIVE_BREAKOUT');
        expect(source.destroyed).toBe(true);
      }
      expect(openDescriptors()).toBe(before);
    });
  });

  it('SEC-20 a whiteout below a link of the lower layer deletes in the root only', async () => {
    await using sandbox = await Sandbox.create(executor);
    await symlink('../victim', join(sandbox.dest, 'out'));
    await symlink(join(sandbox.base, 'victim'), join(sandbox.dest, 'abs'));
    await mkdir(join(sandbox.dest, 'real'));
    await writeFile(join(sandbox.dest, 'real/hello'), 'inside');
    await symlink('/real', join(sandbox.dest, 'in'));
    for (const name of ['out/.wh.hello', 'out/.wh..wh..opq']) {
      expect(await failureCode(sandbox.apply([file(name)]))).toBe('ARCHIVE_BREAKOUT');
    }
    await sandbox.apply([file('abs/.wh.hello'), file('abs/.wh..wh..opq'), file('in/.wh.hello')]);
    sandbox.expectContained();
    expect(readdirSync(join(sandbox.dest, 'real'))).toEqual([]);
  });

  it.each(['delete', 'overlay', 'aufs'] as const)(
    'SEC-21 whiteouts of nothing, self and parent, %s',
    async (whiteouts) => {
      for (const name of ['.wh.', '.wh..', '.wh...', 'd/.wh...']) {
        for (const type of ['0', '2', '5']) {
          await using sandbox = await Sandbox.create(executor);
          await mkdir(join(sandbox.dest, 'd'));
          const code = await failureCode(sandbox.apply([{ name, type, link: '../victim' }], { whiteouts }));
          expect(code).toBe('ARCHIVE_INVALID_WHITEOUT');
          expect(Object.keys(sandbox.tree())).toEqual(['d']);
          sandbox.expectContained();
        }
      }
      await using sandbox = await Sandbox.create(executor);
      // The name decides, whatever the type: no link and no directory is made.
      await sandbox.apply([dir('d'), link('d/.wh..wh..opq', '../../victim'), link('.wh.x', '../victim')], {
        whiteouts,
      });
      for (const line of Object.values(sandbox.tree())) expect(line).not.toMatch(/^link/);
      expect(await failureCode(sandbox.apply([file('.wh../../../victim/x')], { whiteouts }))).toBe(
        'ARCHIVE_BREAKOUT',
      );
      sandbox.expectContained();
    },
  );

  it.each(['delete', 'overlay', 'aufs'] as const)(
    'SEC-22 overlay attributes are not taken from a layer, %s',
    async (whiteouts) => {
      await using sandbox = await Sandbox.create(executor);
      const pax = {
        'SCHILY.xattr.trusted.overlay.redirect': '/victim',
        'SCHILY.xattr.trusted.overlay.metacopy': '',
        'SCHILY.xattr.user.overlay.opaque': 'y',
        'SCHILY.xattr.security.selinux': 'label',
        'SCHILY.xattr.user.kept': 'k',
      };
      const { warnings } = await sandbox.apply(
        [
          { name: 'd', type: '5', pax },
          { name: 'f', pax },
        ],
        { whiteouts },
      );
      const found = execFileSync('getfattr', ['-m', '-', 'd', 'f'], { cwd: sandbox.dest, encoding: 'utf8' });
      expect(found.match(/user\.kept/g)).toHaveLength(2);
      expect(found).not.toMatch(/overlay|selinux/);
      expect(warnings.map(({ detail }) => detail)).toContain('trusted.overlay.redirect');
    },
  );

  it('SEC-22 devices and setuid files are unpacked as they are for root, devices reported where refused', async () => {
    await using sandbox = await Sandbox.create(executor);
    await sandbox.apply([
      { name: 'su', mode: 0o4755 },
      { name: 'null', type: '3', major: 1, minor: 3 },
    ]);
    expect(sandbox.tree()).toEqual({ null: 'char 1:3', su: 'file 4755 ' });
  });

  it('SEC-23 links at /etc/passwd and /proc are plain links to us', async () => {
    await using sandbox = await Sandbox.create(executor);
    const hello = join(sandbox.base, 'victim/hello');
    await sandbox.apply([
      link('etc/passwd', hello),
      link('etc/group', '/proc/self/environ'),
      link('proc', '/proc'),
    ]);
    await sandbox.apply([file('etc/passwd', 'root')]);
    // In the root that link names itself.
    expect(await failureCode(sandbox.apply([file('proc/self/x')]))).toBe('ARCHIVE_IO');
    sandbox.expectContained();
    expect(sandbox.tree()).toMatchObject({ 'etc/passwd': 'file 644 root' });
  });

  it('SEC-40 nothing after the end marker is unpacked, all of it is recorded', async () => {
    await using sandbox = await Sandbox.create(executor);
    const bytes = Buffer.concat([archive(file('a')), archive(file('hidden'))]);
    const recording = new Recording();
    await sandbox.apply(bytes, { recorder: recording, stashDirectory: sandbox.stash });
    expect(Object.keys(sandbox.tree())).toEqual(['a']);
    expect(recording.assemble(sandbox.dest, sandbox.stash).equals(bytes)).toBe(true);
  });
});
