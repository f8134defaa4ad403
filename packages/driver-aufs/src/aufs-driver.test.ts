import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AufsDriver } from './aufs-driver.js';
import { AufsKernelModel } from './kernel-model/aufs-kernel-model.js';
import {
  apply,
  bytesOf,
  content,
  entryNames,
  KERNELS,
  listing,
  names,
  shown,
  TestBed,
  writeAt,
} from './test-bed.test-support.js';

for (const { name, missing } of KERNELS)
  if (missing !== undefined) console.warn(`skipped on ${name}: ${missing}`);

describe.each(KERNELS)('aufs driver on $name', ({ make, missing }) => {
  const test = missing === undefined ? it : it.skip;
  let bed: TestBed;
  let driver: AufsDriver;

  beforeEach(async () => {
    if (missing !== undefined) return;
    bed = new TestBed(make());
    driver = bed.driver;
    await driver.open();
  });

  afterEach(async () => {
    if (missing === undefined) await bed.close();
  });

  const edit = (id: string, change: (root: string) => void): Promise<void> =>
    driver.withMount(id, async (root) => change(root));

  test('makes its directories, and nobody else may look in (NewDriver, CreateDirStructure)', () => {
    expect(driver.name).toBe('aufs');
    for (const directory of ['', 'layers', 'diff', 'mnt']) {
      expect(lstatSync(bed.at(directory)).mode & 0o7777).toBe(0o710);
    }
  });

  test('opens a home that is there, and two instances at once (NewDriverFromExistingDir)', async () => {
    await driver.create('one');
    const second = bed.another();
    await second.open();
    expect(await second.exists('one')).toBe(true);
    await second.create('two', 'one');
    expect(await driver.list()).toEqual(['one', 'two']);
    await second.close();
  });

  test('a layer is a list and two directories (CreateNewDir, CreateNewDirStructure)', async () => {
    await driver.create('a');
    await driver.create('b', 'a');
    await driver.create('c', 'b');
    for (const id of ['a', 'b', 'c']) {
      expect(lstatSync(bed.at('diff', id)).mode & 0o7777).toBe(0o755);
      expect(lstatSync(bed.at('mnt', id)).isDirectory()).toBe(true);
    }
    expect(readFileSync(bed.at('layers/a'), 'utf8')).toBe('');
    expect(readFileSync(bed.at('layers/b'), 'utf8')).toBe('a\n');
    expect(readFileSync(bed.at('layers/c'), 'utf8')).toBe('b\na\n');
  });

  test('removal leaves nothing (RemoveImage)', async () => {
    await driver.create('a');
    await driver.remove('a');
    for (const directory of ['layers', 'diff', 'mnt']) expect(readdirSync(bed.at(directory))).toEqual([]);
    expect(await driver.exists('a')).toBe(false);
    await driver.remove('a');
  });

  test('a layer without parent needs no union (GetWithoutParent)', async () => {
    await driver.create('a');
    expect(await driver.get('a')).toBe(bed.at('diff/a'));
    expect(await bed.kernel.mounted()).toEqual([]);
    await driver.put('a');
  });

  test('a layer with one is a union of its ancestors (MountWithParent, MountedTrueResponse)', async () => {
    await driver.create('a');
    await edit('a', (root) => writeAt(root, 'dir/of-a', 'a'));
    await driver.create('b', 'a');
    expect(await driver.get('b')).toBe(bed.at('mnt/b'));
    expect(await bed.kernel.mounted()).toMatchObject([{ mountPoint: bed.at('mnt/b') }]);
    expect(names(bed.at('mnt/b/dir'))).toEqual(['of-a']);
    await driver.put('b');
    expect(await bed.kernel.mounted()).toEqual([]);
    expect(names(bed.at('mnt/b'))).toEqual([]);
  });

  test('the branches are those of the lists, each with its permission', async () => {
    for (const [id, parent] of [['a'], ['b', 'a'], ['c', 'b']] as const) await driver.create(id, parent);
    await driver.get('c');
    const [union] = await bed.kernel.mounted();
    expect(union && (await bed.kernel.branches(union))).toEqual([
      { path: bed.at('diff/c'), permission: 'rw' },
      { path: bed.at('diff/b'), permission: 'ro+wh' },
      { path: bed.at('diff/a'), permission: 'ro+wh' },
    ]);
    await driver.put('c');
  });

  test('a mounted layer is not removed before it is given up (RemoveMountedDir)', async () => {
    await driver.create('a');
    await driver.create('b', 'a');
    await driver.get('b');
    await expect(driver.remove('b')).rejects.toMatchObject({ code: 'DRIVER_BUSY' });
    await driver.put('b');
    await driver.remove('b');
    expect(names(bed.at('mnt'))).toEqual(['a']);
  });

  test('a parent that is not there leaves no trace (CreateWithInvalidParent)', async () => {
    await expect(driver.create('b', 'nothing')).rejects.toMatchObject({ code: 'DRIVER_ID_UNKNOWN' });
    for (const directory of ['layers', 'diff', 'mnt']) expect(readdirSync(bed.at(directory))).toEqual([]);
  });

  test('what is changed in the union is in the branch, deletions as marks (GetDiff)', async () => {
    await driver.create('a');
    await edit('a', (root) => {
      writeAt(root, 'kept', 'kept');
      writeAt(root, 'gone', 'gone');
      writeAt(root, 'replaced/old', 'old');
      chmodSync(join(root, 'replaced'), 0o700);
    });
    await driver.create('b', 'a');
    await edit('b', (root) => {
      writeFileSync(join(root, 'kept'), 'changed');
      rmSync(join(root, 'gone'));
      rmSync(join(root, 'replaced'), { recursive: true });
      mkdirSync(join(root, 'replaced'));
      writeAt(root, 'replaced/new', 'new');
      writeAt(root, 'short-lived', '');
      rmSync(join(root, 'short-lived'));
    });
    expect(names(bed.at('diff/b'))).toEqual(['.wh.gone', 'kept', 'replaced']);
    expect(readdirSync(bed.at('diff/b/replaced')).sort()).toEqual(['.wh..wh..opq', 'new']);
    expect(readFileSync(bed.at('diff/a/kept'), 'utf8')).toBe('kept');
    await edit('b', (root) => {
      expect(readdirSync(root).sort()).toEqual(['kept', 'replaced']);
      expect(readdirSync(join(root, 'replaced'))).toEqual(['new']);
    });
    expect(entryNames(await bytesOf(driver.diff('b', 'a')))).toEqual([
      '.wh.gone',
      'kept',
      'replaced/',
      'replaced/new',
      'replaced/.wh.old',
    ]);
  });

  test('changes are additions until something is changed again (Changes)', async () => {
    await driver.create('1');
    await driver.create('2', '1');
    await edit('2', (root) => writeAt(root, 'test.txt', 'x'));
    expect(shown(await driver.changes('2', '1'))).toEqual(['A /test.txt']);
    await driver.create('3', '2');
    await edit('3', (root) => writeAt(root, 'test2.txt', 'x'));
    expect(shown(await driver.changes('3', '2'))).toEqual(['A /test2.txt']);
    await edit('3', (root) => rmSync(join(root, 'test.txt')));
    expect(shown(await driver.changes('3', '2'))).toEqual(['A /test2.txt', 'D /test.txt']);
  });

  test('changes and diffs are seen while the union is mounted', async () => {
    await driver.create('a');
    await driver.create('b', 'a');
    const root = await driver.get('b');
    writeAt(root, 'file', 'x');
    expect(shown(await driver.changes('b', 'a'))).toEqual(['A /file']);
    expect(await driver.diffSize('b', 'a')).toBe(1);
    expect(entryNames(await bytesOf(driver.diff('b', 'a')))).toEqual(['file']);
    await using source = await driver.fileSource('b');
    expect(readFileSync(join(source.roots[0] ?? '', 'file'), 'utf8')).toBe('x');
    await driver.put('b');
  });

  test('a sparse file counts with its length, a child of it nothing (DiffSize, ChildDiffSize)', async () => {
    await driver.create('1');
    await edit('1', (root) => {
      writeFileSync(join(root, 'sparse'), '');
      truncateSync(join(root, 'sparse'), 1024);
    });
    expect(await driver.diffSize('1')).toBe(1024);
    await driver.create('2', '1');
    expect(await driver.diffSize('2', '1')).toBe(0);
  });

  test('has four items of status, in order (Status)', async () => {
    await driver.create('1');
    const status = await driver.status();
    expect(status.map(([key]) => key)).toEqual([
      'Root Dir',
      'Backing Filesystem',
      'Dirs',
      'Dirperm1 Supported',
    ]);
    expect(status[0]?.[1]).toBe(bed.home);
    expect(status[2]?.[1]).toBe('1');
    expect(status[3]?.[1]).toMatch(/^(true|false)$/);
    expect(await driver.metadata('1')).toEqual({});
    expect(names(bed.home)).toEqual(['.lock', 'diff', 'layers', 'mnt']);
  });

  test('what is unpacked shows through the unions above (ApplyDiff)', async () => {
    await driver.create('1');
    expect(await apply(driver, '1', undefined, { 'etc/': '', 'etc/a': 'from 1', gone: 'x' })).toBe(7);
    await driver.create('2', '1');
    await apply(driver, '2', '1', { 'etc/': '', 'etc/b': 'from 2', '.wh.gone': '' });
    await driver.create('3', '2');
    await edit('3', (root) => {
      expect(readdirSync(root)).toEqual(['etc']);
      expect(readFileSync(join(root, 'etc/a'), 'utf8')).toBe('from 1');
      expect(readFileSync(join(root, 'etc/b'), 'utf8')).toBe('from 2');
    });
  });

  test('native changes, sizes and diffs are those of comparing the trees', async () => {
    await driver.create('1');
    await edit('1', (root) => {
      for (let index = 0; index < 30; index++) writeAt(root, `d${index % 5}/f${index}`, content(200, index));
    });
    await driver.create('2', '1');
    await edit('2', (root) => {
      for (let index = 0; index < 30; index += 3)
        writeAt(root, `d${index % 5}/f${index}`, content(200, index + 99));
      for (let index = 1; index < 30; index += 3) rmSync(join(root, `d${index % 5}/f${index}`));
      rmSync(join(root, 'd2'), { recursive: true });
      writeAt(root, 'd2', 'a file now');
    });
    await driver.create('3', '2');
    // For a layer that is not its parent the trees are compared.
    const native = await driver.changes('2', '1');
    expect(shown(await driver.changes('3', '1'))).toEqual(shown(native));
    expect(native.length).toBeGreaterThan(20);
    expect(await driver.diffSize('3', '1')).toBe(await driver.diffSize('2', '1'));
    expect((await bytesOf(driver.diff('3', '1'))).equals(await bytesOf(driver.diff('2', '1')))).toBe(true);
  });

  test('126 layers, every tenth deleting a file of its parent: all arrive (MountMoreThan42Layers)', async () => {
    for (let index = 1; index <= 126; index++) {
      const parent = index === 1 ? undefined : String(index - 1);
      await driver.create(String(index), parent);
      const deletes = index % 10 === 0 ? { [`.wh.file-${index - 1}`]: '' } : {};
      await apply(driver, String(index), parent, { ...deletes, [`file-${index}`]: `${index}` });
    }
    const root = await driver.get('126');
    expect(names(root)).toHaveLength(126 - 12);
    for (let index = 1; index <= 126; index++) {
      expect(existsSync(join(root, `file-${index}`))).toBe(index % 10 !== 9);
    }
    await driver.put('126');
    await driver.create('127', '126');
    await expect(driver.create('128', '127')).rejects.toMatchObject({ code: 'LAYER_MAX_DEPTH' });
    expect(await driver.exists('128')).toBe(false);
  }, 120_000);

  test('removals that were interrupted are finished by the next open (InitStaleCleanup)', async () => {
    await driver.close();
    for (const path of ['diff/123-removing/sub/file', 'mnt/123-removing/x', 'diff/7-1-removing/y']) {
      writeAt(bed.home, path, 'rest');
    }
    chmodSync(bed.at('diff/123-removing/sub'), 0o500);
    await driver.open();
    for (const directory of ['diff', 'mnt']) expect(readdirSync(bed.at(directory))).toEqual([]);
  });

  test('many users of many layers on one parent (ConcurrentAccess)', async () => {
    await driver.create('parent');
    await edit('parent', (root) => writeAt(root, 'file', 'x'));
    const ids = Array.from({ length: 20 }, (_, index) => `child-${index}`);
    for (const id of ids) await driver.create(id, 'parent');
    await Promise.all(
      ids.flatMap((id) => [0, 1, 2].map(() => edit(id, (root) => expect(names(root)).toEqual(['file'])))),
    );
    expect(await bed.kernel.mounted()).toEqual([]);
    await Promise.all(ids.map((id) => driver.remove(id)));
    expect(await driver.list()).toEqual(['parent']);
  });

  test('cleanup unmounts everything and deletes nothing (CleanupWithNoDirs, CleanupWithDir)', async () => {
    await driver.cleanup();
    await driver.create('a');
    await driver.create('b', 'a');
    await driver.get('b');
    await driver.cleanup();
    expect(await bed.kernel.mounted()).toEqual([]);
    expect(await driver.list()).toEqual(['a', 'b']);
  });

  test('a child looks like its parent at the root too', async () => {
    await driver.create('a');
    await edit('a', (root) => chmodSync(root, 0o711));
    await driver.create('b', 'a');
    await edit('b', (root) => {
      expect(lstatSync(root).mode & 0o7777).toBe(0o711);
      chmodSync(root, 0o700);
    });
    expect(lstatSync(bed.at('diff/b')).mode & 0o7777).toBe(0o700);
    expect(lstatSync(bed.at('mnt/b')).mode & 0o7777).toBe(0o755);
  });

  test('a second union on the same branch is refused', async () => {
    await driver.create('a');
    await driver.create('b', 'a');
    await driver.get('b');
    mkdirSync(join(bed.base, 'elsewhere'));
    const data = `xino=${bed.base}/xino-other,br:${bed.at('diff/c')}=rw`;
    await driver.create('c', 'a');
    await bed.kernel.mount(join(bed.base, 'elsewhere'), Buffer.from(data));
    await expect(driver.get('c')).rejects.toMatchObject({ code: 'DRIVER_BUSY' });
    await bed.kernel.umount(join(bed.base, 'elsewhere'));
    await driver.get('c');
    await driver.put('c');
    await driver.put('b');
  });
});

