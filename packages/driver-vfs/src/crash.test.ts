import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type FSWatcher, mkdtempSync, readdirSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { content, edit, listing, writeAt } from './tree-on-disk.test-support.js';
import { VfsDriver } from './vfs-driver.js';

const SCRIPT = fileURLToPath(new URL('./crash-run.test-support.js', import.meta.url));

let base: string;
let home: string;
let expected: readonly string[];
let child: ChildProcess | undefined;
let watcher: FSWatcher | undefined;

beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'vfs-crash-'));
  home = join(base, 'vfs');
  await using driver = new VfsDriver({ home });
  await driver.open();
  await driver.create('base');
  await edit(driver, 'base', (root) => {
    for (let index = 0; index < 300; index++) writeAt(root, `d${index % 20}/f${index}`, content(2000, index));
  });
  expected = listing(join(home, 'dir', 'base'));
});

afterEach(() => {
  watcher?.close();
  child?.kill('SIGKILL');
  rmSync(base, { recursive: true, force: true });
});

describe('a process that is killed', () => {
  // What the directory shows in the moment of the kill: a copy under way, a finished one, a removal under way.
  for (const [moment, name] of [
    ['while it copies', '.tmp-child'],
    ['when it has put the copy in its place', 'child'],
    ['while it removes', '.trash-child'],
  ] as const) {
    it(`${moment} leaves a layer that is whole or gone`, async () => {
      const seen = new Promise<void>((resolve) => {
        watcher = watch(join(home, 'dir'), (_event, file) => {
          if (file === name) resolve();
        });
      });
      child = spawn(process.execPath, [SCRIPT, home], { stdio: 'inherit' });
      const exited = once(child, 'exit');
      await seen;
      child.kill('SIGKILL');
      expect((await exited)[1]).toBe('SIGKILL');

      await using driver = new VfsDriver({ home });
      await driver.open();
      expect(readdirSync(join(home, 'dir')).filter((entry) => entry.startsWith('.'))).toEqual([]);
      expect(listing(join(home, 'dir', 'base'))).toEqual(expected);
      if (await driver.exists('child')) {
        expect(listing(join(home, 'dir', 'child'))).toEqual(expected);
        await driver.remove('child');
      }
      await driver.create('child', 'base');
      expect(listing(join(home, 'dir', 'child'))).toEqual(expected);
    });
  }
});
