import { describe, expect, it } from '@jest/globals';
import { isLayerStoreError } from '@x/archive';
import { callError } from './call-error.js';
import { parseMiscMinor } from './control-node.js';
import {
  DEVICE_MAPPER_ERRORS,
  type DeviceMapperReason,
  deviceMapperError,
  deviceMapperReason,
} from './device-mapper-error.js';
import { assertDeviceName, assertTarget } from './limits.js';

describe('device-mapper errors', () => {
  it.each(Object.entries(DEVICE_MAPPER_ERRORS))('%s is a coded error: %s', (name, code) => {
    const error = deviceMapperError(name as DeviceMapperReason, 'what happened', { name: 'pool' });
    expect(isLayerStoreError(error, code)).toBe(true);
    expect(deviceMapperReason(error)).toBe(name);
    expect(error).toMatchObject({ driver: 'devicemapper', subject: 'pool', message: 'what happened' });
  });

  it.each([
    ['EBUSY', 'Busy', 'DRIVER_BUSY'],
    ['ENXIO', 'Enxio', 'DRIVER_FAILED'],
    ['EEXIST', 'DeviceIDExists', 'DRIVER_FAILED'],
    ['ENODATA', 'NoData', 'DRIVER_FAILED'],
    ['EINVAL', 'TaskRun', 'DRIVER_FAILED'],
  ])('%s of a call is %s', (errno, reason, code) => {
    const error = callError('create', 'thing', errno);
    expect(deviceMapperReason(error)).toBe(reason);
    expect(error).toMatchObject({ code, errno, syscall: 'ioctl', subject: 'thing' });
    expect(error.message).toContain('create of thing');
  });

  it('are told apart by their mark, not by their message', () => {
    expect(deviceMapperReason(new Error('Busy'))).toBeUndefined();
    expect(deviceMapperReason(undefined)).toBeUndefined();
    expect(deviceMapperReason('Busy')).toBeUndefined();
  });

  it.each(['', 'a/b', 'a\0b', 'x'.repeat(128), 'é'.repeat(64)])('no device is named "%s"', (name) => {
    expect(() => assertDeviceName(name)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });

  it('a name of 127 bytes is accepted', () => {
    expect(() => assertDeviceName('x'.repeat(127))).not.toThrow();
  });

  it.each([
    [{ start: -1, length: 1, type: 'thin', params: '' }],
    [{ start: 0, length: 0, type: 'thin', params: '' }],
    [{ start: 0, length: 0.5, type: 'thin', params: '' }],
    [{ start: 0, length: 1, type: '', params: '' }],
    [{ start: 0, length: 1, type: 'x'.repeat(16), params: '' }],
    [{ start: 0, length: 1, type: 'thin', params: 'a\0b' }],
  ])('no table has the line %j', (target) => {
    let reason: unknown;
    try {
      assertTarget(target);
    } catch (error) {
      reason = deviceMapperReason(error);
    }
    expect(reason).toBe('TaskAddTarget');
  });

  it('the control device has the number that /proc/misc says', () => {
    expect(parseMiscMinor(' 59 foo\n236 device-mapper\n', 'device-mapper')).toBe(236);
    expect(parseMiscMinor('236 device\n', 'device-mapper')).toBeUndefined();
  });
});
