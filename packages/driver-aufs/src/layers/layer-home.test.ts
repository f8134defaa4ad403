import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { native } from '@x/native';
import { AufsDriver } from '../aufs-driver.js';
import { AufsKernelModel } from '../kernel-model/aufs-kernel-model.js';
import { listing, names, TestBed, writeAt } from '../test-bed.test-support.js';
import type { AufsWarning } from '../warning.js';
import { lockFile } from './file-lock.js';

const withAddon = native.available ? it : it.skip;

describe('a home with what should not be there', () => {
  let bed: TestBed;
  let driver: AufsDriver;
  let warnings: AufsWarning[];

  beforeEach(async () => {
    warnings = [];
    bed = new TestBed(new AufsKernelModel(), { onWarning: (warning) => warnings.push(warning) });
    driver = bed.driver;
    await driver.open();
    await driver.create('a');
    writeAt(bed.at('diff/a'), 'file', 'of a');
    await driver.create('b', 'a');
    writeAt(bed.at('diff/b'), 'file', 'of b');
  });
  afterEach(() => bed.close());

  it('directories without a list are remnants of a create or a removal, and go with the next open', async () => {
    writeAt(bed.home, 'diff/half/made', 'x');
    mkdirSync(bed.at('mnt/half'));
    mkdirSync(bed.at('mnt/other'));
    writeFileSync(bed.at('layers/.tmp-1234'), 'a\n');
    mkdirSync(bed.at('.scratch-dead/union'), { recursive: true });
    await bed.reopen();
    expect(names(bed.at('diff'))).toEqual(['a', 'b']);
    expect(names(bed.at('mnt'))).toEqual(['a', 'b']);
    expect(names(bed.at('layers'))).toEqual(['a', 'b']);
    expect(names(bed.home)).toEqual(['.lock', 'diff', 'layers', 'mnt']);
    expect(warnings).toEqual([]);
  });

  it("what cannot be a layer's is somebody else's and stays", async () => {
    const before = listing(bed.at('diff/a'));
    for (const path of ['diff/lost+found/x', 'diff/.hidden/x', 'layers/.directory', 'README']) {
      writeAt(bed.home, path, 'mine');
    }
    writeFileSync(bed.at('diff/notes.txt'), 'mine');
    symlinkSync('/etc', bed.at('diff/link'));
    const again = await bed.reopen();
    for (const path of [
      'diff/lost+found/x',
      'diff/.hidden/x',
      'layers/.directory',
      'README',
      'diff/notes.txt',
    ]) {
      expect(readFileSync(bed.at(path), 'utf8')).toBe('mine');
    }
    expect(existsSync(bed.at('diff/link/passwd'))).toBe(true);
    expect(await again.list()).toEqual(['a', 'b']);
    expect((await again.status())[2]).toEqual(['Dirs', '2']);
    expect(listing(bed.at('diff/a'))).toEqual(before);
  });

  it('lists that are lost are not taken for layers that are gone', async () => {
    await driver.close();
    rmSync(bed.at('layers'), { recursive: true });
    await expect(bed.another().open()).rejects.toMatchObject({ code: 'DRIVER_STATE_DAMAGED' });
    expect(readFileSync(bed.at('diff/a/file'), 'utf8')).toBe('of a');
    mkdirSync(bed.at('layers'));
    writeFileSync(bed.at('layers/a'), '');
    writeFileSync(bed.at('layers/b'), 'a\n');
    const again = await bed.reopen();
    await again.withMount('b', async (root) => {
      expect(readFileSync(join(root, 'file'), 'utf8')).toBe('of b');
    });
  });

  withAddon('while another instance makes a layer nothing of it is swept', async () => {
    const making = await lockFile(bed.at('.lock'), 'shared');
    mkdirSync(bed.at('diff/new'));
    await bed.reopen();
    expect(existsSync(bed.at('diff/new'))).toBe(true);
    await making.close();
    await bed.reopen();
    expect(existsSync(bed.at('diff/new'))).toBe(false);
  });

  it('a list that is damaged is a coded error for its layer, and for no other', async () => {
    writeFileSync(bed.at('layers/b'), '\0\0');
    const again = await bed.reopen();
    await expect(again.get('b')).rejects.toMatchObject({
      code: 'DRIVER_STATE_DAMAGED',
      path: bed.at('layers/b'),
    });
    await expect(again.create('c', 'b')).rejects.toMatchObject({ code: 'DRIVER_STATE_DAMAGED' });
    await again.withMount('a', async (root) => expect(names(root)).toEqual(['file']));
    await again.remove('b');
    expect(await again.list()).toEqual(['a']);
  });

  it.each([
    ['its own', 'diff/b'],
    ["an ancestor's", 'diff/a'],
  ])('a branch that has vanished, %s, is a coded error, and nothing is mounted', async (_what, path) => {
    rmSync(bed.at(path), { recursive: true });
    for (const use of [
      (): Promise<unknown> => driver.get('b'),
      (): Promise<unknown> => driver.changes('b', 'a'),
      (): Promise<unknown> => driver.fileSource('b'),
    ]) {
      await expect(use()).rejects.toMatchObject({ code: 'DRIVER_STATE_DAMAGED', path: bed.at(path) });
    }
    expect(await bed.kernel.mounted()).toEqual([]);
    mkdirSync(bed.at(path));
    await driver.get('b');
    await driver.put('b');
  });

  it('a mount point that has vanished is made again', async () => {
    rmSync(bed.at('mnt/b'), { recursive: true });
    expect(await driver.get('b')).toBe(bed.at('mnt/b'));
    await driver.put('b');
  });

  it('an interrupted removal of an id is no obstacle to the next', async () => {
    writeAt(bed.home, 'diff/b-removing/rest', 'x');
    writeAt(bed.home, 'mnt/b-removing/rest', 'x');
    await driver.remove('b');
    await driver.create('b', 'a');
    expect(names(bed.at('diff/b'))).toEqual([]);
    await driver.remove('b');
    expect(names(bed.at('diff'))).toEqual(['a', 'b-removing']);
    await bed.reopen();
    expect(names(bed.at('diff'))).toEqual(['a']);
  });

  it('what an interrupted removal left in place is not content of a new layer', async () => {
    rmSync(bed.at('layers/b'));
    await driver.create('b', 'a');
    expect(names(bed.at('diff/b'))).toEqual([]);
    expect(names(bed.at('diff'))).toEqual(['a', 'b']);
  });

  it('names of doomed directories are no ids', async () => {
    await expect(driver.create('x-removing')).rejects.toMatchObject({ code: 'DRIVER_ID_INVALID' });
  });

  it('is found through a link, and the kernel is told its real place', async () => {
    await driver.close();
    symlinkSync(bed.base, join(bed.base, 'link'));
    await using linked = new AufsDriver({
      home: join(bed.base, 'link/aufs'),
      kernel: bed.kernel,
      xino: join(bed.base, 'xino'),
    });
    await linked.open();
    const root = await linked.get('b');
    expect(root).toBe(join(bed.base, 'link/aufs/mnt/b'));
    expect(readFileSync(join(root, 'file'), 'utf8')).toBe('of b');
    expect(await bed.kernel.mounted()).toMatchObject([{ mountPoint: bed.at('mnt/b') }]);
    await linked.put('b');
    expect(readdirSync(bed.at('mnt/b'))).toEqual([]);
  });
});
