import { describe, expect, it } from '@jest/globals';
import { currentPrivileges, parsePrivileges } from './privileges.js';

describe('privileges', () => {
  it('reads the effective set', () => {
    const all = { chown: true, mknod: true, fileCapabilities: true };
    expect(parsePrivileges('Name:\tnode\nCapPrm:\t0\nCapEff:\t000001ffffffffff\nCapBnd:\t0\n')).toEqual(all);
    // Docker's default set for containers: chown, mknod and setfcap among others.
    expect(parsePrivileges('CapEff:\t00000000a80425fb\n')).toEqual(all);
    expect(parsePrivileges('CapEff:\t00000000a00425fa\n')).toEqual({
      chown: false,
      mknod: false,
      fileCapabilities: true,
    });
  });

  it('grants nothing without one', () => {
    const none = { chown: false, mknod: false, fileCapabilities: false };
    expect(parsePrivileges('CapEff:\t0000000000000000\n')).toEqual(none);
    expect(parsePrivileges('')).toEqual(none);
  });

  it('of this process are those of its user', () => {
    if (process.getuid?.() !== 0) expect(currentPrivileges().chown).toBe(false);
    else expect(typeof currentPrivileges().chown).toBe('boolean');
  });
});
