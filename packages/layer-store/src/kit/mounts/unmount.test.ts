import { mkdir, mkdtemp, open, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { native } from '@x/native';
import { isMountPoint, unmount, unmountBelow } from './unmount.js';

const canMount = native.available && process.getuid?.() === 0;
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp('/dev/shm/unmount-');
});
afterEach(async () => {
  if (canMount) await unmountBelow(directory);
  await rm(directory, { recursive: true });
});

async function mountTmpfs(...names: string[]): Promise<string> {
  const target = path.join(directory, ...names);
  await mkdir(target, { recursive: true });
  if (native.available) native.calls.mountSync('none', target, 'tmpfs');
  return target;
}

(canMount ? describe : describe.skip)('unmounting (root and the addon)', () => {
  it('says whether there was anything to unmount', async () => {
    const target = await mountTmpfs('a');
    expect(await isMountPoint(target)).toBe(true);
    expect(await unmount(target)).toBe(true);
    expect(await isMountPoint(target)).toBe(false);
    expect(await unmount(target)).toBe(false);
    expect(await unmount(path.join(directory, 'absent'))).toBe(false);
  });

  it('a mount in use is DRIVER_BUSY, unless it may be lazy', async () => {
    const target = await mountTmpfs('a');
    await using _held = await open(target, 'r');
    await expect(unmount(target)).rejects.toMatchObject({
      code: 'DRIVER_BUSY',
      path: target,
      errno: 'EBUSY',
    });
    expect(await isMountPoint(target)).toBe(true);
    expect(await unmount(target, { lazy: true })).toBe(true);
    expect(await isMountPoint(target)).toBe(false);
  });

  it('follows no symbolic link', async () => {
    const target = await mountTmpfs('a');
    await symlink(target, path.join(directory, 'link'));
    expect(await unmount(path.join(directory, 'link'))).toBe(false);
    expect(await isMountPoint(target)).toBe(true);
  });

  it('takes everything below a directory away, nested and stacked, and nothing beside it', async () => {
    const inside = await mountTmpfs('a', 'b');
    await mountTmpfs('a', 'b', 'c');
    await mountTmpfs('a', 'b', 'c');
    const beside = await mountTmpfs('ab');
    await unmountBelow(path.join(directory, 'a'));
    expect(await isMountPoint(inside)).toBe(false);
    expect(await isMountPoint(path.join(inside, 'c'))).toBe(false);
    expect(await isMountPoint(beside)).toBe(true);
  });
});

(native.available ? it.skip : it)('without the addon says so', async () => {
  await expect(unmount(directory)).rejects.toMatchObject({ code: 'NATIVE_UNAVAILABLE' });
});
