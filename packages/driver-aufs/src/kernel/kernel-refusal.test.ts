import { describe, expect, it } from '@jest/globals';
import { judgeKernel, type KernelFacts } from './kernel-refusal.js';

const GOOD: KernelFacts = {
  release: '6.1.0-18-amd64',
  addonMissing: undefined,
  uidMap: '         0          0 4294967295\n',
  status: 'Name:\tnode\nCapEff:\t000001ffffffffff\n',
  fileSystems: 'nodev\tsysfs\nnodev\taufs\n\text4\n',
  moduleFailure: undefined,
};

describe('whether a kernel can mount aufs', () => {
  it('it can', () => {
    expect(judgeKernel(GOOD)).toBeUndefined();
  });

  it('names the module that is missing and where to get it', () => {
    const refusal = judgeKernel({
      ...GOOD,
      fileSystems: 'nodev\tsysfs\n\text4\n',
      moduleFailure: 'Module aufs not found',
    });
    expect(refusal?.code).toBe('DRIVER_NOT_SUPPORTED');
    expect(refusal?.reason).toMatch(
      /kernel 6\.1\.0-18-amd64 has no aufs.*module aufs.*Module aufs not found/,
    );
    expect(refusal?.remedy).toMatch(/aufs-standalone for .*aufs-dkms.*modprobe aufs/);
  });

  it.each([
    ['no addon', { addonMissing: 'not built' }, 'DRIVER_PREREQUISITES', /addon: not built/],
    ['a user namespace', { uidMap: '0 100000 65536\n' }, 'DRIVER_NOT_SUPPORTED', /user namespace/],
    ['an unreadable id map', { uidMap: '' }, 'DRIVER_NOT_SUPPORTED', /user namespace/],
    ['no right to mount', { status: 'CapEff:\t0000000000000000\n' }, 'DRIVER_PREREQUISITES', /CAP_SYS_ADMIN/],
    [
      'another file system of a similar name',
      { fileSystems: 'nodev\taufs2\n' },
      'DRIVER_NOT_SUPPORTED',
      /no aufs/,
    ],
  ])('%s', (_what, facts, code, reason) => {
    const refusal = judgeKernel({ ...GOOD, ...facts });
    expect(refusal?.code).toBe(code);
    expect(refusal?.reason).toMatch(reason);
    expect(refusal?.remedy).not.toBe('');
  });
});
