import { describe, expect, it } from '@jest/globals';
import { parseMountOptions } from './mount-options.js';

describe('parseMountOptions', () => {
  it.each([
    ['', 0, 0, ''],
    ['defaults', 0, 0, ''],
    ['ro,noatime', 1 | 1024, 0, ''],
    ['ro,rw', 0, 0, ''],
    ['nosuid,nodev,noexec,dirsync,sync', 2 | 4 | 8 | 128 | 16, 0, ''],
    ['rbind', 4096 | 16384, 0, ''],
    ['bind,rprivate', 4096, (1 << 18) | 16384, ''],
    ['shared,slave', 0, (1 << 20) | (1 << 19), ''],
    ['nouuid,noatime,logbsize=256k', 1024, 0, 'nouuid,logbsize=256k'],
    ['relatime,strictatime', (1 << 21) | (1 << 24), 0, ''],
    ['a,,b,', 0, 0, 'a,b'],
    ['context="u:r:t:s0:c1,c2",ro', 1, 0, 'context="u:r:t:s0:c1,c2"'],
    ['toString,constructor', 0, 0, 'toString,constructor'],
  ])('%j', (options, flags, propagation, data) => {
    expect(parseMountOptions(options)).toEqual({ flags, propagation, data });
  });
});
