import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { native } from '@x/native';
import { runDirectorySteps } from './directory-steps.js';

let home: string;
beforeEach(() => {
  home = mkdtempSync('/dev/shm/directory-steps-');
});
afterEach(() => {
  rmSync(home, { recursive: true });
});

it('makes directories, files and links with their modes, and gives one the attributes of another', () => {
  mkdirSync(join(home, 'parent'));
  chmodSync(join(home, 'parent'), 0o2751);
  utimesSync(join(home, 'parent'), 1_000_000_000, 1_234_567_890);
  runDirectorySteps(home, [
    { verb: 'directory', path: 'layer', mode: 0o710 },
    { verb: 'directory', path: 'layer/diff', mode: 0o755 },
    { verb: 'file', path: 'layer/link', mode: 0o640, content: 'ABC' },
    { verb: 'file', path: 'layer/empty', mode: 0o600, content: '' },
    { verb: 'link', path: 'short', target: 'layer/diff' },
    { verb: 'owner', path: 'layer/link', uid: process.getuid?.() ?? 0, gid: -1 },
    { verb: 'mode', path: 'layer', mode: 0o700 },
    { verb: 'attributes', from: 'parent', path: 'layer/diff', skipped: ['trusted.overlay.'] },
    { verb: 'rename', path: 'layer', to: 'published' },
  ]);
  expect(readdirSync(join(home, 'published')).toSorted()).toEqual(['diff', 'empty', 'link']);
  expect(readFileSync(join(home, 'published/link'), 'utf8')).toBe('ABC');
  expect(readFileSync(join(home, 'published/empty'), 'utf8')).toBe('');
  expect(readlinkSync(join(home, 'short'))).toBe('layer/diff');
  expect(lstatSync(join(home, 'published')).mode & 0o7777).toBe(0o700);
  const diff = lstatSync(join(home, 'published/diff'));
  expect([diff.mode & 0o7777, diff.mtimeMs]).toEqual([0o2751, 1_234_567_890_000]);
});

it('removes what is there, and forgives what is not where it is asked to', () => {
  runDirectorySteps(home, [
    { verb: 'directory', path: 'a', mode: 0o700 },
    { verb: 'file', path: 'f', mode: 0o600, content: 'x' },
    { verb: 'unlink', path: 'f' },
    { verb: 'unlink-if-there', path: 'f' },
    { verb: 'rmdir-if-there', path: 'a/b' },
    { verb: 'rmdir', path: 'a' },
  ]);
  expect(readdirSync(home)).toEqual([]);
  expect(() => runDirectorySteps(home, [{ verb: 'unlink', path: 'f' }])).toThrow(
    expect.objectContaining({ code: 'ENOENT' }),
  );
  expect(() => runDirectorySteps(home, [{ verb: 'rmdir', path: 'a' }])).toThrow(
    expect.objectContaining({ code: 'ENOENT' }),
  );
});

it('stops at the first failure, which says what it was about', () => {
  expect(() =>
    runDirectorySteps(home, [
      { verb: 'directory', path: 'made', mode: 0o700 },
      { verb: 'file', path: 'made/f', mode: 0o600, content: '' },
      { verb: 'file', path: 'made/f', mode: 0o600, content: 'again' },
      { verb: 'directory', path: 'never', mode: 0o700 },
    ]),
  ).toThrow(expect.objectContaining({ code: 'EEXIST', path: expect.stringContaining('made/f') }));
  expect(existsSync(join(home, 'made/f'))).toBe(true);
  expect(existsSync(join(home, 'never'))).toBe(false);
  expect(() => runDirectorySteps(home, [{ verb: 'rmdir-if-there', path: 'made' }])).toThrow(
    expect.objectContaining({ code: 'ENOTEMPTY' }),
  );
});

const withAddon = native.available ? it : it.skip;
withAddon('gives extended attributes too, but those it is told to leave', () => {
  if (!native.available) return;
  const { calls } = native;
  const value = (name: string): string | undefined =>
    calls.lgetxattrSync(join(home, 'to'), name)?.toString('latin1');
  mkdirSync(join(home, 'from'));
  for (const name of ['trusted.kept', 'trusted.overlay.opaque', 'trusted.left']) {
    calls.lsetxattrSync(join(home, 'from'), name, 'y');
  }
  runDirectorySteps(home, [
    { verb: 'directory', path: 'to', mode: 0o755 },
    { verb: 'attributes', from: 'from', path: 'to', skipped: ['trusted.overlay.', 'trusted.left'] },
  ]);
  expect([value('trusted.kept'), value('trusted.overlay.opaque'), value('trusted.left')]).toEqual([
    'y',
    undefined,
    undefined,
  ]);
});
