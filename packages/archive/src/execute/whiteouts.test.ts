import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, it } from '@jest/globals';
import { describeWithAddon } from './describe-with-addon.test-support.js';
import { EXECUTORS, nativeCalls, Sandbox, Script } from './executor.test-support.js';

const OVERLAY = { whiteouts: 'overlay' } as const;
const AUFS = { whiteouts: 'aufs' } as const;

/** Content of a lower layer that the same tree holds. */
function lower(sandbox: Sandbox, ...names: readonly string[]): void {
  for (const name of names) {
    mkdirSync(dirname(sandbox.path(name)), { recursive: true });
    writeFileSync(sandbox.path(name), 'lower');
  }
}

function tree(sandbox: Sandbox, at = ''): string[] {
  return readdirSync(sandbox.path(at), { withFileTypes: true }).flatMap((entry) => {
    const path = at === '' ? entry.name : `${at}/${entry.name}`;
    return entry.isDirectory() ? [`${path}/`, ...tree(sandbox, path)] : [path];
  });
}

function isOpaque(sandbox: Sandbox, path: string, attribute = 'trusted.overlay.opaque'): boolean {
  return nativeCalls().lgetxattrSync(sandbox.path(path), attribute)?.toString() === 'y';
}

function isWhiteout(sandbox: Sandbox, path: string): boolean {
  const stat = lstatSync(sandbox.path(path));
  return stat.isCharacterDevice() && stat.rdev === 0;
}

describeWithAddon.each(EXECUTORS)('whiteouts in the same tree, %s executor', (kind) => {
  it('remove what a lower layer left, with everything in it', async () => {
    await using sandbox = new Sandbox(kind);
    lower(sandbox, 'f', 'd/a', 'd/e/b', 'keep');
    symlinkSync('keep', sandbox.path('l'));
    await sandbox.extract({}, new Script().whiteout('f').whiteout('d').whiteout('l').whiteout('missing'));
    expect(tree(sandbox)).toEqual(['keep']);
  });

  it('spare what the same layer unpacked before, whatever the order (TestApplyLayerWhiteouts)', async () => {
    await using sandbox = new Sandbox(kind);
    lower(sandbox, 'd/old', 'd/e/old', 'f');
    const script = new Script().file('f', 'new').file('d/e/new', 'new').whiteout('d').whiteout('f');
    await sandbox.extract({}, script);
    expect(tree(sandbox)).toEqual(['d/', 'd/e/', 'd/e/new', 'f']);
    expect(readFileSync(sandbox.path('f'), 'utf8')).toBe('new');
  });

  it('make a directory opaque below implied parents too, at any depth', async () => {
    await using sandbox = new Sandbox(kind);
    lower(sandbox, 'a/x', 'a/b/y', 'a/b/c/z', 'a/q/r');
    await sandbox.extract({}, new Script().file('a/b/c/new', 'x').opaque('a'));
    expect(tree(sandbox)).toEqual(['a/', 'a/b/', 'a/b/c/', 'a/b/c/new']);
  });

  it('spare directories, links and nodes of the layer, and nothing else', async () => {
    await using sandbox = new Sandbox(kind);
    lower(sandbox, 'd/keep/lower', 'd/lower');
    const script = new Script()
      .directory('d/keep')
      .symlink('d/link', 'x')
      .node('d/pipe', 0o010000, 0, 0)
      .hardlink('d/hard', 'd/lower')
      .opaque('d');
    await sandbox.extract({}, script);
    expect(tree(sandbox)).toEqual(['d/', 'd/hard', 'd/keep/', 'd/link', 'd/pipe']);
  });

  it('forget what was removed again', async () => {
    await using sandbox = new Sandbox(kind);
    lower(sandbox, 'd/lower');
    await sandbox.extract(
      {},
      new Script().file('d/e/f', 'x').file('d/e', 'file now').whiteout('d/e').opaque('d'),
    );
    expect(tree(sandbox)).toEqual(['d/', 'd/e']);
    await sandbox.extract({}, new Script().remove('d/e').whiteout('d'));
    expect(tree(sandbox)).toEqual([]);
  });

  it('clear the root', async () => {
    await using sandbox = new Sandbox(kind);
    lower(sandbox, 'a/b', 'c');
    await sandbox.extract({}, new Script().file('new/f', 'x').opaque(''));
    expect(tree(sandbox)).toEqual(['new/', 'new/f']);
  });

  it('reach through links inside the root', async () => {
    await using sandbox = new Sandbox(kind);
    lower(sandbox, 'usr/lib/x', 'usr/lib/y');
    symlinkSync('usr/lib', sandbox.path('lib'));
    await sandbox.extract({}, new Script().file('lib/y', 'new').whiteout('lib/x').whiteout('lib/y'));
    expect(tree(sandbox)).toEqual(['lib', 'usr/', 'usr/lib/', 'usr/lib/y']);
  });
});

