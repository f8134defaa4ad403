/** Magic numbers of statfs(2) with the names Docker gives them (spec/drivers.md 1.6). */
const NAMES: ReadonlyMap<number, string> = new Map([
  [0x61756673, 'aufs'],
  [0x9123683e, 'btrfs'],
  [0x28cd3d45, 'cramfs'],
  [0xf15f, 'ecryptfs'],
  [0xef53, 'extfs'],
  [0xf2f52010, 'f2fs'],
  [0x47504653, 'gpfs'],
  [0x72b6, 'jffs2'],
  [0x3153464a, 'jfs'],
  [0x6969, 'nfs'],
  [0x858458f6, 'ramfs'],
  [0x52654973, 'reiserfs'],
  [0x517b, 'smb'],
  [0x73717368, 'squashfs'],
  [0x01021994, 'tmpfs'],
  [0xa501fcf5, 'vxfs'],
  [0x58465342, 'xfs'],
  [0x2fc12fc1, 'zfs'],
  [0x794c7630, 'overlay'],
  [0x65735546, 'fuse'],
  [0xe0f5e1e2, 'erofs'],
  [0x00c0ffee, 'hostfs'],
]);

/** The short name of a file system type; `<unknown>` for one that has none here. */
export function fileSystemName(type: number): string {
  return NAMES.get(type >>> 0) ?? '<unknown>';
}
