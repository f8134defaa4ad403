import { describe, expect, it } from '@jest/globals';
import { PatternMatcher } from './pattern-matcher.js';

/** Pattern, path, whether it is excluded: the table of Docker's pattern matcher, and what it got wrong once. */
const CASES: readonly (readonly [patterns: string | readonly string[], path: string, excluded: boolean])[] = [
  ['**', 'file', true],
  ['**', 'file/', true],
  ['**/', 'file', true],
  ['**', '/', true],
  ['**', 'dir/file', true],
  ['**/**', 'dir/file', true],
  ['dir/**', 'dir/file', true],
  ['dir/**', 'dir/dir2/file', true],
  ['dir/**', 'dir', false],
  ['**/dir', 'dir', true],
  ['**/dir2/*', 'dir/dir2/file', true],
  ['**/dir2/**', 'dir/dir2/dir2/file', true],
  ['**file', 'file', true],
  ['**file', 'dir/file', true],
  ['**/file', 'dir/file', true],
  ['**file', 'dir/dir/file', true],
  ['**/file*', 'dir/dir/file.txt', true],
  ['**/file*txt', 'dir/dir/file.txt', true],
  ['**/file*.txt*', 'dir/dir/file.txt', true],
  ['**/**/*.txt', 'dir/dir/file.txt', true],
  ['**/**/*.txt2', 'dir/dir/file.txt', false],
  ['**/*.txt', 'file.txt', true],
  ['a**/*.txt', 'a/file.txt', true],
  ['a**/*.txt', 'a/dir/dir/file.txt', true],
  ['a[b-d]e', 'ae', false],
  ['a[b-d]e', 'ace', true],
  ['a[b-d]e', 'aae', false],
  ['a[^b-d]e', 'aze', true],
  ['a[^b-d]e', 'a/e', false],
  ['a[\\^]b', 'a^b', true],
  ['.*', '.foo', true],
  ['.*', 'foo', false],
  ['abc.def', 'abcdef', false],
  ['abc.def', 'abc.def', true],
  ['abc.def', 'abcZdef', false],
  ['abc?def', 'abcZdef', true],
  ['abc?def', 'abc/def', false],
  ['a?c', 'aéc', true],
  ['a\\\\', 'a\\', true],
  ['a\\*b', 'a*b', true],
  ['a\\*b', 'axb', false],
  ['**/foo/bar', 'foo/bar', true],
  ['**/foo/bar', 'dir/foo/bar', true],
  ['abc/**', 'abc/def/ghi', true],
  ['**/.foo', '.foo', true],
  ['**/.foo', 'bar.foo', false],
  ['./bar.*', 'bar.txt', true],
  ['a/../b', 'b', true],
  ['a(b)', 'a(b)', true],
  ['a|b', 'a', false],
  ['a|b', 'a|b', true],
  ['{a}', '{a}', true],
  ['+', '+', true],
  ['*', 'a/b', true],
  ['a', 'a/b/c', true],
  ['*', '.', false],
  [['*', '!util/docker/web'], 'util/docker/web/foo', false],
  [['*', '!util/docker/web', 'util/docker/web/foo'], 'util/docker/web/foo', true],
  [['!dir', 'dir'], 'dir/file', true],
  [['dir', '!dir/keep'], 'dir/keep', false],
  [['dir1/*/', '!dir1/dir2/file'], 'dir1/dir2/file', false],
  [['dir*', '!dirx/keep', 'dirx'], 'dirx/keep', true],
  [['', '  ', 'x'], 'x', true],
  [[], 'x', false],
];

describe('exclude patterns (PatternMatcher)', () => {
  it.each(CASES)('%j on %j: %s', (patterns, path, excluded) => {
    const matcher = new PatternMatcher(typeof patterns === 'string' ? [patterns] : patterns);
    const clean = path === '/' ? path : path.replace(/\/$/, '');
    expect(matcher.excludes(clean)).toBe(excluded);
  });

  it.each(['!', ' ! ', '[', '[]', '[^]', 'a[b-', 'a[-b]', '[z-a]', 'a\\'])('%j is malformed', (pattern) => {
    expect(() => new PatternMatcher([pattern])).toThrow(
      expect.objectContaining({ code: 'ARCHIVE_PATTERN_INVALID' }),
    );
  });

  it('enters an excluded directory only when an exception may name something in it', () => {
    const matcher = new PatternMatcher(['dir', 'other', '!dir/sub/keep']);
    expect(['dir', 'dir/sub', 'dir/else', 'other'].map((path) => matcher.mayHoldExceptions(path))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});
