import { describe, expect, it } from '@jest/globals';
import { median } from './statistics.js';

describe('median', () => {
  it('is the middle value, whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5);
  });
  it('of an even number is the mean of the two in the middle', () => {
    expect(median([1, 10, 2, 4])).toBe(3);
  });
  it('of nothing is refused', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});
