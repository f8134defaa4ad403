import { describe, expect, it } from '@jest/globals';
import { type PathKind, UnionTable } from './union-table.js';

/* Each test is a line of spec/aufs-observed.md. */

const TARGET = '/mnt';
const xs = (count: number, from = 0, length = 8): string[] =>
  Array.from({ length: count }, (_, index) => `/${String(index + from).padStart(length - 1, 'b')}`);

function model(strict = false, lookup: (path: string) => PathKind = () => 'directory'): UnionTable {
  return new UnionTable({ pageSize: 4096, dirperm1: true, strict, lookup });
}

const mount = (table: UnionTable, text: string, target = TARGET): unknown =>
  table.mount(target, Buffer.from(text));
const branchesOf = (table: UnionTable): string[] =>
  (table.unions.get(TARGET)?.branches ?? []).map(({ path, permission }) => `${path}=${permission}`);
const kinds = (table: UnionTable): string[] => table.violations.map(({ kind }) => kind);
const errno = (code: string): unknown => expect.objectContaining({ code });

describe('the page', () => {
  const UNIT = 74;
  const PATH = UNIT - '=ro+wh:'.length;

  /** 80 branches in front of xino and dio, of which `tail` bytes of the last that arrives are left. */
  function dataCutAt(tail: number): string {
    const bare = 4095 - 'br:/w=rw:'.length;
    const padding = 'p'.repeat((UNIT + (bare % UNIT) - tail) % UNIT);
    return `br:/w${padding}=rw:${xs(79, 0, PATH).join('=ro+wh:')}=ro+wh,xino=/x,dio`;
  }

  it('cut inside a path: EINVAL', () => {
    const exists = (path: string): boolean => path.startsWith('/w') || path.length === PATH;
    const table = model(false, (path) => (path === TARGET || exists(path) ? 'directory' : 'missing'));
    expect(() => mount(table, dataCutAt(30))).toThrow(errno('EINVAL'));
  });

  it('cut between two branches: success, the later ones missing', () => {
    for (const tail of [0, 73]) {
      const table = model();
      mount(table, dataCutAt(tail));
      expect(branchesOf(table).length).toBeLessThan(80);
      expect(branchesOf(table).at(-1)).toMatch(/=ro\+wh$/);
      expect(kinds(table)).toContain('lost-branch');
    }
  });

  it('cut inside =ro+wh: success, the whiteouts of that branch no longer honoured', () => {
    for (const tail of [67, 68, 69, 70, 71, 72]) {
      const table = model();
      mount(table, dataCutAt(tail));
      expect(branchesOf(table).at(-1)).toMatch(/=ro$/);
      expect(kinds(table)).toContain('lost-whiteouts');
    }
  });

  it('xino and dio behind the cut vanish, and so does an option that does not exist', () => {
    const table = model();
    mount(table, `${dataCutAt(73)},bogus`);
    expect(table.unions.get(TARGET)?.xino).toBeUndefined();
    expect(kinds(table)).toContain('lost-option');
  });

  it('a remount with many appends is cut the same', () => {
    const table = model();
    mount(table, 'br:/w=rw');
    table.remount(
      TARGET,
      Buffer.from(
        xs(80, 0, 56)
          .map((path) => `append:${path}=ro+wh`)
          .join(','),
      ),
    );
    expect(branchesOf(table).length).toBeLessThan(81);
    expect(kinds(table)).toContain('lost-branch');
  });

  it('a strict model fails in place of losing anything', () => {
    expect(() => mount(model(true), dataCutAt(73))).toThrow('lost-branch');
  });
});

describe('options in a call', () => {
  const branches = (count: number): string => `br:${xs(count).join('=ro+wh:')}=ro+wh`;

  it('82 branches with xino and dio mount, in front or behind', () => {
    for (const text of [`${branches(82)},xino=/x,dio`, `xino=/x,dio,${branches(82)}`]) {
      const table = model(true);
      mount(table, text);
      expect(branchesOf(table)).toHaveLength(82);
    }
  });

  it.each([83, 84])('%i branches in front of xino and dio: E2BIG', (count) => {
    expect(() => mount(model(), `${branches(count)},xino=/x,dio`)).toThrow(errno('E2BIG'));
    expect(() => mount(model(true), `${branches(count)},xino=/x,dio`)).toThrow('crash');
  });

  it('85 branches, or 83 behind two options: the kernel is gone', () => {
    for (const text of [branches(85), `xino=/x,dio,${branches(83)}`]) {
      const table = model();
      expect(() => mount(table, text)).toThrow('the kernel has crashed');
      expect(() => mount(table, 'br:/a=rw')).toThrow('the kernel has crashed');
    }
  });

  it('127 branches in all, the 128th is ENOSPC; a hundred appends in a row are fine', () => {
    const table = model(true);
    mount(table, 'br:/w=rw');
    for (const path of xs(126)) table.remount(TARGET, Buffer.from(`append:${path}=ro+wh`));
    expect(branchesOf(table)).toHaveLength(127);
    expect(() => table.remount(TARGET, Buffer.from('append:/more=ro+wh'))).toThrow(errno('ENOSPC'));
  });

  it('of two branches in one append only the first is added', () => {
    const table = model();
    mount(table, 'br:/w=rw');
    table.remount(TARGET, Buffer.from('append:/a=ro+wh:/b=ro+wh'));
    expect(branchesOf(table)).toEqual(['/w=rw', '/a=ro+wh']);
    expect(kinds(table)).toEqual(['lost-branch']);
  });
});