describeWithAddon.each(EXECUTORS)('whiteouts for overlay, %s executor', (kind) => {
  it('are devices 0/0 with the owner of the entry', async () => {
    await using sandbox = new Sandbox(kind);
    await sandbox.extract(OVERLAY, new Script().whiteout('d/gone', 5, 6).opaque('e').opaque(''));
    expect(isWhiteout(sandbox, 'd/gone')).toBe(true);
    expect([lstatSync(sandbox.path('d/gone')).uid, lstatSync(sandbox.path('d/gone')).gid]).toEqual([5, 6]);
    expect([isOpaque(sandbox, 'e'), isOpaque(sandbox, '.'), isOpaque(sandbox, 'd')]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('use the user attribute when asked to', async () => {
    await using sandbox = new Sandbox(kind, '/var/tmp');
    await sandbox.extract({ ...OVERLAY, userXattr: true }, new Script().opaque('e'));
    expect(isOpaque(sandbox, 'e', 'user.overlay.opaque')).toBe(true);
  });

  it('keep what the layer unpacked; of a directory they hide the lower content', async () => {
    await using sandbox = new Sandbox(kind);
    await sandbox.extract(OVERLAY, new Script().file('f', 'x').file('d/f', 'x').whiteout('f').whiteout('d'));
    expect(tree(sandbox)).toEqual(['d/', 'd/f', 'f']);
    expect(readFileSync(sandbox.path('f'), 'utf8')).toBe('x');
    expect(isOpaque(sandbox, 'd')).toBe(true);
  });

  it('twice, and below one another, mean nothing more', async () => {
    await using sandbox = new Sandbox(kind);
    await sandbox.extract(
      OVERLAY,
      new Script().whiteout('foo').whiteout('foo').whiteout('foo/bar').whiteout('foo/a/b'),
    );
    expect(tree(sandbox)).toEqual(['foo']);
    expect(isWhiteout(sandbox, 'foo')).toBe(true);
  });

  it('give way to what the layer unpacks in their place; a directory becomes opaque', async () => {
    await using sandbox = new Sandbox(kind);
    const script = new Script()
      .whiteout('dir')
      .directory('dir')
      .whiteout('file')
      .file('file', 'x')
      .whiteout('implied')
      .file('implied/f', 'x')
      .whiteout('opaque')
      .opaque('opaque');
    await sandbox.extract({ ...OVERLAY, replaceAcrossTypes: false }, script);
    expect(tree(sandbox)).toEqual(['dir/', 'file', 'implied/', 'implied/f', 'opaque/']);
    expect(['dir', 'implied', 'opaque'].map((name) => isOpaque(sandbox, name))).toEqual([true, true, true]);
  });

  it('hide the lower directory behind a file that a directory replaced', async () => {
    await using sandbox = new Sandbox(kind);
    await sandbox.extract(OVERLAY, new Script().file('x', '1').directory('x').directory('y').directory('y'));
    expect([isOpaque(sandbox, 'x'), isOpaque(sandbox, 'y')]).toEqual([true, false]);
  });

  it('are no targets of hard links', async () => {
    await using sandbox = new Sandbox(kind);
    const script = new Script().whiteout('gone').hardlink('l', 'gone');
    await expect(sandbox.extract(OVERLAY, script)).rejects.toMatchObject({ code: 'ARCHIVE_INVALID_LINK' });
  });
});

describeWithAddon.each(EXECUTORS)('whiteouts for aufs, %s executor', (kind) => {
  it('are empty files beside the name, mode 0444', async () => {
    await using sandbox = new Sandbox(kind);
    await sandbox.extract(AUFS, new Script().whiteout('d/gone', 5, 6).whiteout('d/gone').opaque('e'));
    expect(tree(sandbox)).toEqual(['d/', 'd/.wh.gone', 'e/', 'e/.wh..wh..opq']);
    for (const name of ['d/.wh.gone', 'e/.wh..wh..opq']) {
      const stat = lstatSync(sandbox.path(name));
      expect([stat.isFile(), stat.size, stat.mode & 0o7777]).toEqual([true, 0, 0o444]);
    }
    expect(lstatSync(sandbox.path('d/.wh.gone')).uid).toBe(5);
  });

  it('are not written for what the layer unpacked; a directory gets the opaque mark', async () => {
    await using sandbox = new Sandbox(kind);
    await sandbox.extract(AUFS, new Script().file('f', 'x').file('d/f', 'x').whiteout('f').whiteout('d'));
    expect(tree(sandbox).sort()).toEqual(['d/', 'd/.wh..wh..opq', 'd/f', 'f']);
  });

  it('disappear when the layer unpacks the name after all, nested ones included', async () => {
    await using sandbox = new Sandbox(kind);
    const script = new Script()
      .whiteout('f')
      .file('f', 'x')
      .whiteout('d')
      .whiteout('d/nested')
      .directory('d')
      .whiteout('l')
      .symlink('l', 'f')
      .whiteout('h')
      .hardlink('h', 'f')
      .whiteout('p')
      .node('p', 0o010000, 0, 0)
      .whiteout('i')
      .file('i/f', 'x');
    await sandbox.extract(AUFS, script);
    const expected = ['d/', 'd/.wh..wh..opq', 'f', 'h', 'i/', 'i/.wh..wh..opq', 'i/f', 'l', 'p'];
    expect(tree(sandbox).sort()).toEqual(expected);
  });
});
