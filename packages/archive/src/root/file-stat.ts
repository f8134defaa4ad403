/** What `lstat` says, with nanoseconds and 64-bit inode numbers, whichever way it was asked. */
import type { BigIntStats } from 'node:fs';
import type { NativeStat } from '@x/native';

/** The addon's record; `fromBigIntStats` makes the same from Node's. */
export type FileStat = NativeStat;

export const S_IFMT = 0o170000;
export const S_IFSOCK = 0o140000;
export const S_IFLNK = 0o120000;
export const S_IFREG = 0o100000;
export const S_IFBLK = 0o060000;
export const S_IFDIR = 0o040000;
export const S_IFCHR = 0o020000;
export const S_IFIFO = 0o010000;

/** Compares the masked type: a bit-and with S_IFDIR is also true of sockets and block devices. */
export function isDirectory(stat: FileStat): boolean {
  return (stat.mode & S_IFMT) === S_IFDIR;
}

export function isRegularFile(stat: FileStat): boolean {
  return (stat.mode & S_IFMT) === S_IFREG;
}

export function isSymbolicLink(stat: FileStat): boolean {
  return (stat.mode & S_IFMT) === S_IFLNK;
}

/** Character device 0/0: a deletion in the overlay file system's on-disk format (kernel overlayfs.rst, "Whiteouts"). */
export function isOverlayWhiteout(stat: FileStat): boolean {
  return (stat.mode & S_IFMT) === S_IFCHR && stat.rdevMajor === 0 && stat.rdevMinor === 0;
}

/** A key for "the same inode": inode numbers alone repeat across file systems. */
export function inodeKey(stat: FileStat): string {
  return `${stat.dev}:${stat.ino}`;
}

/** Node's stat record as a {@link FileStat}; the device number is split as the kernel's `dev_t` of user space is. */
export function fromBigIntStats(stats: BigIntStats): FileStat {
  const { rdev } = stats;
  return {
    dev: stats.dev,
    ino: stats.ino,
    mode: Number(stats.mode),
    nlink: Number(stats.nlink),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    rdevMajor: Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n)),
    rdevMinor: Number((rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n)),
    size: Number(stats.size),
    blocks: Number(stats.blocks),
    atimeNs: stats.atimeNs,
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
  };
}
