import { describe, expect, it } from '@jest/globals';
import { DeviceNames, devicePrefix, MAX_DEVICE_NAME } from './device-names.js';

describe('names of devices', () => {
  it('begin with device and inode number of the home', () => {
    // makedev(8, 1) and makedev(253, 0x12345), as in linux/kdev_t.h
    expect(devicePrefix('docker', 0x801n, 1234n)).toBe('docker-8:1-1234');
    expect(devicePrefix('container', 0x1230fd45n, 7n)).toBe('container-253:74565-7');
  });

  it('are those of Docker', () => {
    const names = new DeviceNames('docker-8:1-1234');
    expect([names.pool, names.of(''), names.of('ab12')]).toEqual([
      'docker-8:1-1234-pool',
      'docker-8:1-1234-base',
      'docker-8:1-1234-ab12',
    ]);
    expect(new DeviceNames('docker-8:1-1234', 'vg-thinpool').pool).toBe('vg-thinpool');
  });

  it('tell ours from others, and the pool from what is on it', () => {
    const names = new DeviceNames('docker-8:1-1234');
    const candidates = ['docker-8:1-1234-ab', 'docker-8:1-1234-pool', 'docker-8:1-12345-ab', 'vg-lv'];
    expect(candidates.filter((name) => names.owns(name))).toEqual(['docker-8:1-1234-ab']);
  });

  it('that would be too long for the kernel are digests, different for different layers', () => {
    const names = new DeviceNames('docker-8:1-1234');
    const [a, b] = [names.of(`${'x'.repeat(199)}a`), names.of(`${'x'.repeat(199)}b`)];
    expect(a).not.toBe(b);
    expect(a.length).toBeLessThanOrEqual(MAX_DEVICE_NAME);
    expect(names.owns(a)).toBe(true);
  });
});