describe('errors', () => {
  const lookup = (path: string): PathKind => {
    if (path.includes('missing')) return 'missing';
    if (path.includes('file')) return 'file';
    return path.includes('overlay') ? 'unsupported' : 'directory';
  };

  it.each([
    ['no branches', 'xino=/x,dio', 'EINVAL'],
    ['an unknown option', 'br:/a=rw,nonsense', 'EINVAL'],
    ['a blank before an option', 'br:/a=rw, dio', 'EINVAL'],
    ['a missing branch', 'br:/a=rw:/missing=ro+wh', 'EINVAL'],
    ['a branch that is a file', 'br:/file=rw', 'EINVAL'],
    ['a branch twice', 'br:/a=rw:/a=ro+wh', 'EINVAL'],
    ['a branch below another', 'br:/a=rw:/a/b=ro+wh', 'EINVAL'],
    ['a branch above another', 'br:/a/b=rw:/a=ro+wh', 'EINVAL'],
    ['a branch on overlay', 'br:/overlay=rw', 'EINVAL'],
    ['an equals sign in a path', 'br:/a=b=rw', 'EINVAL'],
    ['a missing directory for xino', 'br:/a=rw,xino=/missing/x', 'ENOENT'],
  ])('%s', (_what, text, code) => {
    expect(() => mount(model(false, lookup), text)).toThrow(errno(code));
  });

  it('a mount point that is missing or a file', () => {
    expect(() => mount(model(false, lookup), 'br:/a=rw', '/missing')).toThrow(errno('ENOENT'));
    expect(() => mount(model(false, lookup), 'br:/a=rw', '/file')).toThrow(errno('ENOTDIR'));
  });

  it.each([
    ['a permission that does not exist', 'br:/a=zz:/b=zz', ['/a=rw', '/b=ro']],
    ['a path with a blank', 'br:/a b=rw', ['/a b=rw']],
    ['a relative path', 'br:a=rw', ['a=rw']],
    ['no xino', 'br:/a=rw,noxino', ['/a=rw']],
    ['known options', 'br:/a=rw,dirperm1,nodirperm1,dirren,udba=none,udba=reval', ['/a=rw']],
  ])('is content with %s', (_what, text, expected) => {
    const table = model(true, lookup);
    mount(table, text);
    expect(branchesOf(table)).toEqual(expected);
  });

  it('an old aufs does not know dirperm1', () => {
    const table = new UnionTable({
      pageSize: 4096,
      dirperm1: false,
      strict: true,
      lookup: () => 'directory',
    });
    expect(() => mount(table, 'br:/a=rw,dirperm1')).toThrow(errno('EINVAL'));
  });

  it('appending what is there and deleting what is not do nothing; appending what is missing fails', () => {
    const table = model(true, lookup);
    mount(table, 'br:/a=rw:/b=ro+wh');
    table.remount(TARGET, Buffer.from('append:/b=ro+wh,del:/c'));
    expect(branchesOf(table)).toEqual(['/a=rw', '/b=ro+wh']);
    table.remount(TARGET, Buffer.from('del:/b'));
    expect(branchesOf(table)).toEqual(['/a=rw']);
    expect(() => table.remount(TARGET, Buffer.from('append:/missing=ro+wh'))).toThrow(errno('EINVAL'));
  });

  it('unmounting twice is EINVAL, what is not there ENOENT', () => {
    const table = model(true, lookup);
    mount(table, 'br:/a=rw');
    table.umount(TARGET);
    expect(() => table.umount(TARGET)).toThrow(errno('EINVAL'));
    expect(() => table.umount('/missing')).toThrow(errno('ENOENT'));
  });
});

describe('what the kernel does not detect', () => {
  it.each([
    ['a branch that two unions write to', 'br:/a=rw,xino=/y', 'shared-branch'],
    ['a xino that two unions use', 'br:/b=rw,xino=/x', 'shared-xino'],
  ])('%s', (_what, text, kind) => {
    const table = model();
    mount(table, 'br:/a=rw,xino=/x');
    mount(table, text, '/other');
    expect(kinds(table)).toEqual([kind]);
  });

  it('a union over a union', () => {
    const table = model();
    mount(table, 'br:/a=rw');
    mount(table, 'br:/b=rw');
    expect(kinds(table)).toEqual(['stacked-mount']);
  });

  it('a branch that one writes to and others only read is fine', () => {
    const table = model(true);
    mount(table, 'br:/a=rw,xino=/x');
    mount(table, 'br:/b=rw:/a=ro+wh,xino=/y', '/other');
    expect(table.violations).toEqual([]);
  });
});
