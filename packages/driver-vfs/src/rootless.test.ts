import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Shortfall } from './shortfalls.js';

const NOBODY = 65_534;
const SCRIPT = fileURLToPath(new URL('./rootless-run.test-support.js', import.meta.url));
const asRoot = process.getuid?.() === 0;
const user = asRoot
  ? { uid: NOBODY, gid: NOBODY }
  : { uid: process.getuid?.() ?? NOBODY, gid: process.getgid?.() ?? NOBODY };

interface Result {
  readonly uid: number;
  readonly rootless: boolean;
  readonly size: number;
  readonly reported: readonly Shortfall[];
  readonly status: readonly (readonly [string, string])[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly files: readonly string[];
  readonly left: readonly (readonly [string, string])[];
}

let base: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'vfs-rootless-'));
  chmodSync(base, 0o755);
  mkdirSync(join(base, 'vfs'));
  if (asRoot) chownSync(join(base, 'vfs'), NOBODY, NOBODY);
});

afterEach(() => rmSync(base, { recursive: true, force: true }));

function run(tar: Buffer): Result {
  const output = execFileSync(process.execPath, [SCRIPT, join(base, 'vfs')], {
    input: tar,
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', LAYER_STORE_NATIVE: process.env.LAYER_STORE_NATIVE ?? '' },
    ...(asRoot ? user : {}),
  });
  return JSON.parse(output.toString()) as Result;
}

describe('vfs driver without root', () => {
  it('unpacks, reports every owner and device it could not set, and never says nothing', () => {
    const tree = join(base, 'tree');
    mkdirSync(join(tree, 'etc'), { recursive: true });
    writeFileSync(join(tree, 'etc/shadow'), 'secret');
    chmodSync(join(tree, 'etc/shadow'), 0o640);
    const args = ['-cf', '-', '--owner=:33', '--group=:42', '-C', tree, 'etc', '-C', '/dev', 'null'];
    const result = run(execFileSync('tar', args));
    expect(result.uid).toBe(user.uid);
    expect(result.rootless).toBe(true);
    expect(result.size).toBe(6);
    const refused = result.reported[0]?.refused ?? {};
    expect(Object.values(refused).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(3);
    expect(result.reported[0]?.examples.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['etc/shadow', 'null']),
    );
    expect(result.status).toEqual([
      ['Rootless', 'true'],
      ['Owners', 'recorded'],
      ['Layers With Owners, Devices Or Xattrs Missing', '2'],
    ]);
    expect(result.metadata.Refused).toMatch(/^device 1, owner [1-9]/);
    const shadow = result.files.find((line) => line.startsWith('/etc/shadow'));
    expect(shadow).toMatch(new RegExp(`^/etc/shadow 100640 ${user.uid}:${user.gid} `));
    expect(result.left).toEqual([
      ['Rootless', 'true'],
      ['Owners', 'recorded'],
    ]);
  });

  it('has nothing to report on a layer of its own files', () => {
    const tree = join(base, 'tree');
    mkdirSync(tree);
    writeFileSync(join(tree, 'file'), 'x');
    const own = [`--owner=:${user.uid}`, `--group=:${user.gid}`];
    const result = run(execFileSync('tar', ['-cf', '-', ...own, '-C', tree, 'file']));
    expect(result.reported).toEqual([]);
    expect(result.metadata).toEqual({});
  });
});
