import { execFileSync } from 'node:child_process';
import { lstatSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { EntrySpec } from './archive.test-support.js';
import { EXECUTORS, failureCode, Sandbox } from './sandbox.test-support.js';

const dir = (name: string, mode = 0o755): EntrySpec => ({ name, type: '5', mode });
const file = (name: string, content = 'new'): EntrySpec => ({ name, content });
const wh = (name: string): EntrySpec => ({ name });

/** A lower layer that is already in the tree. */
async function lower(sandbox: Sandbox, ...paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(join(sandbox.dest, path, '..'), { recursive: true });
    if (path.endsWith('/')) await mkdir(join(sandbox.dest, path), { recursive: true });
    else await writeFile(join(sandbox.dest, path), 'old');
  }
}

function isOpaque(sandbox: Sandbox, path: string): boolean {
  const found = execFileSync(
    'getfattr',
    ['--absolute-names', '-m', '-', '-d', '--', join(sandbox.dest, path)],
    { encoding: 'utf8' },
  );
  return found.includes('trusted.overlay.opaque="y"');
}

const paths = (sandbox: Sandbox): string[] => Object.keys(sandbox.tree());

describe.each(EXECUTORS)('deletions, %s executor', (executor) => {
  describe('delete format', () => {
    it('applies four layers one after the other (ApplyLayerWhiteouts)', async () => {
      await using sandbox = await Sandbox.create(executor);
      const layers: readonly (readonly EntrySpec[])[] = [
        [wh('.baz'), wh('bar/'), dir('bar'), wh('bar/bax'), wh('bar/bay/'), wh('baz'), wh('foo/')].map(
          (spec) => (String(spec.name).endsWith('/') ? { ...spec, type: '5' } : spec),
        ),
        [wh('.bay'), wh('.wh.baz'), wh('foo/'), wh('foo/bay'), wh('foo/.wh..wh..opq')].map((spec) =>
          String(spec.name).endsWith('/') ? { ...spec, type: '5' } : spec,
        ),
        [wh('.bay'), wh('.wh..baz'), dir('foo'), wh('foo/.wh.bay'), wh('foo/bax')],
        [wh('.wh..wh..opq'), wh('.baz2')],
      ];
      const expected = [
        ['.baz', 'bar', 'bar/bax', 'bar/bay', 'baz', 'foo'],
        ['.bay', '.baz', 'bar', 'bar/bax', 'bar/bay', 'foo', 'foo/bay'],
        ['.bay', 'bar', 'bar/bax', 'bar/bay', 'foo', 'foo/bax'],
        ['.baz2'],
      ];
      for (const [index, layer] of layers.entries()) {
        await sandbox.apply(layer);
        expect(paths(sandbox)).toEqual(expected[index]);
      }
    });

    it('removes a tree, a link and nothing at all', async () => {
      await using sandbox = await Sandbox.create(executor);
      await lower(sandbox, 'd/e/f', 'd/g', 'keep');
      await symlink('keep', join(sandbox.dest, 'l'));
      await sandbox.apply([wh('.wh.d'), wh('.wh.l'), wh('.wh.never')]);
      expect(paths(sandbox)).toEqual(['keep']);
    });

    it('spares what this layer unpacked before its opaque mark, also below parents nobody named', async () => {
      await using sandbox = await Sandbox.create(executor);
      await lower(sandbox, 'a/old', 'a/b/old');
      await sandbox.apply([file('a/b/c/new'), wh('a/.wh..wh..opq')]);
      expect(paths(sandbox)).toEqual(['a', 'a/b', 'a/b/c', 'a/b/c/new']);
    });

    it('spares an object of this layer that the same layer deletes', async () => {
      await using sandbox = await Sandbox.create(executor);
      await lower(sandbox, 'dir/old', 'f');
      await sandbox.apply([file('f'), dir('dir'), file('dir/new'), wh('.wh.f'), wh('.wh.dir')]);
      expect(sandbox.tree()).toEqual({ dir: 'dir 755', 'dir/new': 'file 644 new', f: 'file 644 new' });
    });

    it('deletes the lower name of a file that this layer gave another name', async () => {
      await using sandbox = await Sandbox.create(executor);
      await lower(sandbox, 'old');
      await sandbox.apply([{ name: 'renamed', type: '1', link: 'old' }, wh('.wh.old'), wh('.wh.renamed')]);
      expect(paths(sandbox)).toEqual(['renamed']);
    });

    it('takes .wh..wh.foo below the top for the deletion of .wh.foo', async () => {
      await using sandbox = await Sandbox.create(executor);
      await lower(sandbox, 'd/.wh.foo', 'd/foo');
      await sandbox.apply([wh('d/.wh..wh.foo')]);
      expect(paths(sandbox)).toEqual(['d', 'd/foo']);
    });

    it('unpacks xwhy and xwh.y: only the prefix makes a whiteout', async () => {
      await using sandbox = await Sandbox.create(executor);
      await sandbox.apply([file('xwhy'), file('xwh.y'), file('a.wh.b')]);
      expect(paths(sandbox)).toEqual(['a.wh.b', 'xwh.y', 'xwhy']);
    });

    it('merges directories and makes a directory of a lower link to one', async () => {
      await using sandbox = await Sandbox.create(executor);
      await lower(sandbox, 'd/old', 'real/x');
      await symlink('real', join(sandbox.dest, 'l'));
      await sandbox.apply([dir('d', 0o700), file('d/new'), dir('l'), file('l/y')]);
      expect(sandbox.tree()).toEqual({
        d: 'dir 700',
        'd/new': 'file 644 new',
        'd/old': 'file 644 old',
        l: 'dir 755',
        'l/y': 'file 644 new',
        real: 'dir 755',
        'real/x': 'file 644 old',
      });
    });
  });

  describe.each(['delete', 'overlay', 'aufs'] as const)('%s format', (whiteouts) => {
    it.each(['.wh.', '.wh..', '.wh...', 'd/.wh.', 'd/.wh..', 'd/.wh...'])(
      'refuses %s (OverlayUntarInvalidWhiteoutNames)',
      async (name) => {
        await using sandbox = await Sandbox.create(executor);
        await lower(sandbox, 'd/kept');
        expect(await failureCode(sandbox.apply([wh(name)], { whiteouts }))).toBe('ARCHIVE_INVALID_WHITEOUT');
        expect(sandbox.tree()).toMatchObject({ 'd/kept': 'file 644 old' });
        sandbox.expectContained();
      },
    );

    it('skips what AUFS keeps for itself at the top', async () => {
      await using sandbox = await Sandbox.create(executor);
      await sandbox.apply(
        [file('.wh..wh.aufs'), dir('.wh..wh.plnk'), dir('.wh..wh.orph'), file('.wh..wh.orph/x')],
        {
          whiteouts,
        },
      );
      expect(sandbox.tree()).toEqual({});
    });

    it('makes one file of an AUFS pseudo-link and its links', async () => {
      await using sandbox = await Sandbox.create(executor);
      const plink = '.wh..wh.plnk/18.99';
      await sandbox.apply(
        [
          dir('.wh..wh.plnk'),
          { name: plink, content: 'shared', uid: 7, gid: 8, mode: 0o600 },
          { name: 'a', type: '1', link: plink },
          dir('d'),
          { name: 'd/b', type: '1', link: `/${plink}` },
        ],
        { whiteouts },
      );
      expect(sandbox.tree()).toEqual({ a: 'file 600 shared', d: 'dir 755', 'd/b': 'file 600 shared' });
      const a = lstatSync(join(sandbox.dest, 'a'));
      expect([a.nlink, a.uid, a.gid]).toEqual([2, 7, 8]);
      expect(lstatSync(join(sandbox.dest, 'd/b')).ino).toBe(a.ino);
    });

    it('refuses a link to a pseudo-link that is not there, and leaves no private directory', async () => {
      await using sandbox = await Sandbox.create(executor);
      const code = await failureCode(
        sandbox.apply([file('.wh..wh.plnk/1'), { name: 'a', type: '1', link: '.wh..wh.plnk/2' }], {
          whiteouts,
        }),
      );
      expect(code).toBe('ARCHIVE_INVALID_LINK');
      expect(sandbox.tree()).toEqual({});
    });
  });

  describe('overlay format', () => {
    const overlay = { whiteouts: 'overlay' } as const;

    it('writes devices and opaque directories', async () => {
      await using sandbox = await Sandbox.create(executor);
      await sandbox.apply(
        [dir('d'), wh('d/.wh..wh..opq'), file('d/f'), { ...wh('e/.wh.gone'), uid: 3, gid: 4 }],
        overlay,
      );
      expect(sandbox.tree()).toEqual({
        d: 'dir 755',
        'd/f': 'file 644 new',
        e: 'dir 755',
        'e/gone': 'char 0:0',
      });
      expect([isOpaque(sandbox, 'd'), isOpaque(sandbox, 'e')]).toEqual([true, false]);
      const gone = lstatSync(join(sandbox.dest, 'e/gone'));
      expect([gone.uid, gone.gid]).toEqual([3, 4]);
    });

    it('makes the root opaque', async () => {
      await using sandbox = await Sandbox.create(executor);
      await sandbox.apply([wh('.wh..wh..opq')], overlay);
      expect(isOpaque(sandbox, '.')).toBe(true);
    });

    it('ignores a whiteout below a whiteout and a second one (NestedOverlayWhiteouts)', async () => {
      await using sandbox = await Sandbox.create(executor);
      await sandbox.apply([wh('.wh.foo'), wh('foo/.wh.bar'), wh('.wh.foo'), wh('foo/bar/.wh.baz')], overlay);
      expect(sandbox.tree()).toEqual({ foo: 'char 0:0' });
    });

    it('makes a directory opaque that takes the place of a whiteout, named or implied', async () => {
      await using sandbox = await Sandbox.create(executor);
      await sandbox.apply([wh('.wh.a'), dir('a'), wh('.wh.b'), file('b/c'), wh('.wh.f'), file('f')], overlay);
      expect(sandbox.tree()).toEqual({
        a: 'dir 755',
        b: 'dir 755',
        'b/c': 'file 644 new',
        f: 'file 644 new',
      });
      expect([isOpaque(sandbox, 'a'), isOpaque(sandbox, 'b')]).toEqual([true, true]);
    });

    it('keeps an object of this layer and hides what lies below it', async () => {
      await using sandbox = await Sandbox.create(executor);
      await sandbox.apply([dir('d'), file('d/f'), wh('.wh.d'), file('g'), wh('.wh.g')], overlay);
      expect(sandbox.tree()).toEqual({ d: 'dir 755', 'd/f': 'file 644 new', g: 'file 644 new' });
      expect(isOpaque(sandbox, 'd')).toBe(true);
    });

    it('does the same for untar when asked', async () => {
      await using sandbox = await Sandbox.create(executor);
      await sandbox.untar([dir('d'), wh('d/.wh..wh..opq'), wh('d/.wh.x')], { whiteoutFormat: 'overlay' });
      expect(sandbox.tree()).toEqual({ d: 'dir 755', 'd/x': 'char 0:0' });
      expect(isOpaque(sandbox, 'd')).toBe(true);
    });

    it.each(['.wh.', '.wh..', '.wh...'])('untar refuses %s as well', async (name) => {
      await using sandbox = await Sandbox.create(executor);
      const code = await failureCode(sandbox.untar([wh(name)], { whiteoutFormat: 'overlay' }));
      expect(code).toBe('ARCHIVE_INVALID_WHITEOUT');
    });
  });

  describe('aufs format', () => {
    const aufs = { whiteouts: 'aufs' } as const;

    it('writes the files that aufs keeps beside what is deleted', async () => {
      await using sandbox = await Sandbox.create(executor);
      await sandbox.apply([dir('d'), wh('d/.wh..wh..opq'), wh('.wh.gone'), wh('.wh.gone')], aufs);
      expect(sandbox.tree()).toEqual({
        '.wh.gone': 'file 444 ',
        d: 'dir 755',
        'd/.wh..wh..opq': 'file 444 ',
      });
    });

    it('drops the mark of a name that is made after all; a directory becomes opaque', async () => {
      await using sandbox = await Sandbox.create(executor);
      await sandbox.apply([wh('.wh.f'), file('f'), wh('.wh.d'), dir('d'), wh('.wh.e'), file('e/x')], aufs);
      expect(sandbox.tree()).toEqual({
        d: 'dir 755',
        'd/.wh..wh..opq': 'file 444 ',
        e: 'dir 755',
        'e/.wh..wh..opq': 'file 444 ',
        'e/x': 'file 644 new',
        f: 'file 644 new',
      });
    });

    it('refuses names that would be marks in the branch', async () => {
      await using sandbox = await Sandbox.create(executor);
      for (const name of ['.wh.d/x', 'a/.wh..wh..opq/x']) {
        expect(await failureCode(sandbox.apply([file(name)], aufs))).toBe('ARCHIVE_INVALID_WHITEOUT');
      }
      expect(sandbox.tree()).toEqual({});
    });

    it('untar without conversion keeps the names and modes (OverlayTarAUFSUntar)', async () => {
      await using sandbox = await Sandbox.create(executor);
      await sandbox.untar([
        dir('d1', 0o700),
        { name: 'd1/.wh..wh..opq', mode: 0o700 },
        { name: 'd2/.wh.f1', mode: 0o600 },
        { name: '.wh.f', mode: 0o750 },
      ]);
      expect(sandbox.tree()).toEqual({
        '.wh.f': 'file 750 ',
        d1: 'dir 700',
        'd1/.wh..wh..opq': 'file 700 ',
        d2: 'dir 755',
        'd2/.wh.f1': 'file 600 ',
      });
    });
  });
});
