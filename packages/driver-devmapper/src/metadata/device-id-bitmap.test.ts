import { describe, expect, it } from '@jest/globals';
import { DeviceIdBitmap } from './device-id-bitmap.js';

describe('device ids', () => {
  it('begin with 1 on a new store and pass over what is taken', () => {
    const ids = new DeviceIdBitmap();
    ids.markUsed(2);
    expect([ids.next(), ids.next(), ids.next()]).toEqual([1, 3, 4]);
    expect(ids.last).toBe(4);
  });

  it('go on behind the last one, not with the smallest free one', () => {
    const ids = new DeviceIdBitmap(9);
    const first = ids.next();
    ids.markFree(first);
    expect([first, ids.next()]).toEqual([10, 11]);
  });

  it('wrap at 24 bits, id 0 included', () => {
    const ids = new DeviceIdBitmap(0xfffffe);
    expect([ids.next(), ids.next(), ids.next()]).toEqual([0xffffff, 0, 1]);
  });

  it('can be all handed out, and come back when one is freed', () => {
    const ids = new DeviceIdBitmap(0, 3);
    expect(Array.from({ length: 8 }, () => ids.next())).toEqual([1, 2, 3, 4, 5, 6, 7, 0]);
    expect(() => ids.next()).toThrow(expect.objectContaining({ code: 'DRIVER_FAILED' }));
    ids.markFree(5);
    expect(ids.isUsed(5)).toBe(false);
    expect(ids.next()).toBe(5);
  });

  it('of a record from elsewhere are cut to their width', () => {
    const ids = new DeviceIdBitmap(3);
    ids.continueBehind(0x1fffffe);
    expect(ids.next()).toBe(0xffffff);
  });
});
