import { describe, expect, it } from '@jest/globals';
import { quotaLimits } from './quota-limits.js';

const none = { size: undefined, inodes: undefined };

describe('limits of a read-write layer', () => {
  it('are its own options, else the driver’s', () => {
    expect(quotaLimits({ size: '1.5k', inodes: '7' }, none)).toEqual({ size: 1536, inodes: 7 });
    expect(quotaLimits({ size: '1M' }, { size: 5, inodes: 6 })).toEqual({ size: 1024 * 1024, inodes: 6 });
    expect(quotaLimits(undefined, { size: 5, inodes: undefined })).toEqual({ size: 5 });
  });

  it('are none where nobody says one, or 0 is said', () => {
    expect(quotaLimits({}, none)).toBeUndefined();
    expect(quotaLimits({ size: '0', inodes: '0' }, { size: 5, inodes: 6 })).toBeUndefined();
  });

  it.each([
    [{ size: 'all' }, 'OPTION_INVALID'],
    [{ size: '-1' }, 'OPTION_INVALID'],
    [{ inodes: '1.5' }, 'OPTION_INVALID'],
    [{ inodes: '' }, 'OPTION_INVALID'],
    [{ inodes: '99999999999999999999' }, 'OPTION_INVALID'],
    [{ sise: '1G' }, 'OPTION_UNKNOWN'],
  ])('%j is refused', (storageOpt, code) => {
    expect(() => quotaLimits(storageOpt as Record<string, string>, none)).toThrow(
      expect.objectContaining({ code }),
    );
  });
});
