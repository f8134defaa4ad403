import { lstatSync, readFileSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { isLayerStoreError } from '../errors.js';
import type { EntrySpec } from './archive.test-support.js';
import { EXECUTORS, failureCode, Sandbox } from './sandbox.test-support.js';

const dir = (name: string): EntrySpec => ({ name, type: '5' });
const file = (name: string, content = 'x'): EntrySpec => ({ name, content });
const link = (name: string, target: string): EntrySpec => ({ name, type: '2', link: target });
const hard = (name: string, target: string): EntrySpec => ({ name, type: '1', link: target });

const UNPACKERS = ['untar', 'apply'] as const;

/** Every script tries to reach `victim` in another way (spec/layer-archive.md 6.6). */
const HARDLINK_SCRIPTS: Readonly<Record<string, readonly EntrySpec[]>> = {
  'a target above the root': [hard('dir', '../victim')],
  'an absolute target with ..': [hard('dir', '/../victim')],
  'then a file over the link': [hard('loophole-victim', '../victim/hello'), file('loophole-victim')],
  'to a link to the directory, then a file below': [
    link('l', '../victim'),
    hard('dir', 'l'),
    file('dir/file'),
  ],
  'to a file through a link, then the file again': [
    link('l', '../victim'),
    hard('slash-hello', 'l/hello'),
    file('slash-hello'),
  ],
  'to a link to the file, then a file of the same name': [
    link('l', '../victim/hello'),
    hard('h', 'l'),
    file('h'),
  ],
};

const SYMLINK_SCRIPTS: Readonly<Record<string, readonly EntrySpec[]>> = {
  'to the directory, then a file below': [link('dir', '../victim'), file('dir/file')],
  'to the file, then a file of the same name': [link('loophole', '../victim/hello'), file('loophole')],
  'absolute, then a file below': [link('dir', '/../victim'), file('dir/file')],
  'of a link, then a file below': [link('a', '../victim'), link('b', 'a'), file('b/newfile')],
  'of a link and a directory entry over it': [link('a', '../victim'), dir('a/sub')],
  'deep below, climbing': [dir('x'), link('x/l', '../../victim'), file('x/l/newfile')],
  'two hops that only together climb': [
    dir('d'),
    link('d/up', '..'),
    link('d/out', 'up/../victim'),
    file('d/out/f'),
  ],
};

describe.each(EXECUTORS)('containment, %s executor', (executor) => {
  describe.each(UNPACKERS)('%s', (unpacker) => {
    it.each(['../victim/dotdot', '/../victim/slash-dotdot'])(
      'refuses the name %s (UntarInvalidFilenames, ApplyLayerInvalidFilenames)',
      async (name) => {
        await using sandbox = await Sandbox.create(executor);
        const code = await failureCode(sandbox[unpacker]([file(name)]));
        expect(code).toBe('ARCHIVE_BREAKOUT');
        sandbox.expectContained();
      },
    );

    it.each(['..', '../x', '../../x', 'a/../../x', '/../../x'])(
      'refuses %s, whatever type it has (UntarParentTraversalContained)',
      async (name) => {
        for (const type of ['0', '5', '2', '1', '6']) {
          await using sandbox = await Sandbox.create(executor);
          const code = await failureCode(sandbox[unpacker]([{ name, type, link: 'x' }]));
          expect(code).toBe('ARCHIVE_BREAKOUT');
          sandbox.expectContained();
        }
      },
    );

    it.each(Object.entries(HARDLINK_SCRIPTS))(
      'holds against a hard link: %s (UntarInvalidHardlink, ApplyLayerInvalidHardlink)',
      async (_title, script) => {
        await using sandbox = await Sandbox.create(executor);
        const error = await sandbox[unpacker](script).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        sandbox.expectContained(error, 'ARCHIVE_BREAKOUT', 'ARCHIVE_IO');
        if (isLayerStoreError(error, 'ARCHIVE_IO')) expect(error.errno).toBe('ENOTDIR');
      },
    );

    it.each(Object.entries(SYMLINK_SCRIPTS))(
      'holds against a symbolic link: %s (UntarInvalidSymlink, ApplyLayerInvalidSymlink)',
      async (_title, script) => {
        await using sandbox = await Sandbox.create(executor);
        const error = await sandbox[unpacker](script).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        sandbox.expectContained(error, 'ARCHIVE_BREAKOUT');
      },
    );

    it('allows a hard link to a symbolic link whose target comes later (UntarHardlinkToSymlink)', async () => {
      await using sandbox = await Sandbox.create(executor);
      await sandbox[unpacker]([
        link('symlink1', 'regfile'),
        hard('symlink2', 'symlink1'),
        file('regfile', 'body'),
      ]);
      expect(lstatSync(join(sandbox.dest, 'symlink2')).ino).toBe(
        lstatSync(join(sandbox.dest, 'symlink1')).ino,
      );
      expect(readFileSync(join(sandbox.dest, 'symlink2'), 'utf8')).toBe('body');
    });

    it('refuses a chain of two links that leaves the root (UntarSymlinkBreakout)', async () => {
      await using sandbox = await Sandbox.create(executor);
      const code = await failureCode(
        sandbox[unpacker]([dir('a'), link('a/b', '..'), link('c', 'a/b/../victim'), file('c/pwned')]),
      );
      expect(code).toBe('ARCHIVE_BREAKOUT');
      sandbox.expectContained();
    });

    it('does not take a sibling with the same prefix for the root (UntarSiblingPrefixContained)', async () => {
      await using sandbox = await Sandbox.create(executor);
      for (const script of [[file('../dest-evil/x')], [link('l', '../dest-evil'), file('l/x')]]) {
        expect(await failureCode(sandbox[unpacker](script))).toBe('ARCHIVE_BREAKOUT');
      }
      sandbox.expectContained();
    });

    it.each([true, false])(
      'follows an absolute link inside the root, target there: %s (UntarThroughAbsoluteSymlink, UntarWithMaliciousSymlinks)',
      async (exists) => {
        await using sandbox = await Sandbox.create(executor);
        const before = exists ? [dir('run')] : [];
        await sandbox[unpacker]([...before, link('var/run', '/run'), file('var/run/lock/pid', '7')]);
        expect(sandbox.tree()).toMatchObject({ 'run/lock/pid': 'file 644 7', 'var/run': 'link /run' });
        sandbox.expectContained();
      },
    );

    it('clamps .. of an absolute link at the root and refuses it in a relative one', async () => {
      await using sandbox = await Sandbox.create(executor);
      await sandbox[unpacker]([link('abs', '/../../inside'), file('abs/f')]);
      expect(sandbox.tree()).toMatchObject({ 'inside/f': 'file 644 x' });
      expect(await failureCode(sandbox[unpacker]([link('rel', '../inside'), file('rel/f')]))).toBe(
        'ARCHIVE_BREAKOUT',
      );
    });

    it('takes the source of a hard link through an absolute link (HardlinkSourceThroughAbsoluteSymlink)', async () => {
      await using sandbox = await Sandbox.create(executor);
      await sandbox[unpacker]([
        file('run/target', 't'),
        link('var/run', '/run'),
        hard('h', 'var/run/target'),
      ]);
      const source = lstatSync(join(sandbox.dest, 'run/target'));
      expect(lstatSync(join(sandbox.dest, 'h')).ino).toBe(source.ino);
      expect(source.nlink).toBe(2);
    });

    it('takes an absolute hard link target as relative to the root (UntarAbsoluteHardlink)', async () => {
      await using sandbox = await Sandbox.create(executor);
      await sandbox[unpacker]([file('etc/a', 'a'), hard('b', '/etc/a')]);
      expect(lstatSync(join(sandbox.dest, 'b')).nlink).toBe(2);
    });

    it('refuses a relative escape even if an absolute link follows (UnpackRejectsRelativeEscapeBeforeAbsoluteSymlink)', async () => {
      await using sandbox = await Sandbox.create(executor);
      const code = await failureCode(
        sandbox[unpacker]([link('abs', '/'), link('esc', '../victim/abs'), file('esc/pwned')]),
      );
      expect(code).toBe('ARCHIVE_BREAKOUT');
      sandbox.expectContained();
    });

    it('ends on a cycle of links', async () => {
      await using sandbox = await Sandbox.create(executor);
      const code = await failureCode(sandbox[unpacker]([link('a', 'b'), link('b', 'a'), file('a/x')]));
      expect(code).toBe('ARCHIVE_IO');
    });

    it('stores the text of symbolic links as it is (CreateTarFileSymlinkPreservesLinkname)', async () => {
      await using sandbox = await Sandbox.create(executor);
      await sandbox[unpacker]([link('abs', '/target//x/.'), link('rel', '../../..//target')]);
      expect(sandbox.tree()).toEqual({ abs: 'link /target//x/.', rel: 'link ../../..//target' });
    });

    it('says which entry wanted out, in a field as well (BreakoutErrorUnwrap)', async () => {
      await using sandbox = await Sandbox.create(executor);
      const error = await sandbox[unpacker]([link('out', '../victim'), file('out/pwned')]).catch(
        (reason: unknown) => reason,
      );
      expect(isLayerStoreError(error, 'ARCHIVE_BREAKOUT') && error.path).toMatch(/^out/);
    });

    it('unpacks a file called ..gitme (ChrootApplyDotDotFile)', async () => {
      await using sandbox = await Sandbox.create(executor);
      await sandbox[unpacker]([file('..gitme')]);
      expect(Object.keys(sandbox.tree())).toEqual(['..gitme']);
    });

    it('makes missing parents behind a link of the lower layer (UnpackLayerCreatesImpliedDirectoriesThroughLowerLayerSymlink)', async () => {
      await using sandbox = await Sandbox.create(executor);
      await mkdir(join(sandbox.dest, 'usr/lib'), { recursive: true });
      await symlink('usr/lib', join(sandbox.dest, 'lib'));
      await sandbox[unpacker]([file('lib/systemd/system/x.service', 'unit')]);
      expect(sandbox.tree()).toMatchObject({
        lib: 'link usr/lib',
        'usr/lib/systemd/system/x.service': 'file 644 unit',
      });
    });

    it('never writes into a file that another name shares', async () => {
      await using sandbox = await Sandbox.create(executor);
      await writeFile(join(sandbox.dest, 'old'), 'kept');
      await sandbox[unpacker]([hard('new', 'old'), file('new', 'changed')]);
      expect(sandbox.tree()).toEqual({ new: 'file 644 changed', old: 'file 644 kept' });
    });
  });
});
