import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { native } from '@x/native';
import { archiveOf, plant } from '../hardlink/layers.test-support.js';
import type { OverlayDriverOptions } from '../options.js';
import { IS_ROOT, NOBODY, TestArea } from '../test-area.test-support.js';

const script = (name: string): string => fileURLToPath(new URL(`./${name}.test-support.js`, import.meta.url));
const OPEN_FUSE = script('fuse-run');
const USE = script('rootless-run');
const asRoot = IS_ROOT && native.available ? describe : describe.skip;
const hasProgram = existsSync('/usr/bin/fuse-overlayfs');
const withProgram = hasProgram ? it : it.skip;

let area: TestArea;
let home: string;

beforeEach(() => {
  area = new TestArea();
  home = area.directory('home', NOBODY);
  const tree = area.directory('tree');
  plant(tree, { 'etc/config': 'config', 'etc/gone': 'gone', 'etc/owned': 'root', 'dir/below': 'below' });
  writeFileSync(area.at('layer.tar'), archiveOf(tree, 'etc', 'dir', '-C', '/dev', 'null'));
});
afterEach(() => area[Symbol.dispose]());

/** As user `nobody`, with FUSE open to everybody; `through` is run in between. */
function use(options: Omit<OverlayDriverOptions, 'home'>, through: readonly string[] = []): unknown {
  const program = [process.execPath, USE, JSON.stringify({ ...options, home }), area.at('layer.tar')];
  const wrapped = [process.execPath, OPEN_FUSE, area.path, String(NOBODY), ...through, ...program];
  const env = {
    PATH: '/usr/bin:/bin:/usr/sbin:/sbin',
    LAYER_STORE_NATIVE: process.env.LAYER_STORE_NATIVE ?? '',
  };
  return JSON.parse(execFileSync('unshare', ['-m', ...wrapped], { cwd: '/', env }).toString());
}

const EXPECTED = {
  rootless: true,
  before: [],
  seen: { dir: ['mine'], etc: ['config', 'owned'] },
  changes: ['C /dir', 'D /dir/below', 'A /dir/mine', 'C /etc', 'C /etc/config', 'D /etc/gone'],
  again: { dir: ['mine'], mode: 0o600 },
  left: false,
};

asRoot('overlay without root', () => {
  withProgram('fuse-overlayfs works for an ordinary user, and reports what it could not set', () => {
    expect(use({ mountProgram: 'fuse-overlayfs' })).toEqual({
      ...EXPECTED,
      uid: NOBODY,
      fsType: 'fuse.fuse-overlayfs',
      refused: expect.objectContaining({ device: 1, owner: expect.any(Number) }),
    });
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(area.path);
  });

  withProgram('fuse-overlayfs works in a user namespace', () => {
    expect(use({ mountProgram: 'fuse-overlayfs' }, ['unshare', '-Urm'])).toEqual({
      ...EXPECTED,
      uid: 0,
      fsType: 'fuse.fuse-overlayfs',
      refused: expect.objectContaining({ device: 1 }),
    });
  });

  it.each(['multi-lower', 'hardlink'] as const)(
    'the kernel’s overlay works in a user namespace, %s',
    (layout) => {
      expect(use({ layout }, ['unshare', '-Urm'])).toEqual({
        ...EXPECTED,
        uid: 0,
        fsType: 'overlay',
        refused: expect.objectContaining({ device: 1 }),
      });
    },
  );
});
