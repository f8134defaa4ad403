import { chmod, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { itWith, nativeAddon, rootPrivilege } from '../../capability/capability.js';
import { WORK_DIRECTORY } from '../machine.test-support.js';
import {
  type Applier,
  attributes,
  device,
  directory,
  fifo,
  file,
  hardLink,
  holdsOnly,
  removed,
  renamed,
  symbolicLink,
  tree,
} from './index.js';

const TIME = 1_600_000_000_123_456_789n;
let root: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(WORK_DIRECTORY, 'appliers-'));
});

afterEach(() => rm(root, { recursive: true, force: true }));

/** What an applier makes it accepts; what `spoil` makes of that it refuses. */
async function expectToNotice(applier: Applier, spoil: Applier, message: RegExp): Promise<void> {
  await applier.apply(root);
  await applier.check(root);
  await spoil.apply(root);
  await expect(applier.check(root)).rejects.toThrow(message);
}

describe('appliers check what they make', () => {
  it('a file: content', () => expectToNotice(file('d/f', 'right'), file('d/f', 'wrong'), /other content/));
  it('a file: size', () =>
    expectToNotice(file('f', 'right'), file('f', 'right!'), /expected size 5, found 6/));
  it('a file: presence', () => expectToNotice(file('f', 'x'), removed('f'), /cannot be looked up: ENOENT/));
  it('a file: mode', () =>
    expectToNotice(file('f', 'x'), attributes('f', { mode: 0o600 }), /expected mode 0644, found 0600/));
  it('a file: kind', () =>
    expectToNotice(file('f', 'x'), tree(removed('f'), directory('f')), /not a regular file/));
  it('a directory: kind', () =>
    expectToNotice(directory('d'), tree(removed('d'), file('d', 'x')), /not a directory/));
  it('a directory: special bits', () =>
    expectToNotice(
      directory('d', { mode: 0o1777 }),
      attributes('d', { mode: 0o777 }),
      /expected mode 01777/,
    ));
  it('a symbolic link: target', () =>
    expectToNotice(
      symbolicLink('l', 'a'),
      tree(removed('l'), symbolicLink('l', 'b')),
      /expected target a, found b/,
    ));
  it('a hard link: identity, not content', () =>
    expectToNotice(
      tree(file('f', 'x'), hardLink('g', 'f')),
      tree(removed('g'), file('g', 'x')),
      /not the same file as f/,
    ));
  it('a removal', () => expectToNotice(tree(file('f', 'x'), removed('f')), file('f', 'x'), /still there/));
  it('a rename: the old name', () =>
    expectToNotice(tree(file('f', 'x'), renamed('f', 'g')), file('f', 'y'), /still there/));
  it('the names of a directory', () =>
    expectToNotice(
      tree(file('d/f', 'x'), holdsOnly('d', 'f')),
      file('d/g', 'y'),
      /expected names f, found f, g/,
    ));

  const withAddon = itWith(nativeAddon());
  withAddon('a time, to the nanosecond', () =>
    expectToNotice(file('f', 'x', { mtime: TIME }), attributes('f', { mtime: TIME + 1n }), /expected mtime/),
  );
  withAddon('a time of a symbolic link, not of its target', async () => {
    await tree(file('f', 'x', { mtime: TIME }), symbolicLink('l', 'f', { mtime: TIME + 5n })).apply(root);
    await tree(file('f', 'x', { mtime: TIME }), symbolicLink('l', 'f', { mtime: TIME + 5n })).check(root);
  });
  withAddon('an xattr', () =>
    expectToNotice(
      file('f', 'x', { xattrs: { 'user.a': 'one' } }),
      attributes('f', { xattrs: { 'user.a': 'two' } }),
      /expected xattr user\.a/,
    ),
  );
  withAddon('a fifo', () => expectToNotice(fifo('p'), tree(removed('p'), file('p', '')), /no fifo/));

  const asRoot = itWith(rootPrivilege(), nativeAddon());
  asRoot('an owner', () =>
    expectToNotice(
      file('f', 'x', { owner: [1, 2] }),
      attributes('f', { owner: [1, 3] }),
      /expected owner 1:2, found 1:3/,
    ),
  );
  asRoot('a device: its number, also one that does not fit the old encoding', () =>
    expectToNotice(
      device('n', 'char', [4095, 1_048_575]),
      tree(removed('n'), device('n', 'char', [4095, 1_048_574])),
      /expected device number/,
    ),
  );
  asRoot('a device: its kind', () =>
    expectToNotice(
      device('n', 'block', [1, 3]),
      tree(removed('n'), device('n', 'char', [1, 3])),
      /no block device/,
    ),
  );
  asRoot('setuid bits survive the change of owner that is applied with them', async () => {
    await file('f', 'x', { mode: 0o6755, owner: [1, 2] }).apply(root);
    await file('f', 'x', { mode: 0o6755, owner: [1, 2] }).check(root);
  });

  it('in a tree the last word on an object is the one that is checked', async () => {
    const changed = tree(file('f', 'first'), file('f', 'second'));
    await changed.apply(root);
    await changed.check(root);
    await chmod(path.join(root, 'f'), 0o600);
    await expect(changed.check(root)).rejects.toThrow(/mode/);
  });

  it('names that are not UTF-8 are bytes', async () => {
    const name = Buffer.from([0x66, 0xff, 0xfe]);
    await file(name, 'x').apply(root);
    await file(name, 'x').check(root);
    await expect(file('f\ufffd\ufffd', 'x').check(root)).rejects.toThrow(/ENOENT/);
  });
});
