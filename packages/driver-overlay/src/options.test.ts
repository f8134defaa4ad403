import { describe, expect, it } from '@jest/globals';
import { IdMap } from '@x/archive';
import { parseQuota, resolveOverlayOptions } from './options.js';

const home = '/var/lib/layers/overlay2';

describe('options of the overlay driver', () => {
  it('have defaults, and cannot be changed afterwards', () => {
    const resolved = resolveOverlayOptions({ home });
    expect(resolved).toEqual({
      name: 'overlay2',
      home,
      layout: 'multi-lower',
      idMap: undefined,
      mountInterface: 'auto',
      mountProgram: undefined,
      mountOptions: [],
      size: undefined,
      inodes: undefined,
      rootless: undefined,
      onShortfall: undefined,
    });
    expect(Object.isFrozen(resolved)).toBe(true);
    expect(Object.isFrozen(resolved.mountOptions)).toBe(true);
  });

  it('give the driver its name', () => {
    expect(resolveOverlayOptions({ home, layout: 'hardlink' }).name).toBe('overlay');
    expect(resolveOverlayOptions({ home, mountProgram: 'fuse-overlayfs' }).name).toBe('fuse-overlayfs');
  });

  it('take sizes as numbers and as text', () => {
    expect(resolveOverlayOptions({ home, size: '1.5G', inodes: 10 })).toMatchObject({
      size: 1.5 * 1024 ** 3,
      inodes: 10,
    });
    expect(parseQuota('size', 4096)).toBe(4096);
  });

  it('take mount options apart and an id map as it is', () => {
    const idMap = new IdMap({ uids: [{ containerId: 0, hostId: 1000, size: 10 }] });
    const resolved = resolveOverlayOptions({ home, idMap, mountOptions: 'nodev,,volatile' });
    expect(resolved.mountOptions).toEqual(['nodev', 'volatile']);
    expect(resolved.idMap).toBe(idMap);
  });

  it.each([
    ['a relative home', { home: 'layers' }],
    ['a home with NUL', { home: '/a\0b' }],
    ['no home', { home: '' }],
    ['a layout there is not', { home, layout: 'flat' }],
    ['a mount interface there is not', { home, mountInterface: 'ioctl' }],
    ['an id map of another kind', { home, idMap: { uids: [] } }],
    ['an empty mount program', { home, mountProgram: '' }],
    ['a relative mount program', { home, mountProgram: './fuse' }],
    ['a mount program for hard links', { home, layout: 'hardlink', mountProgram: 'fuse-overlayfs' }],
    ['a size of nothing', { home, size: 0 }],
    ['a size that is none', { home, size: 'much' }],
    ['no inodes', { home, inodes: 0 }],
    ['a fraction of an inode', { home, inodes: 1.5 }],
    ['rootless as text', { home, rootless: 'yes' }],
    ['a callback that is none', { home, onShortfall: 'log' }],
    ['mount options that are none', { home, mountOptions: ['nodev'] }],
  ])('refuse %s', (_what, options) => {
    expect(() => resolveOverlayOptions(options as never)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    );
  });

  it.each([
    'lowerdir=/etc',
    'upperdir=x',
    'workdir=x',
    'index=on',
    'metacopy=on',
    'redirect_dir=on',
    'userxattr',
  ])('refuse the mount option %s, which is the driver’s own', (option) => {
    expect(() => resolveOverlayOptions({ home, mountOptions: `nodev,${option}` })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', option: 'mountOptions' }),
    );
  });

  it('refuse a key that is not known, and say which are', () => {
    expect(() => resolveOverlayOptions({ home, layuot: 'hardlink' } as never)).toThrow(
      expect.objectContaining({ code: 'OPTION_UNKNOWN', message: expect.stringContaining('layout') }),
    );
  });
});
