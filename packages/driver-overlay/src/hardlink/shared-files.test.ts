import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { formatChange, type TarEntryInput, type TarHeaderInit, writeTar } from '@x/archive';
import { layerSource } from '@x/layer-store';
import { native } from '@x/native';
import type { OverlayDriver } from '../overlay-driver.js';
import { IS_ROOT, TestArea } from '../test-area.test-support.js';
import { openHardlink, plant } from './layers.test-support.js';

const withMounts = IS_ROOT && native.available ? describe : describe.skip;
const bytes = (text: string): Buffer => Buffer.from(text);
const LATER = { seconds: 1_700_000_000, nanoseconds: 0 };

/** A base with one of everything that an entry of a layer could change in place. */
function plantBase(root: string): void {
  const files = [
    'etc/same',
    'etc/mode',
    'etc/owner',
    'etc/time',
    'etc/xattr',
    'etc/acl',
    'etc/size',
    'bin/suid',
    'bin/caps',
    'links/a',
    'links/target',
    'links/other',
    'dir/f',
    'opaque/f',
    'gone/f',
    'file-to-dir',
    'file-to-link',
    'file-to-fifo',
    'dir-to-file/f',
    'untouched/f',
  ];
  plant(root, Object.fromEntries(files.map((path) => [path, `content of ${path}`])));
  linkSync(join(root, 'links/a'), join(root, 'links/b'));
  symlinkSync('etc/same', join(root, 'symlink'));
  execFileSync('mkfifo', [join(root, 'fifo')]);
  execFileSync('setfattr', ['-n', 'user.x', '-v', 'old', join(root, 'etc/xattr')]);
  execFileSync('setfattr', ['-n', 'user.d', '-v', 'old', join(root, 'dir')]);
  execFileSync('setcap', ['cap_net_raw+ep', join(root, 'bin/caps')]);
  chownSync(join(root, 'etc/owner'), 11, 12);
  chmodSync(join(root, 'bin/suid'), 0o4755);
  chmodSync(join(root, 'dir'), 0o1777);
}

function entry(
  kind: TarHeaderInit['kind'],
  name: string,
  more: Partial<TarHeaderInit> = {},
  body = '',
): TarEntryInput {
  const header = { kind, name: bytes(name), mode: 0o644, mtime: LATER, ...more };
  return kind === 'file' ? { header: { ...header, size: body.length }, body: bytes(body) } : { header };
}

const file = (name: string, more: Partial<TarHeaderInit> = {}, body = `content of ${name}`): TarEntryInput =>
  entry('file', name, more, body);
const xattr = (name: string, value: string): Partial<TarHeaderInit> => ({
  xattrs: [{ name: bytes(name), value: bytes(value) }],
});

/** Everything a layer can say about a path that is there already. */
const LAYER: readonly TarEntryInput[] = [
  file('etc/same', { mtime: { seconds: 1, nanoseconds: 0 } }),
  file('etc/mode', { mode: 0o600 }),
  file('etc/owner', { uid: 5, gid: 6 }),
  file('etc/time'),
  file('etc/xattr', xattr('user.x', 'new')),
  file('etc/acl', xattr('user.y', 'new')),
  file('etc/size', {}, 'longer than it was before, by far'),
  file('bin/suid', { mode: 0o755 }),
  file('bin/caps', { mode: 0o755 }),
  file('links/a', {}, 'new'),
  // A link to a file of the parent, with metadata of its own; then the file itself, then the link as a file.
  entry('hardlink', 'links/more', {
    linkName: bytes('links/target'),
    mode: 0o4777,
    uid: 9,
    ...xattr('user.l', '1'),
  }),
  entry('hardlink', 'links/replaced', { linkName: bytes('links/other') }),
  file('links/replaced', { mode: 0o600 }, 'replaced'),
  entry('hardlink', 'links/keeps', { linkName: bytes('links/other') }),
  file('links/other', { mode: 0o640 }, 'other now'),
  entry('directory', 'dir/', { mode: 0o700, uid: 3, gid: 4, ...xattr('user.d', 'new') }),
  entry('directory', 'opaque/', { mode: 0o755 }),
  file('opaque/.wh..wh..opq', {}, ''),
  file('opaque/mine'),
  file('.wh.gone', {}, ''),
  file('untouched/.wh.f', {}, ''),
  entry('directory', 'file-to-dir/', { mode: 0o755 }),
  file('file-to-dir/inside'),
  entry('symlink', 'file-to-link', { linkName: bytes('etc/same') }),
  entry('fifo', 'file-to-fifo', { mode: 0o600 }),
  file('dir-to-file'),
  file('symlink', {}, 'no link any more'),
  file('fifo', {}, 'no fifo any more'),
  entry('directory', './', { mode: 0o711 }),
];

