import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import { paxHeaderName } from './pax-header-name.js';

describe('name of a pax header', () => {
  it.each([
    ['file', 'PaxHeaders.0/file'],
    ['a/b/file', 'a/b/PaxHeaders.0/file'],
    ['a/b/', 'a/b/PaxHeaders.0'],
    ['./file', 'PaxHeaders.0/file'],
    ['../file', '../PaxHeaders.0/file'],
    ['../../file', '../../PaxHeaders.0/file'],
    ['/abs/file', '/abs/PaxHeaders.0/file'],
    ['/../file', '/PaxHeaders.0/file'],
    ['a/../file', 'PaxHeaders.0/file'],
    ['a//b/./file', 'a/b/PaxHeaders.0/file'],
    ['a/..', 'a'],
    ['..', '.'],
    ['', 'PaxHeaders.0'],
    ['caf\xe9/\xff', 'caf/PaxHeaders.0'],
    [`${'d'.repeat(86)}/file`, `${'d'.repeat(86)}/PaxHeaders.0`],
    [`${'d'.repeat(200)}/file`, 'd'.repeat(100)],
  ])('%s → %s', (name, expected) => {
    expect(paxHeaderName(Buffer.from(name, 'latin1'))).toBe(expected);
  });
});
