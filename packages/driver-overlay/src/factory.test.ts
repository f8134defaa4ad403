import { describe, expect, it } from '@jest/globals';
import { fuseOverlayfsDriver, overlay2Driver, overlayDriver } from './factory.js';
import { OverlayDriver } from './overlay-driver.js';

const home = '/nowhere/layers';

describe('the overlay drivers by name', () => {
  it.each([
    [overlay2Driver, 'overlay2', false],
    [overlayDriver, 'overlay', true],
    [fuseOverlayfsDriver, 'fuse-overlayfs', false],
  ])('%# are called what their drivers are called', (factory, name, deprecated) => {
    expect(factory.name).toBe(name);
    expect(factory.deprecated ?? false).toBe(deprecated);
    const driver = factory.create({ home });
    expect(driver).toBeInstanceOf(OverlayDriver);
    expect([driver.name, driver.home]).toEqual([name, home]);
  });

  it('differ in what they share, and in who mounts', () => {
    expect(overlayDriver.create({ home }).capabilities).toMatchObject({
      hardlinks: true,
      whiteouts: 'delete',
    });
    expect(overlay2Driver.create({ home }).capabilities).toMatchObject({
      hardlinks: false,
      whiteouts: 'overlay',
    });
    expect(fuseOverlayfsDriver.create({ home }).capabilities).toMatchObject({
      whiteouts: 'aufs',
      rootless: true,
    });
  });

  it.each([
    { mountopt: 'nodev' },
    { 'overlay.mountopt': 'nodev' },
    { 'overlay2.rootless': 'true' },
    { 'Overlay2.Rootless': 'true' },
    { 'overlay2.override_kernel_check': '1' },
    { 'overlay.mount_interface': 'mount' },
  ])('take %j', (options) => {
    expect(overlay2Driver.create({ home, options })).toBeInstanceOf(OverlayDriver);
  });

  it('hand options on', () => {
    const options = { 'overlay2.rootless': 'true' };
    expect((overlay2Driver.create({ home, options }) as OverlayDriver).rootless).toBe(true);
    expect((overlay2Driver.create({ home, options: { rootless: 'false' } }) as OverlayDriver).rootless).toBe(
      false,
    );
    // A limit is refused where nothing can keep it, so it was handed on.
    expect(() => overlay2Driver.create({ home, options: { 'overlay2.size': '10G' } })).toThrow(
      expect.objectContaining({ code: 'DRIVER_QUOTA_NOT_SUPPORTED' }),
    );
    expect(() => overlay2Driver.create({ home, options: { inodes: '10' } })).toThrow(
      expect.objectContaining({ code: 'DRIVER_QUOTA_NOT_SUPPORTED' }),
    );
  });

  it('a mount program is for the driver that is called so', () => {
    const options = { 'overlay.mount_program': '/opt/bin/fuse-overlayfs' };
    expect(fuseOverlayfsDriver.create({ home, options }).name).toBe('fuse-overlayfs');
    expect(() => overlay2Driver.create({ home, options })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', option: 'mount_program' }),
    );
  });

  it.each([
    [{ rootless: 'maybe' }, 'OPTION_INVALID'],
    [{ 'overlay2.override_kernel_check': 'x' }, 'OPTION_INVALID'],
    [{ inodes: 'many' }, 'OPTION_INVALID'],
    [{ size: 'large' }, 'OPTION_INVALID'],
    [{ mount_interface: 'ioctl' }, 'OPTION_INVALID'],
    [{ mountopt: 'metacopy=on' }, 'OPTION_INVALID'],
    [{ 'overlay2.sise': '1' }, 'OPTION_UNKNOWN'],
    [{ 'overlay2.overlay.size': '1' }, 'OPTION_UNKNOWN'],
    [{ 'vfs.size': '1' }, 'OPTION_UNKNOWN'],
  ])('refuse %j', (options, code) => {
    expect(() => overlay2Driver.create({ home, options: options as Record<string, string> })).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it('probe without throwing', async () => {
    for (const factory of [overlay2Driver, overlayDriver, fuseOverlayfsDriver]) {
      expect(await factory.probe('/proc/self/status/x')).toMatchObject({ supported: false });
    }
  });
});
