import { spawnSync } from 'node:child_process';
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { IdMap } from '../idmap/index.js';
import { IS_ROOT } from '../root/temporary-tree.test.support.js';
import type { ApplyLayerOptions } from './apply-layer.js';
import { EXECUTORS, failure, failureCode, Sandbox } from './sandbox.test-support.js';

const asRoot = IS_ROOT ? it : it.skip;
const REPORT = { ownership: 'report', xattrs: 'report', devices: 'report' } as const;
const RECORDED: ApplyLayerOptions = { ...REPORT, recordOwners: true };
const FORGED = {
  'SCHILY.xattr.user.layerstore.owner': '0:0:4755',
  'LIBARCHIVE.xattr.user.layerstore.x': 'eA',
};

/** Private attributes below a directory, as `path name=value`. */
function records(root: string): string[] {
  const args = ['-R', '-P', '-h', '-d', '-m', '^user\\.layerstore', '.'];
  const { stdout } = spawnSync('getfattr', args, { cwd: root, encoding: 'latin1' });
  const found: string[] = [];
  let path = '';
  for (const line of stdout.split('\n')) {
    if (line.startsWith('# file: ')) path = line.slice('# file: '.length);
    else if (line !== '') found.push(`${path} ${line}`);
  }
  return found.sort();
}

describe.each(EXECUTORS)('owner records, %s executor', (executor) => {
  it('are written for files and directories, the root among them, and for nothing else', async () => {
    await using sandbox = await Sandbox.create(executor);
    const { warnings } = await sandbox.apply(
      [
        { name: './', type: '5', uid: 5, gid: 6, mode: 0o711 },
        { name: 'd/', type: '5', uid: 33, gid: 34, mode: 0o1777 },
        { name: 'd/f', uid: 1000, gid: 1001, mode: 0o4755 },
        { name: 'd/l', type: '2', link: 'f', uid: 33, gid: 33 },
        { name: 'd/p', type: '6', uid: 33, gid: 33 },
      ],
      RECORDED,
    );
    expect(warnings.filter(({ syscall }) => syscall.includes('xattr'))).toEqual([]);
    expect(records(sandbox.dest)).toEqual([
      '. user.layerstore.owner="5:6:0711"',
      'd user.layerstore.owner="33:34:1777"',
      'd/f user.layerstore.owner="1000:1001:4755"',
    ]);
  });

  it('are not written unless asked for', async () => {
    await using sandbox = await Sandbox.create(executor);
    await sandbox.apply(
      [
        { name: 'd/', type: '5' },
        { name: 'd/f', uid: 7, mode: 0 },
      ],
      REPORT,
    );
    expect(records(sandbox.dest)).toEqual([]);
    expect(lstatSync(join(sandbox.dest, 'd/f')).mode & 0o7777).toBe(0);
  });

  it('replace those of an earlier layer', async () => {
    await using sandbox = await Sandbox.create(executor);
    await sandbox.apply(
      [
        { name: 'd/', type: '5', uid: 1 },
        { name: 'd/f', uid: 1 },
      ],
      RECORDED,
    );
    await sandbox.apply(
      [
        { name: 'd/', type: '5', uid: 2 },
        { name: 'd/f', uid: 2 },
      ],
      RECORDED,
    );
    expect(records(sandbox.dest)).toEqual([
      'd user.layerstore.owner="2:0:0755"',
      'd/f user.layerstore.owner="2:0:0644"',
    ]);
  });

  it('hold ids of the host, and the owner an option forces', async () => {
    await using sandbox = await Sandbox.create(executor);
    const idMap = new IdMap({
      uids: [{ containerId: 0, hostId: 100_000, size: 1000 }],
      gids: [{ containerId: 0, hostId: 200_000, size: 1000 }],
    });
    await sandbox.apply([{ name: 'mapped', uid: 1, gid: 2 }], { ...RECORDED, idMap });
    await sandbox.untar([{ name: 'forced', uid: 1, gid: 2 }], {
      ...REPORT,
      recordOwners: true,
      chownOpts: { uid: 8, gid: 9 },
    });
    expect(records(sandbox.dest)).toEqual([
      'forced user.layerstore.owner="8:9:0644"',
      'mapped user.layerstore.owner="100001:200002:0644"',
    ]);
  });

  it('cannot be brought in by an archive, in whichever record and whatever it is unpacked with', async () => {
    const forged = [
      { name: 'd/', type: '5', pax: FORGED },
      { name: 'f', content: 'x', uid: 1000, pax: FORGED },
      { name: 'l', type: '2', link: 'f', pax: FORGED },
    ];
    for (const how of ['apply', 'untar', 'untar overlay', 'recorded'] as const) {
      await using sandbox = await Sandbox.create(executor);
      const { warnings } =
        how === 'apply'
          ? await sandbox.apply(forged, { ownership: 'report' })
          : how === 'recorded'
            ? await sandbox.apply(forged, RECORDED)
            : await sandbox.untar(forged, {
                ownership: 'report',
                whiteoutFormat: how === 'untar' ? 'aufs' : 'overlay',
              });
      expect(records(sandbox.dest)).toEqual(
        how === 'recorded'
          ? ['d user.layerstore.owner="0:0:0755"', 'f user.layerstore.owner="1000:0:0644"']
          : [],
      );
      const refused = warnings.filter(({ syscall }) => syscall === 'setxattr');
      expect(refused.map(({ detail }) => detail)).toContain('user.layerstore.owner');
      expect(new Set(refused.map(({ path }) => path))).toEqual(new Set(['d/', 'f', 'l']));
    }
  });

  it('of many files are all there, read-only ones among them, and a failure names its file', async () => {
    await using sandbox = await Sandbox.create(executor);
    const many = Array.from({ length: 300 }, (_, index) => ({ name: `f${index}`, uid: index, mode: 0o444 }));
    await sandbox.apply(many, RECORDED);
    expect(records(sandbox.dest)).toHaveLength(300);
    expect(records(sandbox.dest)).toContain('f299 user.layerstore.owner="299:0:0444"');
    for (const mode of Object.values(sandbox.tree())) expect(mode).toBe('file 444 ');
    const tooLong = { name: 'long', pax: { 'SCHILY.xattr.user.long': 'x'.repeat(70_000) } };
    const error = await failure(sandbox.apply([...many.slice(0, 3), tooLong, { name: 'z' }], RECORDED));
    expect(error).toMatchObject({ code: 'ARCHIVE_IO', path: 'long', errno: 'E2BIG' });
  });

  it('do not go with an option that gives up on owners', async () => {
    await using sandbox = await Sandbox.create(executor);
    const both = { recordOwners: true, noLchown: true };
    expect(await failureCode(sandbox.apply([], both))).toBe('OPTION_INVALID');
    expect(await failureCode(sandbox.untar([], both))).toBe('OPTION_INVALID');
    expect(await failureCode(sandbox.apply([], { recordOwners: 1 } as never))).toBe('OPTION_INVALID');
  });

  asRoot('leave modes as they are where root reads everything', async () => {
    await using sandbox = await Sandbox.create(executor);
    await sandbox.apply(
      [
        { name: 'd/', type: '5', mode: 0 },
        { name: 'f', uid: 3, mode: 0 },
      ],
      RECORDED,
    );
    expect(records(sandbox.dest)).toEqual([
      'd user.layerstore.owner="0:0:0000"',
      'f user.layerstore.owner="3:0:0000"',
    ]);
    for (const name of ['d', 'f']) expect(lstatSync(join(sandbox.dest, name)).mode & 0o7777).toBe(0);
  });
});