/** Everything but the number of links and the time of the last change, which links alter, of everything in a tree. */
function snapshot(root: string, path = ''): string[] {
  return readdirSync(join(root, path))
    .sort()
    .flatMap((name) => {
      const inner = join(path, name);
      const full = join(root, inner);
      const { ino, mode, uid, gid, size, mtimeNs, rdev } = lstatSync(full, { bigint: true });
      const stat = lstatSync(full);
      const content = stat.isFile()
        ? createHash('sha1').update(readFileSync(full)).digest('hex')
        : stat.isSymbolicLink()
          ? readlinkSync(full)
          : '';
      const line = [
        inner,
        ino,
        mode.toString(8),
        uid,
        gid,
        rdev,
        mtimeNs,
        stat.isFile() ? size : '',
        content,
      ];
      return [line.join(' '), ...(stat.isDirectory() ? snapshot(root, inner) : [])];
    });
}

const attributes = (root: string): string =>
  execFileSync('getfattr', ['-R', '-d', '-m', '-', '-h', '.'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'ignore'],
  }).toString();

withMounts.each([
  ['with the addon', false],
  ['without the addon', true],
])('unpacking onto shared files, %s', (_how, portable) => {
  let area: TestArea;
  let home: string;
  let driver: OverlayDriver;

  beforeEach(async () => {
    area = new TestArea();
    home = area.at('overlay');
    driver = await openHardlink(home);
    await driver.create('base');
    await driver.withMount('base', async (root) => plantBase(root));
    await driver.create('child', 'base');
  });
  afterEach(async () => {
    await driver.close();
    area[Symbol.dispose]();
  });

  const base = (): string => join(home, 'base/root');
  const child = (): string => join(home, 'child/root');
  const apply = (entries: readonly TarEntryInput[], id = 'child', parent = 'base'): Promise<number> =>
    driver.applyDiff(id, parent, layerSource(writeTar(entries), { portable }));

  it('changes nothing of the parent, whatever a layer says about its paths', async () => {
    const before = [snapshot(base()), attributes(base())];
    await apply(LAYER);
    expect([snapshot(base()), attributes(base())]).toEqual(before);
    // It did arrive in the child.
    expect(statSync(join(child(), 'etc/mode')).mode & 0o777).toBe(0o600);
    expect(statSync(join(child(), 'dir')).mode & 0o7777).toBe(0o700);
    expect(statSync(child()).mode & 0o7777).toBe(0o711);
    expect(readdirSync(join(child(), 'opaque'))).toEqual(['mine']);
    expect(readFileSync(join(child(), 'links/b'), 'utf8')).toBe('content of links/a');
    expect(readFileSync(join(child(), 'links/keeps'), 'utf8')).toBe('content of links/other');
    expect(readFileSync(join(child(), 'links/replaced'), 'utf8')).toBe('replaced');
  });

  it('a layer that changes only metadata of a file gives the child a file of its own', async () => {
    await apply([file('etc/mode', { mode: 0o600 }), file('etc/xattr', xattr('user.x', 'new'))]);
    for (const path of ['etc/mode', 'etc/xattr']) {
      expect(statSync(join(child(), path)).ino).not.toBe(statSync(join(base(), path)).ino);
    }
    expect(statSync(join(child(), 'etc/same')).ino).toBe(statSync(join(base(), 'etc/same')).ino);
    const changes = (await driver.changes('child', 'base')).map(formatChange);
    expect(changes).toEqual(['C /etc', 'C /etc/mode', 'C /etc/xattr']);
  });

  it('a link to a file of the parent is a further link, and its header changes nothing', async () => {
    await apply(LAYER.filter(({ header }) => header.kind === 'hardlink'));
    const target = statSync(join(base(), 'links/target'));
    expect(statSync(join(child(), 'links/more')).ino).toBe(target.ino);
    expect([target.mode & 0o7777, target.uid]).toEqual([0o644, 0]);
  });

  it('the same holds two layers up, and for every layer below', async () => {
    await apply([file('etc/same', {}, 'child'), entry('directory', 'dir/', { mode: 0o755 })]);
    await driver.create('grandchild', 'child');
    const before = [base(), child()].map((root) => [snapshot(root), attributes(root)]);
    await apply(LAYER, 'grandchild', 'child');
    expect([base(), child()].map((root) => [snapshot(root), attributes(root)])).toEqual(before);
  });

  it('writing through a mount of the child copies first', async () => {
    await apply([file('new')]);
    await driver.createReadWrite('rw', 'child');
    const before = [snapshot(base()), attributes(base())];
    await driver.withMount('rw', async (root) => {
      for (const path of ['etc/same', 'bin/caps', 'links/a']) {
        chmodSync(join(root, path), 0o600);
        execFileSync('setfattr', ['-n', 'user.new', '-v', 'x', join(root, path)]);
        plant(root, { [path]: 'written' });
      }
      mkdirSync(join(root, 'dir/sub'));
    });
    expect([snapshot(base()), attributes(base())]).toEqual(before);
  });
});
