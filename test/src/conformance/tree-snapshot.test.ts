import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { itWith, nativeAddon, rootPrivilege } from '../capability/capability.js';
import type { Applier } from './appliers/index.js';
import {
  attributes,
  device,
  directory,
  file,
  hardLink,
  removed,
  symbolicLink,
  tree,
} from './appliers/index.js';
import { expectSameTree } from './expectation.js';
import { WORK_DIRECTORY } from './machine.test-support.js';
import { treeDifference } from './tree-difference.js';
import { describeEntry, snapshotTree } from './tree-snapshot.js';

const TIME = 1_600_000_000_000_000_000n;
const FIXTURE = tree(
  file('d/f', 'content'),
  hardLink('d/same', 'd/f'),
  file('d/other', 'content'),
  symbolicLink('l', 'd/f'),
  directory('e'),
);

let base: string;

beforeEach(async () => {
  base = await mkdtemp(path.join(WORK_DIRECTORY, 'snapshot-'));
});

afterEach(() => rm(base, { recursive: true, force: true }));

async function made(name: string, ...parts: readonly Applier[]): Promise<string> {
  const root = path.join(base, name);
  await tree(directory(name), attributes(name, { mode: 0o755 })).apply(base);
  await tree(FIXTURE, ...parts).apply(root);
  return root;
}

async function differenceOf(...parts: readonly Applier[]): Promise<readonly string[]> {
  const [expected, actual] = [await made('expected'), await made('actual', ...parts)];
  const options = { times: 'none' } as const;
  return treeDifference(await snapshotTree(expected, options), await snapshotTree(actual, options));
}

describe('tree snapshots', () => {
  it('two trees made alike do not differ', async () => {
    expect(await differenceOf()).toEqual([]);
  });

  it.each<[string, Applier, string[]]>([
    ['content of the same size', file('d/other', 'CONTENT'), ['/d/other', '/d/other']],
    ['a mode', attributes('e', { mode: 0o700 }), ['/e', '/e']],
    ['special bits', attributes('e', { mode: 0o1755 }), ['/e', '/e']],
    ['an addition', file('d/more', ''), ['/d/more']],
    ['a removal', removed('e'), ['/e']],
    ['a link target', tree(removed('l'), symbolicLink('l', 'd/x')), ['/l', '/l']],
    ['a kind', tree(removed('e'), file('e', '', { mode: 0o755 })), ['/e', '/e']],
    [
      'names that are no longer one file',
      tree(removed('d/same'), file('d/same', 'content')),
      ['/d/f', '/d/f', '/d/same', '/d/same'],
    ],
  ])('%s is a difference', async (_what, edit, paths) => {
    const lines = await differenceOf(edit);
    expect(lines.map((line) => line.split(' ')[1])).toEqual(paths);
  });

  itWith(nativeAddon())('an xattr and a nanosecond are differences', async () => {
    const [expected, actual] = [await made('expected'), await made('actual')];
    await attributes('d/f', { xattrs: { 'user.a': 'x' }, mtime: TIME + 1n }).apply(expected);
    await attributes('d/f', { xattrs: { 'user.a': 'y' }, mtime: TIME + 2n }).apply(actual);
    const lines = async (options: object) =>
      treeDifference(await snapshotTree(expected, options), await snapshotTree(actual, options));
    const onlyFile = (line: string): boolean => /^. \/d\/f /.test(line);
    expect((await lines({ precision: 'seconds' })).filter(onlyFile)).toEqual([
      expect.stringMatching(/^- .*mtime 1600000000000000000 .*user\.a=0x78$/),
      expect.stringMatching(/^\+ .*mtime 1600000000000000000 .*user\.a=0x79$/),
    ]);
    expect((await lines({ xattrs: false })).filter(onlyFile).join('\n')).toMatch(
      /000000001 .*\n.*000000002 /,
    );
    expect((await lines({ xattrs: false, precision: 'seconds' })).filter(onlyFile)).toEqual([]);
  });

  itWith(rootPrivilege(), nativeAddon())('owners and device numbers are differences', async () => {
    const lines = await differenceOf(attributes('e', { owner: [5, 6] }), device('n', 'char', [1, 3]));
    expect(lines).toEqual([
      '- /e directory 0755 0:0',
      '+ /e directory 0755 5:6',
      expect.stringMatching(/^\+ \/n char 0600 0:0 device 1:3$/),
    ]);
  });

  it('a file whose other names are elsewhere is an ordinary one', async () => {
    const root = await made('tree', file('alone', 'x'));
    await hardLink('outside', 'tree/alone').apply(base);
    const { entries } = await snapshotTree(root);
    expect(entries.find((entry) => entry.path === '/alone')).not.toHaveProperty('link');
    expect(entries.find((entry) => entry.path === '/d/same')).toHaveProperty('link', '/d/f');
  });

  it('what a file system keeps at its top is not part of a layer, and a long tree can be cut', async () => {
    const root = await made('tree', directory('lost+found'), directory('d/lost+found'));
    const paths = (await snapshotTree(root)).entries.map((entry) => entry.path);
    expect(paths).toContain('/d/lost+found');
    expect(paths).not.toContain('/lost+found');
    const short = await snapshotTree(root, { limit: 3 });
    expect(short.entries.map(describeEntry)).toHaveLength(3);
    expect(short.cut).toBe(true);
  });

  it('a comparison that fails carries both trees', async () => {
    const [expected, actual] = [await made('expected'), await made('actual', file('new', 'x'))];
    await expect(expectSameTree(actual, expected, 'the copy', { times: 'none' })).rejects.toMatchObject({
      message: expect.stringMatching(/^the copy: 1 difference/),
      trees: { expected: { root: expected }, actual: { root: actual } },
    });
  });
});
