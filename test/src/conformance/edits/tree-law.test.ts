import { describe, expect, it } from '@jest/globals';
import type { TreeEntry, TreeSnapshot } from '../tree-snapshot.js';
import { afterLayer, changesOf, withLayerTimes, withTrueLinks } from './tree-law.js';

type Parts = Readonly<Record<string, Partial<TreeEntry>>>;

function tree(parts: Parts): TreeSnapshot {
  const all: Parts = { '/': {}, ...parts };
  const entries = Object.entries(all).map(([path, part]): TreeEntry => {
    const kind = part.kind ?? (path === '/' ? 'directory' : 'file');
    return { path, kind, mode: 0o644, ...part };
  });
  return { root: '/somewhere', entries, cut: false };
}

const directory = { kind: 'directory', mode: 0o755 } as const;

describe('what changed', () => {
  it.each<readonly [string, Parts, Parts, readonly string[]]>([
    ['an added directory and all it holds', {}, { '/d': directory, '/d/f': {} }, ['A /d', 'A /d/f']],
    ['only the top of what was deleted', { '/d': directory, '/d/f': {} }, {}, ['D /d']],
    [
      'a deletion, and the directory it was in',
      { '/d': directory, '/d/f': {} },
      { '/d': directory },
      ['C /d', 'D /d/f'],
    ],
    [
      'every directory above a change',
      { '/d': directory, '/d/e': directory, '/d/e/f': {} },
      { '/d': directory, '/d/e': directory, '/d/e/f': { mode: 0o600 } },
      ['C /d', 'C /d/e', 'C /d/e/f'],
    ],
    [
      'a directory that became a file, without what it held',
      { '/d': directory, '/d/f': {} },
      { '/d': {} },
      ['C /d'],
    ],
    [
      'a file that became a directory, with what it holds',
      { '/d': {} },
      { '/d': directory, '/d/f': {} },
      ['C /d', 'A /d/f'],
    ],
    [
      'no directory for its time',
      { '/d': { ...directory, mtime: '1' } },
      { '/d': { ...directory, mtime: '2' } },
      [],
    ],
    ['a file for its time', { '/f': { mtime: '1' } }, { '/f': { mtime: '2' } }, ['C /f']],
    ['an attribute', { '/f': { xattrs: { 'user.a': '00' } } }, { '/f': {} }, ['C /f']],
    ['no file for its other names', { '/f': { link: '/f' } }, { '/f': {} }, []],
    ['nothing of the root', { '/': { mode: 0o755 } }, { '/': { mode: 0o700 } }, []],
    ['content', { '/f': { digest: 'a' } }, { '/f': { digest: 'b' } }, ['C /f']],
  ])('names %s', (_what, before, after, changes) => {
    expect(changesOf(tree(after), tree(before))).toEqual(changes);
  });
});

it('links are told apart by the names that lie in the tree', () => {
  const snapshot = tree({ '/b': { link: 'x' }, '/a': { link: 'x' }, '/alone': { link: 'y' } });
  const links = withTrueLinks(snapshot).entries.map(({ path, link }) => [path, link]);
  expect(links).toEqual([
    ['/b', '/a'],
    ['/a', '/a'],
    ['/alone', undefined],
  ]);
});

it('a layer brings what changed, and what did not is as it was below', () => {
  const below = tree({ '/d': { ...directory, mtime: '1' }, '/kept': { mtime: '5' } });
  const newer = tree({ '/d': { ...directory, mtime: '2' }, '/kept': { mtime: '5' }, '/new': { mtime: '7' } });
  const result = afterLayer(below, newer, changesOf(newer, below));
  expect(result.entries.map(({ path, mtime }) => [path, mtime])).toEqual([
    ['/d', '1'],
    ['/kept', '5'],
    ['/new', '7'],
  ]);
});

it('a new name of a file that did not change is a file of its own after a layer', () => {
  const below = tree({ '/a': {} });
  const newer = tree({ '/a': { link: '/a' }, '/b': { link: '/a' }, '/c': { link: '/a' } });
  const { entries } = afterLayer(below, newer, changesOf(newer, below));
  expect(entries.map(({ path, link }) => [path, link])).toEqual([
    ['/a', undefined],
    ['/b', '/b'],
    ['/c', '/b'],
  ]);
});

it('times in layers are whole seconds since the epoch', () => {
  const snapshot = tree({ '/f': { mtime: '1999999999' }, '/old': { mtime: '-1500000000' }, '/none': {} });
  expect(withLayerTimes(snapshot).entries.map(({ mtime }) => mtime)).toEqual([
    undefined,
    '1000000000',
    '0',
    undefined,
  ]);
});
