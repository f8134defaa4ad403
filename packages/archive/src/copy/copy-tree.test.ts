import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statfsSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { formatChange } from '../changes/change.js';
import { changesBetween } from '../changes/changes-between.js';
import { BOTH_WAYS, IS_ROOT, plant, Scratch, TREE_TIME } from '../root/temporary-tree.test.support.js';
import { copyTree } from './copy-tree.js';
import { removeTree } from './remove-tree.js';

const EXT4_MAGIC = 0xef53;
/** EXT4_LINK_MAX of the kernel's fs/ext4/ext4.h. */
const EXT4_LINK_MAX = 65000;
const asRoot = IS_ROOT ? it : it.skip;

describe.each(BOTH_WAYS)('copyTree and removeTree $way', ({ portable }) => {
  let scratch: Scratch;
  beforeEach(() => {
    scratch = new Scratch();
  });
  afterEach(() => scratch[Symbol.dispose]());

  const differences = async (
    xattrs: readonly string[] = ['user.*', 'trusted.*', 'security.capability'],
  ): Promise<string[]> =>
    (
      await changesBetween(scratch.at('copy'), scratch.at('tree'), {
        portable,
        xattrs,
        contentCheck: 'always',
      })
    ).map(formatChange);
  const copy = (options = {}) => copyTree(scratch.at('tree'), scratch.at('copy'), { portable, ...options });

  asRoot('everything a layer consists of arrives', async () => {
    const tree = scratch.tree('tree', {
      'd/file': { file: 'x', mode: 0o6755, owner: [12, 34] },
      'd/link': { link: 'd/file' },
      'd/sub': { dir: true, mode: 0o1777, owner: [5, 6] },
      'read-only/f': { file: 'y' },
      s: { symlink: '/somewhere/else' },
      fifo: { fifo: true },
      char: { device: ['c', 10, 200] },
      block: { device: ['b', 7, 3] },
    });
    execFileSync('setfattr', ['-n', 'user.x', '-v', '1', `${tree}/d/file`]);
    execFileSync('setfattr', ['-n', 'trusted.dir', '-v', 'a\nb=c\\', `${tree}/d`]);
    execFileSync('setcap', ['cap_net_raw+ep', `${tree}/read-only/f`]);
    execFileSync('chmod', ['0555', `${tree}/read-only`]);
    execFileSync('chmod', ['0711', tree]);
    utimesSync(`${tree}/d`, TREE_TIME, TREE_TIME + 0.25);
    utimesSync(tree, TREE_TIME, TREE_TIME + 0.5);
    const result = await copy();
    expect(await differences()).toEqual([]);
    expect(result).toMatchObject({ files: 2, links: 1, bytes: 2 });
    const at = scratch.at('copy');
    expect(statSync(`${at}/d/file`).ino).toBe(statSync(`${at}/d/link`).ino);
    expect(statSync(`${at}/d/file`).ino).not.toBe(statSync(`${tree}/d/file`).ino);
    for (const path of ['', '/d', '/d/sub', '/read-only']) {
      expect(statSync(`${at}${path}`).mtimeMs).toBe(statSync(`${tree}${path}`).mtimeMs);
    }
    expect(statSync(at).mode & 0o7777).toBe(0o711);
  });

  it('hard-link mode shares files and makes directories anew', async () => {
    scratch.tree('tree', { 'd/f': { file: 'x' }, s: { symlink: 'd' } });
    await copy({ mode: 'hardlink' });
    expect(statSync(scratch.at('copy/d/f')).ino).toBe(statSync(scratch.at('tree/d/f')).ino);
    expect(statSync(scratch.at('copy/d')).ino).not.toBe(statSync(scratch.at('tree/d')).ino);
    expect(await differences()).toEqual([]);
  });

  // Where a file may have more links than anybody wants to make (tmpfs, xfs) there is nothing to see.
  const limited = statfsSync(tmpdir()).type === EXT4_MAGIC ? it : it.skip;
  limited('hard-link mode copies a file that takes no more links, once for all its names', async () => {
    const tree = scratch.tree('tree', {
      'a/f': { file: 'shared', mode: 0o4751, ...(IS_ROOT ? { owner: [12, 34] as const } : {}) },
      'b/f': { link: 'a/f' },
      'c/f': { link: 'a/f' },
    });
    execFileSync('setfattr', ['-n', 'user.x', '-v', '1', `${tree}/a/f`]);
    mkdirSync(scratch.at('links'));
    for (let links = 3; links < EXT4_LINK_MAX - 1; links++) {
      linkSync(`${tree}/a/f`, scratch.at(`links/${links}`));
    }
    const result = await copy({ mode: 'hardlink' });
    const at = scratch.at('copy');
    expect(result).toMatchObject({ files: 1, links: 2, bytes: 6 });
    expect(statSync(`${at}/a/f`).ino).toBe(statSync(`${tree}/a/f`).ino);
    expect(statSync(`${at}/b/f`).ino).not.toBe(statSync(`${tree}/a/f`).ino);
    expect(statSync(`${at}/c/f`).ino).toBe(statSync(`${at}/b/f`).ino);
    expect(await differences()).toEqual([]);
  });

  it('holes stay holes', async () => {
    scratch.tree('tree');
    const fd = openSync(scratch.at('tree/sparse'), 'w');
    writeSync(fd, 'begin', 0);
    writeSync(fd, 'middle', 40 * 1024 * 1024);
    ftruncateSync(fd, 64 * 1024 * 1024);
    closeSync(fd);
    await copy();
    const stat = statSync(scratch.at('copy/sparse'));
    expect(stat.size).toBe(64 * 1024 * 1024);
    expect(stat.blocks * 512).toBeLessThan(1024 * 1024);
    expect(readFileSync(scratch.at('copy/sparse')).equals(readFileSync(scratch.at('tree/sparse')))).toBe(
      true,
    );
  });

  asRoot('overlay attributes stay behind, the opaque mark comes on request', async () => {
    const tree = scratch.tree('tree', { 'd/f': { file: '' } });
    execFileSync('setfattr', ['-n', 'trusted.overlay.opaque', '-v', 'y', `${tree}/d`]);
    execFileSync('setfattr', ['-n', 'trusted.overlay.origin', '-v', 'z', `${tree}/d`]);
    const attributes = (at: string): string =>
      execFileSync('getfattr', ['-d', '-m', 'overlay', '--absolute-names', `${at}/d`]).toString();
    await copy();
    expect(attributes(scratch.at('copy'))).toBe('');
    await copyTree(tree, scratch.at('marked'), { portable, copyOpaque: true });
    expect(attributes(scratch.at('marked'))).toContain('trusted.overlay.opaque="y"');
    expect(attributes(scratch.at('marked'))).not.toContain('origin');
  });

  it('names that are not UTF-8 arrive', async () => {
    const tree = scratch.tree('tree');
    writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xfe, 0xff])]), 'odd');
    await copy();
    expect(readdirSync(scratch.at('copy'), 'latin1')).toEqual(['\xfe\xff']);
  });

  it('a missing source is an error, and so is a file in the way', async () => {
    scratch.tree('tree', { f: { file: '' } });
    await expect(copyTree(scratch.at('none'), scratch.at('copy'), { portable })).rejects.toMatchObject({
      code: 'ARCHIVE_IO',
      errno: 'ENOENT',
    });
    scratch.tree('copy', { f: { file: 'there' } });
    await expect(copy()).rejects.toMatchObject({ code: 'ARCHIVE_IO', errno: 'EEXIST' });
    expect(readFileSync(scratch.at('copy/f'), 'utf8')).toBe('there');
  });

  it('an aborted copy rejects with the reason', async () => {
    const tree = scratch.tree('tree');
    for (let index = 0; index < 2000; index++) writeFileSync(`${tree}/f${index}`, '');
    const controller = new AbortController();
    const copying = copy({ signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(copying).rejects.toThrow('enough');
  });

  it('a tree is removed with everything in it, links not followed; missing is fine', async () => {
    scratch.tree('outside', { kept: { file: '' } });
    const tree = scratch.tree('tree', {
      'a/b/c': { file: '' },
      link: { symlink: scratch.at('outside') },
      fifo: { fifo: true },
    });
    plant(tree, { 'sealed/f': { file: '' } });
    execFileSync('chmod', ['000', `${tree}/sealed`]);
    await removeTree(tree, { portable });
    await removeTree(tree, { portable });
    expect(existsSync(tree)).toBe(false);
    expect(existsSync(scratch.at('outside/kept'))).toBe(true);
  });
});
