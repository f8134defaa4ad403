import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { native } from '@x/native';
import { unmountBelow } from '../mounts/unmount.js';
import { removeRobustly } from './remove-robustly.js';

const canMount = native.available && process.getuid?.() === 0;
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp('/dev/shm/remove-');
});
afterEach(async () => {
  if (canMount) await unmountBelow(directory);
  await rm(directory, { recursive: true, force: true });
});

it('removes a tree; an absent one is done', async () => {
  await mkdir(path.join(directory, 'a/b'), { recursive: true });
  await writeFile(path.join(directory, 'a/b/file'), 'x');
  await removeRobustly(path.join(directory, 'a'));
  await expect(stat(path.join(directory, 'a'))).rejects.toMatchObject({ code: 'ENOENT' });
  await removeRobustly(path.join(directory, 'a'));
});

(canMount ? describe : describe.skip)('with mounts in the way (root and the addon)', () => {
  it('detaches them first', async () => {
    const target = path.join(directory, 'a/merged');
    await mkdir(target, { recursive: true });
    if (native.available) native.calls.mountSync('none', target, 'tmpfs');
    await writeFile(path.join(target, 'file'), 'x');
    await removeRobustly(path.join(directory, 'a'));
    await expect(stat(path.join(directory, 'a'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
