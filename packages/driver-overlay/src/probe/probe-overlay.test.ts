import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { native } from '@x/native';
import { IS_ROOT, NOBODY, TestArea } from '../test-area.test-support.js';
import { forgetFindings, probeOverlay } from './probe-overlay.js';

const SCRIPT = fileURLToPath(new URL('./probe-run.test-support.js', import.meta.url));
const withMounts = IS_ROOT && native.available ? describe : describe.skip;

let area: TestArea;
beforeEach(() => {
  forgetFindings();
  area = new TestArea();
});
afterEach(() => {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
  const expected = mounts.split('\n').filter((line) => line.includes(`${area.path}/`));
  area[Symbol.dispose]();
  expect(expected.filter((line) => line.includes('overlay-probe'))).toEqual([]);
});

withMounts('probing for overlay', () => {
  it('succeeds where it works, and leaves nothing, no home either', async () => {
    expect(await probeOverlay(area.at('a/b/home'))).toEqual({ supported: true, warnings: [] });
    expect(readdirSync(area.path)).toEqual([]);
  });

  it('works in a home with characters that mount options give a meaning', async () => {
    const home = area.directory('odd:home,with\\all');
    expect(await probeOverlay(home)).toEqual({ supported: true, warnings: [] });
    expect(readdirSync(home)).toEqual([]);
  });

  it('remembers what worked, and does not look again', async () => {
    await probeOverlay(area.at('home'));
    utimesSync(area.path, 1, 1);
    expect(await probeOverlay(area.at('another'))).toEqual({ supported: true, warnings: [] });
    expect(statSync(area.path).mtimeMs).toBe(1000);
  });

  it('tries again what failed: the remedy may have been applied', async () => {
    const home = area.mount('ramfs', 'fs', 'mode=0755');
    expect((await probeOverlay(home)).supported).toBe(false);
    area.mount('tmpfs', 'fs', 'mode=0755');
    expect((await probeOverlay(home)).supported).toBe(true);
  });

  it('refuses a file system without d_type, but only warns where layers are already', async () => {
    const home = area.image('ext', 'ext4', 8, ['mkfs.ext4', '-q', '-O', '^filetype']);
    execFileSync('rmdir', [`${home}/lost+found`]);
    expect(await probeOverlay(`${home}/overlay2`)).toMatchObject({
      supported: false,
      code: 'DRIVER_INCOMPATIBLE_FS',
      reason: expect.stringContaining('d_type'),
      remedy: expect.stringContaining('filetype'),
    });
    expect(readdirSync(home)).toEqual([]);
    mkdirSync(`${home}/overlay2/layer`, { recursive: true });
    expect(await probeOverlay(`${home}/overlay2`)).toMatchObject({
      supported: true,
      warnings: [expect.stringContaining('d_type')],
    });
  });

  it('refuses overlay on overlay', async () => {
    for (const name of ['lower', 'upper', 'work']) area.directory(name);
    const options = `lowerdir=${area.at('lower')},upperdir=${area.at('upper')},workdir=${area.at('work')}`;
    const home = area.mount('overlay', 'merged', options);
    expect(await probeOverlay(home)).toMatchObject({
      supported: false,
      code: 'DRIVER_INCOMPATIBLE_FS',
      reason: expect.stringContaining('on overlay itself'),
    });
    expect(readdirSync(home)).toEqual([]);
  });

  it('refuses a file system without attributes', async () => {
    const home = area.mount('ramfs', 'fs', 'mode=0755');
    expect(await probeOverlay(home)).toMatchObject({
      supported: false,
      code: 'DRIVER_INCOMPATIBLE_FS',
      reason: expect.stringContaining('ramfs'),
    });
    expect(readdirSync(home)).toEqual([]);
  });

  it('refuses a read-only place, a file, and a path through a file', async () => {
    const home = area.mount('tmpfs', 'fs', 'ro');
    expect(await probeOverlay(`${home}/x`)).toMatchObject({
      code: 'DRIVER_FAILED',
      reason: expect.stringContaining('EROFS'),
    });
    writeFileSync(area.at('file'), '');
    expect(await probeOverlay(area.at('file'))).toMatchObject({ code: 'DRIVER_PREREQUISITES' });
    expect(await probeOverlay(area.at('file/home'))).toMatchObject({
      code: 'DRIVER_FAILED',
      reason: expect.stringContaining('ENOTDIR'),
    });
  });

  it('clears away what a probe that was killed long ago left', async () => {
    mkdirSync(area.at('.overlay-probe-dead/merged'), { recursive: true });
    mkdirSync(area.at('.overlay-probe-alive'));
    utimesSync(area.at('.overlay-probe-dead'), 1, 1);
    await probeOverlay(area.at('home'));
    expect(readdirSync(area.path)).toEqual(['.overlay-probe-alive']);
  });

  it('says that an ordinary user may not mount, and what to do', () => {
    const home = area.directory('home', NOBODY);
    expect(probeAs(home)).toMatchObject({
      supported: false,
      code: 'DRIVER_NOT_SUPPORTED',
      reason: expect.stringContaining('CAP_SYS_ADMIN'),
      remedy: expect.stringContaining('fuse-overlayfs'),
    });
    expect(readdirSync(home)).toEqual([]);
  });

  it('succeeds for an ordinary user in a user namespace', () => {
    const home = area.directory('home', NOBODY);
    expect(probeAs(home, ['unshare', '-Urm'])).toEqual({ supported: true, warnings: [] });
    expect(readdirSync(home)).toEqual([]);
  });

  it('says that the addon is missing', () => {
    expect(probeAs(area.directory('home', NOBODY), [], [], 'off')).toMatchObject({
      supported: false,
      code: 'DRIVER_PREREQUISITES',
      remedy: expect.stringContaining('addon'),
    });
  });

  it('says that the mount program is missing, or that its home has a colon', () => {
    const home = area.directory('home', NOBODY);
    expect(probeAs(home, [], ['fuse-nothing'])).toMatchObject({
      code: 'DRIVER_PREREQUISITES',
      reason: expect.stringContaining('fuse-nothing'),
    });
    expect(probeAs(`${home}/a:b/c`, [], ['fuse-overlayfs'])).toMatchObject({
      code: 'DRIVER_PREREQUISITES',
      reason: expect.stringContaining('colon'),
    });
    expect(readdirSync(home)).toEqual([]);
  });

  it('says that a mount program failed, with its words', () => {
    const home = area.directory('home', NOBODY);
    expect(probeAs(home, ['unshare', '-Ur'], ['/usr/bin/false'])).toMatchObject({
      supported: false,
      reason: expect.stringMatching(/false|dev\/fuse/),
    });
    expect(readdirSync(home)).toEqual([]);
  });

  it('says that a user may not write to the home', () => {
    const home = area.directory('home');
    chmodSync(home, 0o755);
    expect(probeAs(`${home}/overlay2`)).toMatchObject({
      code: 'DRIVER_FAILED',
      reason: expect.stringContaining('EACCES'),
    });
    expect(existsSync(`${home}/overlay2`)).toBe(false);
  });
});

function probeAs(
  home: string,
  through: readonly string[] = [],
  more: readonly string[] = [],
  addon = process.env.LAYER_STORE_NATIVE ?? '',
): unknown {
  const user = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
  const [program = '', ...args] = [...user, ...through, process.execPath, SCRIPT, home, ...more];
  const env = {
    PATH: '/usr/bin:/bin:/usr/sbin:/sbin',
    LAYER_STORE_NATIVE: addon,
  };
  return JSON.parse(execFileSync(program, args, { cwd: '/', env }).toString());
}
