import { linkSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Change, ChangeKind } from '../changes/change.js';
import { BOTH_WAYS, collect, Scratch } from '../root/temporary-tree.test.support.js';
import { listArchive } from './archive-listing.test.support.js';
import type { ArchiveWarning } from './archive-warning.js';
import { exportChanges } from './export-changes.js';

const change = (kind: ChangeKind, path: string): Change => ({ kind, path: Buffer.from(path) });

describe.each(BOTH_WAYS)('exportChanges $way', ({ portable }) => {
  let scratch: Scratch;
  beforeEach(() => {
    scratch = new Scratch();
  });
  afterEach(() => {
    scratch[Symbol.dispose]();
    delete process.env.SOURCE_DATE_EPOCH;
  });

  it('links are emitted in the same order whichever way the changes come (HardLinkOrder)', async () => {
    const root = scratch.tree('tree');
    const names = ['file1.txt', 'file2.txt', 'file3.txt'];
    const list: Change[] = [];
    for (const name of names) {
      writeFileSync(`${root}/${name}`, `content of ${name}`);
      list.push(change('add', `/${name}`));
      for (let index = 0; index < 5; index++) {
        linkSync(`${root}/${name}`, `${root}/${name}-link-${index}`);
        list.push(change('add', `/${name}-link-${index}`));
      }
    }
    const headers = async (changes: readonly Change[]): Promise<unknown[]> =>
      (await listArchive(exportChanges(root, changes, { portable }))).map(({ name, linkName, header }) => [
        name,
        header.kind,
        linkName,
      ]);
    const forward = await headers(list);
    expect(await headers([...list].reverse())).toEqual(forward);
    expect(forward.filter((header) => Array.isArray(header) && header[1] === 'hardlink')).toHaveLength(15);
    expect(forward[1]).toEqual(['file1.txt-link-0', 'hardlink', 'file1.txt']);
  });

  it('deletions are empty entries of a fixed time, in the order of the deleted path', async () => {
    scratch.tree('tree', { 'a/b': { file: 'x' }, 'a.txt': { file: 'y' } });
    const list = [
      change('delete', '/a/gone'),
      change('add', '/a/b'),
      change('add', '/a.txt'),
      change('modify', '/a'),
    ];
    const shown = async (options = {}): Promise<unknown[]> =>
      (await listArchive(exportChanges(scratch.at('tree'), list, { portable, ...options }))).map(
        ({ name, header, content }) => [name, header.kind, header.mode & 0o7777, content.length],
      );
    expect(await shown()).toEqual([
      ['a/', 'directory', 0o755, 0],
      ['a.txt', 'file', 0o644, 1],
      ['a/b', 'file', 0o644, 1],
      ['a/.wh.gone', 'file', 0, 0],
    ]);
  });

  it('the same changes give the same bytes; the time of deletions can be set', async () => {
    scratch.tree('tree');
    const gone = [change('delete', '/gone')];
    const time = async (options = {}): Promise<number | undefined> =>
      (await listArchive(exportChanges(scratch.at('tree'), gone, { portable, ...options })))[0]?.header.mtime
        .seconds;
    const once = await collect(exportChanges(scratch.at('tree'), gone, { portable }));
    expect(once.equals(await collect(exportChanges(scratch.at('tree'), gone, { portable })))).toBe(true);
    expect(await time()).toBe(0);
    process.env.SOURCE_DATE_EPOCH = '1234567890';
    expect(await time()).toBe(1_234_567_890);
    expect(await time({ whiteoutTime: 7 })).toBe(7);
    process.env.SOURCE_DATE_EPOCH = 'yesterday';
    expect(() => exportChanges('/x', gone)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });

  it('a change that has vanished since is left out and reported, one below a link too', async () => {
    const root = scratch.tree('tree', { 'd/f': { file: '' }, link: { symlink: 'd' } });
    rmSync(`${root}/d/f`);
    const warnings: ArchiveWarning[] = [];
    const list = [change('add', '/d/f'), change('add', '/link/f')];
    const entries = await listArchive(
      exportChanges(root, list, { portable, onWarning: (warning) => warnings.push(warning) }),
    );
    expect(entries).toEqual([]);
    expect(warnings.map(({ kind, path }) => `${kind} ${path}`)).toEqual(['vanished d/f', 'vanished link/f']);
  });

  it.each(['x', '/', '/a/', '/a//b', '/a/../b', '/a\0'])('%j is not the path of a change', (path) => {
    expect(() => exportChanges('/x', [change('add', path)])).toThrow(
      expect.objectContaining({ code: 'ARCHIVE_INVALID_NAME' }),
    );
  });
});
