import { describe, expect, it } from '@jest/globals';
import { type FileStat, S_IFDIR, S_IFREG } from '../root/file-stat.js';
import { recordedStat } from './recorded-stat.js';
import { workableMode } from './workable-mode.js';

const NOBODY = 65_534;
const stat = (mode: number, uid: number = NOBODY): FileStat => ({
  dev: 1n,
  ino: 2n,
  mode,
  nlink: 1,
  uid,
  gid: NOBODY,
  rdevMajor: 0,
  rdevMinor: 0,
  size: 3,
  blocks: 8,
  atimeNs: 4n,
  mtimeNs: 5n,
  ctimeNs: 6n,
});
const seen = (onDisk: FileStat, mode: number): Partial<FileStat> => {
  const { uid, gid, mode: found } = recordedStat(onDisk, { uid: 33, gid: 42, mode }, NOBODY);
  return { uid, gid, mode: found };
};

describe('modes on disk', () => {
  it.each([
    ['file', 0o0000, 0o0400],
    ['file', 0o4111, 0o4511],
    ['file', 0o0640, 0o0640],
    ['directory', 0o0000, 0o0700],
    ['directory', 0o1555, 0o1755],
    ['directory', 0o0755, 0o0755],
  ] as const)('let the owner of a %s of mode %o read it: %o', (kind, mode, expected) => {
    expect(workableMode(kind, mode)).toBe(expected);
  });
});

describe('stat data with a record', () => {
  it('have the recorded owner and mode while nobody changed them', () => {
    expect(seen(stat(S_IFREG | 0o400), 0)).toEqual({ uid: 33, gid: 42, mode: S_IFREG });
    expect(seen(stat(S_IFREG | 0o4755), 0o4755)).toEqual({ uid: 33, gid: 42, mode: S_IFREG | 0o4755 });
    expect(seen(stat(S_IFDIR | 0o755), 0o555)).toEqual({ uid: 33, gid: 42, mode: S_IFDIR | 0o555 });
  });

  it('have the mode of a later chmod', () => {
    expect(seen(stat(S_IFREG | 0o700), 0)).toEqual({ uid: 33, gid: 42, mode: S_IFREG | 0o700 });
    expect(seen(stat(S_IFREG | 0o755), 0o4755)).toEqual({ uid: 33, gid: 42, mode: S_IFREG | 0o755 });
  });

  it('have the owner of a later chown', () => {
    const { uid, gid } = recordedStat(stat(S_IFREG | 0o644, 7), { uid: 33, gid: 42, mode: 0o644 }, NOBODY);
    expect([uid, gid]).toEqual([7, NOBODY]);
  });

  it('keep everything else, and are the same object where nothing differs', () => {
    const onDisk = stat(S_IFREG | 0o644);
    expect(recordedStat(onDisk, { uid: 0, gid: 0, mode: 0o644 }, NOBODY)).toEqual({
      ...onDisk,
      uid: 0,
      gid: 0,
    });
    expect(recordedStat(onDisk, { uid: NOBODY, gid: NOBODY, mode: 0o644 }, NOBODY)).toBe(onDisk);
  });
});
