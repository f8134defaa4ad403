import { describe, expect, it } from '@jest/globals';
import { errnoOf, LayerStoreError } from './errors.js';

describe('the errno of an error', () => {
  it.each([
    ['of node:fs', Object.assign(new Error('x'), { code: 'ENOENT', errno: -2 }), 'ENOENT'],
    ['of ours', new LayerStoreError('ARCHIVE_IO', 'x', { errno: 'EIO' }), 'EIO'],
    [
      'of a full quota, written to',
      Object.assign(new Error('x'), { code: 'UNKNOWN', errno: -122 }),
      'EDQUOT',
    ],
    [
      'of a full quota, made in',
      Object.assign(new Error('x'), { code: 'Unknown system error -122', errno: -122 }),
      'EDQUOT',
    ],
    [
      'of another that has no name',
      Object.assign(new Error('x'), { code: 'UNKNOWN', errno: -9999 }),
      undefined,
    ],
    ['of an error of Node', Object.assign(new Error('x'), { code: 'ERR_INVALID_ARG_TYPE' }), undefined],
    ['of no error', 'ENOENT', undefined],
    ['of nothing', null, undefined],
  ])('%s', (_what, error, errno) => {
    expect(errnoOf(error)).toBe(errno);
  });
});
