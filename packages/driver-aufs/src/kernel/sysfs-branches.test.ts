import { describe, expect, it } from '@jest/globals';
import { branchIndex, parseSysfsBranch, sessionOf } from './sysfs-branches.js';

const parse = (text: string): unknown => parseSysfsBranch(Buffer.from(text));

describe("what the kernel shows of a union's branches", () => {
  it.each([
    ['/var/lib/aufs/diff/a=rw\n', { path: '/var/lib/aufs/diff/a', permission: 'rw' }],
    ['/diff/b=ro+wh\n', { path: '/diff/b', permission: 'ro+wh' }],
    ['/diff/b=ro', { path: '/diff/b', permission: 'ro' }],
    ['/diff/b=rw+nolwh\n', { path: '/diff/b', permission: 'rw' }],
    ['/with\\040blank/ü=ro+wh\n', { path: '/with blank/ü', permission: 'ro+wh' }],
  ])('%j', (text, branch) => {
    expect(parse(text)).toEqual(branch);
  });

  it('tells branches from their numbers and from other files', () => {
    expect(['br0', 'br12', 'brid0', 'xi_path', 'br'].map(branchIndex)).toEqual([
      0,
      12,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('finds the session among the options', () => {
    expect(sessionOf('rw,si=6e5b5d1a3f7c8e90,dio,dirperm1')).toBe('6e5b5d1a3f7c8e90');
    expect(sessionOf('si=00ff')).toBe('00ff');
    expect(sessionOf('rw,nosi=1')).toBeUndefined();
  });
});
