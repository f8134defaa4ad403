import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const NOBODY = 65_534;
const SCRIPT = fileURLToPath(new URL('./rootless-commit-run.test-support.js', import.meta.url));
const asRoot = process.getuid?.() === 0;

interface Result {
  readonly uid: number;
  readonly status: readonly (readonly [string, string])[];
  readonly exported: string;
  readonly before: readonly string[];
  readonly onDisk: string;
  readonly changes: readonly string[];
  readonly committed: readonly string[];
  readonly whole: readonly string[];
}

let base: string;
let layer: Buffer;

/** `[owner, mode, name]` of everything in the layer; directories end in a slash. */
const ENTRIES = [
  ['0:0', '755', 'bin/'],
  ['0:0', '4755', 'bin/su'],
  ['33:33', '750', 'srv/'],
  ['33:33', '600', 'srv/page'],
  ['1000:1000', '0', 'srv/secret'],
  ['1000:1000', '444', 'srv/stable'],
] as const;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'vfs-rootless-commit-'));
  chmodSync(base, 0o755);
  mkdirSync(join(base, 'store'));
  if (asRoot) chownSync(join(base, 'store'), NOBODY, NOBODY);
  const tree = join(base, 'tree');
  mkdirSync(tree);
  const file = join(base, 'layer.tar');
  for (const [owner, mode, name] of ENTRIES) {
    if (name.endsWith('/')) mkdirSync(join(tree, name));
    else writeFileSync(join(tree, name), name);
    const [uid, gid] = owner.split(':');
    const metadata = [`--owner=:${uid}`, `--group=:${gid}`, `--mode=${mode}`];
    execFileSync('tar', ['-rf', file, '--no-recursion', ...metadata, '-C', tree, name]);
  }
  layer = execFileSync('cat', [file]);
});

afterEach(() => rmSync(base, { recursive: true, force: true }));

function run(native: string): Result {
  const output = execFileSync(process.execPath, [SCRIPT, join(base, 'store')], {
    input: layer,
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', LAYER_STORE_NATIVE: native },
    ...(asRoot ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  return JSON.parse(output.toString()) as Result;
}

describe('a store on vfs without root', () => {
  it.each(['on', 'off'])('keeps the owners of a layer it is built upon, addon %s', (native) => {
    const result = run(native === 'off' ? 'off' : (process.env.LAYER_STORE_NATIVE ?? ''));
    const own = asRoot ? `${NOBODY}:${NOBODY}` : `${process.getuid?.()}:${process.getgid?.()}`;
    if (asRoot) expect(result.uid).toBe(NOBODY);
    expect(result.status).toContainEqual(['Owners', 'recorded']);
    expect(Buffer.from(result.exported, 'base64').equals(layer)).toBe(true);
    expect(result.whole).toEqual(ENTRIES.map((entry) => entry.join(' ')));
    expect(result.before).toEqual([]);
    expect(result.onDisk).toBe('400');
    expect(result.changes).toEqual(['C /srv', 'A /srv/mine', 'C /srv/page']);
    expect(result.committed).toEqual(['33:33 750 srv/', `${own} 644 srv/mine`, '33:33 600 srv/page']);
  });
});
