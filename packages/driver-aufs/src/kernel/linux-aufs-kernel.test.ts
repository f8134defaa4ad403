import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { native } from '@x/native';
import { LinuxAufsKernel } from './linux-aufs-kernel.js';

/* What can be seen of the real one where there is no aufs. Where there is, the driver's suite runs on it. */

const kernel = new LinuxAufsKernel();
const hasAufs = readFileSync('/proc/filesystems', 'latin1').includes('\taufs\n');
const asRootWithAddon = native.available && process.geteuid?.() === 0 ? it : it.skip;

describe('the kernel of this machine', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'aufs-kernel-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('has pages of a size that plans can be made for', () => {
    expect([4096, 16_384, 65_536]).toContain(kernel.pageSize);
  });

  it('says whether it has aufs, and never throws', async () => {
    const refusal = await kernel.refusal();
    if (!hasAufs) expect(refusal).toMatchObject({ reason: expect.stringMatching(/aufs|addon/) });
    else if (native.available && process.geteuid?.() === 0) expect(refusal).toBeUndefined();
  });

  it('reads its table of mounts, and finds no union that is not there', async () => {
    const unions = await kernel.mounted();
    expect(unions.filter(({ mountPoint }) => mountPoint.startsWith(directory))).toEqual([]);
  });

  it('shows no branches of a session that is not there', async () => {
    expect(await kernel.branches({ mountPoint: directory, session: 'ffffffffffffffff' })).toBeUndefined();
  });

  asRootWithAddon('fails as the system calls do', async () => {
    const data = Buffer.from(`br:${directory}/missing=rw`);
    await expect(kernel.mount(directory, data)).rejects.toMatchObject({
      code: hasAufs ? 'EINVAL' : 'ENODEV',
    });
    await expect(kernel.umount(directory)).rejects.toMatchObject({ code: 'EINVAL' });
    await expect(kernel.umount(join(directory, 'nowhere'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('without auplink nothing is flushed, which is no failure', async () => {
    const { kind } = await kernel.flushPseudoLinks(directory);
    expect(['not-installed', 'flushed', 'again', 'failed']).toContain(kind);
    if (!hasAufs && kind === 'flushed') throw new Error('auplink flushed a directory that is no union');
  });
});
