import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { native } from '@x/native';
import { IS_ROOT, TestArea } from '../test-area.test-support.js';
import { MountProgram } from './mount-program.js';

const SCRIPT = fileURLToPath(new URL('./mount-run.test-support.js', import.meta.url));
const OPTIONS = 'lowerdir=lower,upperdir=upper,workdir=work';
const usable = IS_ROOT && native.available && existsSync('/usr/bin/fuse-overlayfs');
const withProgram = usable ? describe : describe.skip;

let area: TestArea;
let target: string;

beforeEach(() => {
  area = new TestArea();
  for (const name of ['lower', 'upper', 'work']) area.directory(name);
  target = area.directory('merged');
  writeFileSync(area.at('lower/file'), 'content');
});
afterEach(() => {
  expect(mounts()).toEqual([]);
  expect(servers()).toEqual([]);
  area[Symbol.dispose]();
});

const request = () => ({ options: OPTIONS, target, cwd: area.path });
const mounts = (): string[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(area.path));

/** Process ids of programs that serve something here, zombies of this process too. */
function servers(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const zombieOfOurs = new RegExp(`\\) Z ${process.pid} `).test(
          readFileSync(`/proc/${pid}/stat`, 'latin1'),
        );
        return zombieOfOurs || readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(target);
      } catch {
        return false;
      }
    });
}

/** A program of our own, named by what it is called with. */
function program(lines: string): string {
  const path = area.at('program');
  writeFileSync(path, `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
  return path;
}

withProgram('a mount program', () => {
  it('shows a view, and is gone with it', async () => {
    const fuse = new MountProgram('fuse-overlayfs');
    await fuse.mount(request());
    expect(readFileSync(`${target}/file`, 'utf8')).toBe('content');
    writeFileSync(`${target}/new`, 'x');
    expect(servers()).toHaveLength(1);
    expect(await fuse.serves(target)).toBe(true);
    await fuse.unmount(target, { lazy: false });
    expect(servers()).toEqual([]);
    expect(readFileSync(area.at('upper/new'), 'utf8')).toBe('x');
    // What is not there can be unmounted.
    await fuse.unmount(target, { lazy: false });
  });

  it('leaves no file beside the view', async () => {
    const fuse = new MountProgram('fuse-overlayfs');
    await fuse.mount(request());
    expect(readdirSync(area.path).sort()).toEqual(['lower', 'merged', 'upper', 'work']);
    await fuse.unmount(target, { lazy: false });
  });

  it('goes on after the process that mounted, and another one unmounts', async () => {
    expect(execFileSync(process.execPath, [SCRIPT, area.path]).toString()).toBe('mounted\n');
    expect(readFileSync(`${target}/file`, 'utf8')).toBe('content');
    const [server = 0] = servers();
    expect(server).toBeGreaterThan(0);
    await new MountProgram('fuse-overlayfs').unmount(target, { lazy: false });
    await gone(server);
  });

  it('does not hear the signals of the terminal that end its process', async () => {
    const child = spawn(process.execPath, [SCRIPT, area.path], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    process.kill(-(child.pid ?? 0), 'SIGINT');
    await once(child, 'exit');
    expect(readFileSync(`${target}/file`, 'utf8')).toBe('content');
    const [server = 0] = servers();
    await new MountProgram('fuse-overlayfs').unmount(target, { lazy: true });
    await gone(server);
  });

  it('is busy while somebody works in its view, which can be taken out of sight all the same', async () => {
    const fuse = new MountProgram('fuse-overlayfs');
    await fuse.mount(request());
    const user = spawn('sleep', ['1000'], { cwd: target });
    await once(user, 'spawn');
    await expect(fuse.unmount(target, { lazy: false })).rejects.toMatchObject({ code: 'DRIVER_BUSY' });
    expect(readdirSync(target)).toEqual(['file']);
    await fuse.unmount(target, { lazy: true });
    expect(mounts()).toEqual([]);
    const [server = 0] = servers();
    user.kill();
    await once(user, 'exit');
    await gone(server);
  });

  it('that was killed is noticed, and what it served can be unmounted', async () => {
    const fuse = new MountProgram('fuse-overlayfs');
    await fuse.mount(request());
    const [server = 0] = servers();
    process.kill(server, 'SIGKILL');
    await gone(server);
    expect(await fuse.serves(target)).toBe(false);
    await fuse.unmount(target, { lazy: true });
  });

  it('that cannot mount says why, and leaves nothing', async () => {
    const fuse = new MountProgram('fuse-overlayfs');
    await expect(fuse.mount({ ...request(), options: 'lowerdir=nowhere' })).rejects.toMatchObject({
      code: 'DRIVER_FAILED',
      message: expect.stringMatching(/exit status 1: .*nowhere/s),
    });
    expect(readdirSync(area.path).sort()).toEqual(['lower', 'merged', 'upper', 'work']);
  });

  it('that goes into the background by itself is taken as well', async () => {
    // Without its first argument, -f.
    const fuse = new MountProgram(program('shift; exec fuse-overlayfs "$@"'));
    await fuse.mount(request());
    expect(readFileSync(`${target}/file`, 'utf8')).toBe('content');
    const [server = 0] = servers();
    await fuse.unmount(target, { lazy: false });
    await gone(server);
  });

  it.each([
    ['ends without a mount', 'echo done >&2', /exit status 0: done/],
    ['is killed', 'kill -9 $$', /killed by SIGKILL/],
    ['hangs', 'echo waiting >&2; exec sleep 1000', /no mount after 300 ms: waiting/],
  ])('that %s is an error with its words', async (_what, lines, message) => {
    const fuse = new MountProgram(program(lines), 300);
    await expect(fuse.mount(request())).rejects.toMatchObject({
      code: 'DRIVER_FAILED',
      message: expect.stringMatching(message),
    });
  });

  it('that is not installed is a missing prerequisite', async () => {
    for (const name of ['fuse-nothing', '/nowhere/fuse-overlayfs']) {
      const fuse = new MountProgram(name);
      expect(await fuse.find()).toBeUndefined();
      await expect(fuse.mount(request())).rejects.toMatchObject({ code: 'DRIVER_PREREQUISITES' });
    }
  });
});

/** Waits for the end of a process that is not our child, or that Node reaps. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      const [, state] = /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? [];
      // Init may be slow to reap what was handed to it.
      if (state === 'Z' && !servers().includes(pid)) return;
    } catch {
      return;
    }
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