describe('bookkeeping of aufs', () => {
  let bed: TestBed;
  beforeEach(async () => {
    bed = await TestBed.onModel();
  });
  afterEach(() => bed.close());

  it('is in no export, and the digest is that of a layer that never had it', async () => {
    const { driver } = bed;
    await apply(driver, await created(driver, 'base'), undefined, { 'd/': '', 'd/f': 'x', gone: 'y' });
    await driver.create('clean', 'base');
    await apply(driver, 'clean', 'base', { 'd/': '', 'd/g': 'z', '.wh.gone': '' });
    await driver.create('used', 'base');
    await apply(driver, 'used', 'base', { 'd/': '', 'd/g': 'z', '.wh.gone': '' });
    await driver.withMount('used', async () => {});
    for (const path of [
      '.wh..wh.plnk/12345.67',
      '.wh..wh.orph/x',
      '.wh..wh.other',
      '.wh..wh.dir/deep/file',
    ]) {
      writeAt(bed.at('diff/used'), path, 'bookkeeping');
    }
    expect(readdirSync(bed.at('diff/used'))).toContain('.wh..wh.aufs');

    const clean = await bytesOf(driver.diff('clean', 'base'));
    expect(entryNames(clean)).toEqual(['d/', 'd/g', '.wh.gone']);
    expect((await bytesOf(driver.diff('used', 'base'))).equals(clean)).toBe(true);
    expect((await bytesOf(driver.diff('used'))).equals(await bytesOf(driver.diff('clean')))).toBe(true);
    expect(shown(await driver.changes('used', 'base'))).toEqual(['A /d/g', 'C /d', 'D /gone']);
    expect(await driver.diffSize('used', 'base')).toBe(1);
    await driver.withMount('used', async (root) => expect(readdirSync(root)).toEqual(['d']));
    // As the lower branch of another layer it is not seen either.
    await driver.create('child', 'used');
    await driver.withMount('child', async (root) => expect(readdirSync(root)).toEqual(['d']));
    expect((await bytesOf(driver.diff('child', 'base'))).equals(clean)).toBe(true);
  });

  it('of a layer without parent is in no export either, marks of the kind Docker leaves there included', async () => {
    const { driver } = bed;
    await driver.create('base');
    await apply(driver, 'base', undefined, { 'd/': '', 'd/f': 'x' });
    const clean = await bytesOf(driver.diff('base'));
    for (const path of ['.wh..wh.aufs', '.wh..wh.plnk/1', '.wh.nothing', 'd/.wh..wh..opq', 'd/.wh.gone']) {
      writeAt(bed.at('diff/base'), path, '');
    }
    expect(shown(await driver.changes('base'))).toEqual(['A /d', 'A /d/f']);
    const { mtime } = lstatSync(bed.at('diff/base/d/f'));
    expect(mtime.getTime()).toBe(1_000_000_000_000);
    expect(entryNames(await bytesOf(driver.diff('base')))).toEqual(entryNames(clean));
  });

  it('a first layer with deletions is a plain tree: there is nothing below that they could hide', async () => {
    const { driver } = bed;
    await driver.create('base');
    await apply(driver, 'base', undefined, {
      '.wh.x': '',
      'd/': '',
      'd/.wh..wh..opq': '',
      'd/f': '1',
      '.wh.d': '',
    });
    expect(listing(bed.at('diff/base')).map((line) => line.split(' ')[0])).toEqual(['/d', '/d/f']);
  });
});

