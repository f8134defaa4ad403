import { describe, expect, it } from '@jest/globals';
import { grantsChown } from './privileges.js';
import { mapsEveryId } from './probe/user-namespace.js';

describe('what the process may do', () => {
  it('giving files away takes CAP_CHOWN in the effective set', () => {
    expect(grantsChown('CapPrm:\t0000000000000000\nCapEff:\t000001fffeffffff\n')).toBe(true);
    expect(grantsChown('CapPrm:\t000001ffffffffff\nCapEff:\t000001fffffffffe\n')).toBe(false);
    expect(grantsChown('Name:\tnode\n')).toBe(false);
  });

  it('only the initial user namespace maps every id to itself', () => {
    expect(mapsEveryId('         0          0 4294967295\n')).toBe(true);
    expect(mapsEveryId('         0      65534          1\n')).toBe(false);
    expect(mapsEveryId('         0     100000      65536\n')).toBe(false);
    expect(mapsEveryId('         0          0      65536\n')).toBe(false);
    expect(mapsEveryId('')).toBe(false);
  });
});
