import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AufsDriver } from '../aufs-driver.js';
import { AufsKernelModel } from '../kernel-model/aufs-kernel-model.js';
import { probeAufs } from './probe-aufs.js';

const on = (name: string) => async () => ({ name, type: 0, device: 1n });

describe('probing for aufs', () => {
  let directory: string;
  const kernel = new AufsKernelModel();
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'aufs-probe-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('accepts a home that can be made, and makes nothing', async () => {
    const home = join(directory, 'not/yet');
    expect(await probeAufs(home, kernel, on('extfs'))).toEqual({ supported: true, warnings: [] });
    expect(existsSync(join(directory, 'not'))).toBe(false);
  });

  it.each(['aufs', 'btrfs', 'ecryptfs', 'overlay'])('refuses a home on %s', async (name) => {
    expect(await probeAufs(directory, kernel, on(name))).toMatchObject({
      supported: false,
      code: 'DRIVER_INCOMPATIBLE_FS',
      reason: expect.stringContaining(name),
    });
  });

  it.each(['extfs', 'xfs', 'tmpfs', '<unknown>'])('accepts one on %s', async (name) => {
    expect(await probeAufs(directory, kernel, on(name))).toMatchObject({ supported: true });
  });

  it.each([
    ['a colon', 'a:b'],
    ['a comma', 'a,b'],
    ['an equals sign', 'a=b'],
  ])('refuses a home with %s, and so does open', async (_what, name) => {
    const home = join(directory, name);
    expect(await probeAufs(home, kernel)).toMatchObject({ supported: false, code: 'DRIVER_PREREQUISITES' });
    await expect(new AufsDriver({ home, kernel }).open()).rejects.toMatchObject({
      code: 'DRIVER_PREREQUISITES',
    });
    expect(existsSync(home)).toBe(false);
  });

  it('refuses a home that is a file, or where nothing can be made', async () => {
    writeFileSync(join(directory, 'file'), '');
    expect(await probeAufs(join(directory, 'file'), kernel)).toMatchObject({ code: 'DRIVER_PREREQUISITES' });
    expect(await probeAufs('/proc/self/nowhere/home', kernel)).toMatchObject({ supported: false });
  });

  it('passes on what the kernel says, and a driver that cannot run does not open', async () => {
    const refusal = { code: 'DRIVER_NOT_SUPPORTED', reason: 'no aufs', remedy: 'get it' } as const;
    const without = new AufsKernelModel({ refusal });
    expect(await probeAufs(directory, without)).toEqual({ supported: false, ...refusal });
    const home = join(directory, 'home');
    await expect(new AufsDriver({ home, kernel: without }).open()).rejects.toMatchObject({
      code: 'DRIVER_NOT_SUPPORTED',
      message: expect.stringContaining('get it'),
    });
    expect(existsSync(home)).toBe(false);
  });
});