describe('a layer that is changed behind its union', () => {
  let bed: TestBed;
  beforeEach(async () => {
    bed = await TestBed.onModel();
  });
  afterEach(() => bed.close());

  // When a real aufs notices is its own affair (udba); the model asks it to be settled.
  it('what is unpacked while the layer is mounted is seen there', async () => {
    const { driver } = bed;
    await driver.create('1');
    await apply(driver, '1', undefined, { old: 'x' });
    await driver.create('2', '1');
    const root = await driver.get('2');
    writeAt(root, 'mine', 'x');
    await apply(driver, '2', '1', { '.wh.old': '', new: 'y' });
    expect(names(root)).toEqual(['mine', 'new']);
    await driver.put('2');
    expect(names(bed.at('diff/2'))).toEqual(['.wh.old', 'mine', 'new']);
  });
});

async function created(driver: AufsDriver, id: string): Promise<string> {
  await driver.create(id);
  return id;
}

describe('a home whose paths make the page end in a branch', () => {
  // As in MountMoreThan42LayersMatchingPathLength: the length of the home decides where byte 4095 falls.
  for (let padding = 0; padding < 40; padding += 4) {
    it(`${padding} bytes longer: every branch arrives (MountMoreThan42LayersMatchingPathLength)`, async () => {
      const kernel = new AufsKernelModel();
      const bed = new TestBed(kernel, { maxMountOptions: 80 });
      const home = join(bed.base, 'h'.repeat(60 + padding), 'aufs');
      const driver = new AufsDriver({ home, kernel, xino: join(bed.base, 'xino'), maxMountOptions: 80 });
      await driver.open();
      for (let index = 0; index < 45; index++) {
        await driver.create(`l${index}`, index === 0 ? undefined : `l${index - 1}`);
        writeAt(join(home, 'diff', `l${index}`), `f${index}`, 'x');
      }
      expect(names(await driver.get('l44'))).toHaveLength(45);
      expect(kernel.calls.filter((call) => call.startsWith('remount')).length).toBeGreaterThan(0);
      await driver.close();
      await bed.close();
      expect(kernel.violations).toEqual([]);
    });
  }
});
