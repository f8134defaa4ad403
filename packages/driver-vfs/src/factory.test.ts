import { describe, expect, it } from '@jest/globals';
import { vfsDriver } from './factory.js';

const home = '/nowhere/vfs';

describe('vfs made by name', () => {
  it('takes its options as text, with and without the prefix', () => {
    expect(vfsDriver.create({ home, options: { rootless: 'true' } }).name).toBe('vfs');
    expect(vfsDriver.create({ home, options: { 'vfs.rootless': '0' } }).home).toBe(home);
  });

  it.each([
    ['a size, which plain directories cannot keep', { 'vfs.size': '10G' }, 'DRIVER_QUOTA_NOT_SUPPORTED'],
    ['an option it does not have', { 'vfs.siez': '10G' }, 'OPTION_UNKNOWN'],
    ['a flag that is neither true nor false', { rootless: 'perhaps' }, 'OPTION_INVALID'],
  ])('refuses %s', (_what, options, code) => {
    expect(() => vfsDriver.create({ home, options })).toThrow(expect.objectContaining({ code }));
  });
});
