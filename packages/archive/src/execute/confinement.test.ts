import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { expect, it } from '@jest/globals';
import { describeWithAddon } from './describe-with-addon.test-support.js';
import { EXECUTORS, type ExecutorKind, Sandbox, Script } from './executor.test-support.js';

const BREAKOUT = { code: 'ARCHIVE_BREAKOUT' };

/** A sandbox with a file outside the root that nothing may touch. */
class Canary extends Sandbox {
  readonly #file: string;
  readonly #before: string;

  constructor(kind: ExecutorKind) {
    super(kind);
    mkdirSync(`${this.base}/victim`);
    this.#file = `${this.base}/victim/canary`;
    writeFileSync(this.#file, 'alive');
    this.#before = this.#state();
  }

  expectUntouched(): void {
    expect(this.#state()).toBe(this.#before);
    expect(readdirSync(this.base).sort()).toEqual(['root', 'stash', 'victim']);
  }

  #state(): string {
    const { mode, uid, gid, nlink, mtimeMs } = lstatSync(this.#file);
    const names = readdirSync(`${this.base}/victim`).join();
    return JSON.stringify([readFileSync(this.#file, 'utf8'), mode, uid, gid, nlink, mtimeMs, names]);
  }
}

describeWithAddon.each(EXECUTORS)('confinement of the %s executor', (kind) => {
  it('takes an absolute link as starting at the root (SEC-02)', async () => {
    await using sandbox = new Canary(kind);
    const outside = `${sandbox.base}/victim`;
    await sandbox.extract(
      {},
      new Script().symlink('out', outside).file('out/canary', 'inside', { mode: 0o600, uid: 1 }),
    );
    sandbox.expectUntouched();
    expect(readFileSync(sandbox.path(`${outside}/canary`), 'utf8')).toBe('inside');
  });

  it('makes missing targets of absolute links inside the root, also part of them (var/run to /run)', async () => {
    await using sandbox = new Canary(kind);
    const script = new Script()
      .symlink('var/run', '/run')
      .file('var/run/lock/pid', '1')
      .directory('srv')
      .symlink('data', '/srv/a/b')
      .file('data/x', '2');
    await sandbox.extract({ impliedUid: 3 }, script);
    expect(readFileSync(sandbox.path('run/lock/pid'), 'utf8')).toBe('1');
    expect(readFileSync(sandbox.path('srv/a/b/x'), 'utf8')).toBe('2');
    expect([lstatSync(sandbox.path('run')).uid, lstatSync(sandbox.path('run')).mode & 0o7777]).toEqual([
      3, 0o755,
    ]);
  });

  it('makes the missing target of a relative link', async () => {
    await using sandbox = new Canary(kind);
    await sandbox.extract({}, new Script().symlink('a/l', '../b/c').file('a/l/f', 'x'));
    expect(readFileSync(sandbox.path('b/c/f'), 'utf8')).toBe('x');
    expect(lstatSync(sandbox.path('a/l')).isSymbolicLink()).toBe(true);
  });

  it('stops .. of an absolute link at the root', async () => {
    await using sandbox = new Canary(kind);
    await sandbox.extract({}, new Script().symlink('l', '/../../victim').file('l/canary', 'inside'));
    sandbox.expectUntouched();
    expect(readFileSync(sandbox.path('victim/canary'), 'utf8')).toBe('inside');
  });

  it.each([
    ['..', 'l', '..'],
    ['../victim', 'l', '../victim'],
    ['a climb from below', 'd/e/l', '../../../victim'],
    ['a climb past an absolute link', 'l', '../victim/abs'],
  ])('refuses a relative link that climbs above the root: %s', async (_, name, target) => {
    await using sandbox = new Canary(kind);
    const script = new Script().symlink(name, target).file(`${name}/canary`, 'overwritten');
    await expect(sandbox.extract({}, script)).rejects.toMatchObject(BREAKOUT);
    sandbox.expectUntouched();
  });

  it('refuses links that compose a climb (SEC-09, SEC-11, TestUntarInvalidSymlink)', async () => {
    await using sandbox = new Canary(kind);
    const script = new Script()
      .directory('a/b')
      .symlink('a/up', 'b/../..')
      .symlink('two', 'a/up/../victim')
      .file('two/canary', 'overwritten');
    await expect(sandbox.extract({}, script)).rejects.toMatchObject(BREAKOUT);
    const hop = new Script()
      .symlink('abs', '/')
      .symlink('hop', 'abs/../victim')
      .hardlink('stolen', 'hop/canary');
    await expect(sandbox.extract({}, hop)).rejects.toMatchObject(BREAKOUT);
    sandbox.expectUntouched();
  });

  it('resolves hard link targets inside the root (SEC-06, SEC-07, SEC-08, TestUntarInvalidHardlink)', async () => {
    await using sandbox = new Canary(kind);
    const absolute = new Script().symlink('out', `${sandbox.base}/victim`).hardlink('stolen', 'out/canary');
    await expect(sandbox.extract({}, absolute)).rejects.toMatchObject({ code: 'ARCHIVE_INVALID_LINK' });
    const relative = new Script().symlink('up', '../victim').hardlink('stolen', 'up/canary');
    await expect(sandbox.extract({}, relative)).rejects.toMatchObject(BREAKOUT);
    const crossing = new Script().file('run/real', 'x').symlink('var', '/run').hardlink('name', 'var/real');
    await sandbox.extract({}, crossing);
    expect(lstatSync(sandbox.path('name')).ino).toBe(lstatSync(sandbox.path('run/real')).ino);
    sandbox.expectUntouched();
  });

  it('forgets a directory that became a link (SEC-03)', async () => {
    await using sandbox = new Canary(kind);
    const script = new Script()
      .file('d/sub/one', '1')
      .symlink('d', '/elsewhere')
      .file('d/sub/two', '2')
      .file('elsewhere/three', '3');
    await sandbox.extract({}, script);
    expect(readdirSync(sandbox.path('elsewhere'))).toEqual(['sub', 'three']);
    expect(readdirSync(sandbox.path('elsewhere/sub'))).toEqual(['two']);
  });

  it('forgets what lies behind a link that was replaced', async () => {
    await using sandbox = new Canary(kind);
    const script = new Script()
      .directory('x/sub')
      .directory('y/sub')
      .symlink('l', 'x')
      .file('l/sub/1', '1')
      .symlink('l', 'y')
      .file('l/sub/2', '2')
      .directory('l')
      .file('l/sub/3', '3');
    await sandbox.extract({}, script);
    expect(['x/sub', 'y/sub', 'l/sub'].map((name) => readdirSync(sandbox.path(name)))).toEqual([
      ['1'],
      ['2'],
      ['3'],
    ]);
  });

  it('does not delete outside when a whiteout lies below a link (SEC-20)', async () => {
    await using sandbox = new Canary(kind);
    symlinkSync('../victim', sandbox.path('up'));
    symlinkSync(`${sandbox.base}/victim`, sandbox.path('abs'));
    await expect(sandbox.extract({}, new Script().whiteout('up/canary'))).rejects.toMatchObject(BREAKOUT);
    await sandbox.extract({}, new Script().whiteout('abs/canary').opaque('abs'));
    await expect(sandbox.extract({}, new Script().opaque('up'))).rejects.toMatchObject(BREAKOUT);
    sandbox.expectUntouched();
  });

  it('removes trees without following links out of them', async () => {
    await using sandbox = new Canary(kind);
    mkdirSync(sandbox.path('d/e'), { recursive: true });
    symlinkSync('../../../victim', sandbox.path('d/e/rel'));
    symlinkSync(`${sandbox.base}/victim`, sandbox.path('d/abs'));
    await sandbox.extract({}, new Script().whiteout('d'));
    expect(readdirSync(sandbox.root)).toEqual([]);
    sandbox.expectUntouched();
  });

  it('gives up on link loops', async () => {
    await using sandbox = new Canary(kind);
    const script = new Script().symlink('a', 'b').symlink('b', 'a').file('a/x', 'x');
    await expect(sandbox.extract({}, script)).rejects.toMatchObject({ code: 'ARCHIVE_IO', errno: 'ELOOP' });
  });

  it('follows 200 links in a row, more than the kernel would', async () => {
    await using sandbox = new Canary(kind);
    const script = new Script().directory('l0');
    for (let index = 1; index <= 200; index++) script.symlink(`l${index}`, `l${index - 1}`);
    await sandbox.extract({}, script.file('l200/x', 'x'));
    expect(existsSync(sandbox.path('l0/x'))).toBe(true);
  });

  it('refuses a file in the place of a parent', async () => {
    await using sandbox = new Canary(kind);
    const script = new Script().file('f', 'x').file('f/below', 'x');
    await expect(sandbox.extract({}, script)).rejects.toMatchObject({ code: 'ARCHIVE_IO', errno: 'ENOTDIR' });
  });

  it('never leaves the root by a path that climbs, should the planner let one through (SEC-01)', async () => {
    await using sandbox = new Canary(kind);
    for (const path of ['../victim/canary', 'a/../../victim/canary', '..']) {
      await expect(sandbox.extract({}, new Script().file(path, 'overwritten'))).rejects.toThrow();
      await expect(sandbox.extract({}, new Script().whiteout(path))).rejects.toThrow();
    }
    sandbox.expectUntouched();
  });

  it('works in and removes directories nested deeper than a path can name', async () => {
    await using sandbox = new Canary(kind);
    const name = 'n'.repeat(200);
    let path = 'deep';
    const script = new Script();
    for (let level = 0; level < 60; level++) {
      path = `${path}/${name}`;
      script.directory(path);
    }
    await sandbox.extract({}, script.file(`${path}/leaf`, 'x'));
    await sandbox.extract({}, new Script().whiteout('deep'));
    expect(readdirSync(sandbox.root)).toEqual([]);
  });
});
