import { execFileSync } from 'node:child_process';
import {
  type BigIntStats,
  chmodSync,
  constants,
  copyFileSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readlinkSync,
  symlinkSync,
} from 'node:fs';
import { errnoOf } from '@x/archive';
import { AT_FDCWD, AT_SYMLINK_NOFOLLOW, native } from '@x/native';

const PERMISSIONS = 0o7777;
const NS_PER_SECOND = 1e9;
/** What a file system says that has no such attributes, or will not let this process have them. */
const REFUSED = new Set(['ENOTSUP', 'EOPNOTSUPP', 'EPERM', 'EACCES']);

/** Copies objects one by one, as a copy-up does: everything but the inode number stays. Keeps hard links together. */
export class ObjectCopy {
  /** Where the first name of an inode went. */
  readonly #links = new Map<string, Buffer>();

  /** Anything but a directory. The target must not be there. */
  copy(source: Buffer, target: Buffer): void {
    const stats = lstatSync(source, { bigint: true });
    const inode = `${stats.dev}:${stats.ino}`;
    const first = stats.nlink > 1n ? this.#links.get(inode) : undefined;
    if (first !== undefined) {
      linkSync(first, target);
      return;
    }
    if (stats.nlink > 1n) this.#links.set(inode, target);
    if (stats.isFile()) copyFileSync(source, target, constants.COPYFILE_FICLONE);
    else if (stats.isSymbolicLink()) symlinkSync(readlinkSync(source, { encoding: 'buffer' }), target);
    else makeNode(source, target, stats);
    copyAttributes(source, target, stats);
  }

  /** An empty one; its attributes come when it is full. */
  makeDirectory(target: Buffer): void {
    mkdirSync(target);
  }

  /** Owner, mode, extended attributes and times, of whatever it is. */
  copyAttributes(source: Buffer, target: Buffer): void {
    copyAttributes(source, target, lstatSync(source, { bigint: true }));
  }
}

function makeNode(source: Buffer, target: Buffer, { mode, rdev }: BigIntStats): void {
  if (!native.available) {
    execFileSync('cp', ['-a', '--', source.toString(), target.toString()]);
    return;
  }
  // glibc's makedev, the other way round.
  const major = Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n));
  const minor = Number((rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n));
  native.calls.mknodatSync(AT_FDCWD, target, Number(mode), major, minor);
}

function copyAttributes(source: Buffer, target: Buffer, stats: BigIntStats): void {
  try {
    lchownSync(target, Number(stats.uid), Number(stats.gid));
  } catch (error) {
    if (errnoOf(error) !== 'EPERM') throw error;
  }
  // Behind the change of owner, which takes set-user-id bits and capabilities away.
  if (!stats.isSymbolicLink()) chmodSync(target, Number(stats.mode) & PERMISSIONS);
  copyXattrs(source, target);
  copyTimes(target, stats);
}

function copyXattrs(source: Buffer, target: Buffer): void {
  if (!native.available) return;
  const { calls } = native;
  const quietly = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      if (!REFUSED.has(errnoOf(error) ?? '')) throw error;
      return undefined;
    }
  };
  const wanted = quietly(() => calls.llistxattrSync(source)) ?? [];
  const present = quietly(() => calls.llistxattrSync(target)) ?? [];
  for (const name of present) {
    if (!wanted.some((other) => other.equals(name))) quietly(() => calls.lremovexattrSync(target, name));
  }
  for (const name of wanted) {
    const value = quietly(() => calls.lgetxattrSync(source, name));
    if (value !== undefined) quietly(() => calls.lsetxattrSync(target, name, value, 0));
  }
}

function copyTimes(target: Buffer, { atimeNs, mtimeNs }: BigIntStats): void {
  if (native.available) {
    native.calls.utimensatSync(AT_FDCWD, target, atimeNs, mtimeNs, AT_SYMLINK_NOFOLLOW);
  } else {
    lutimesSync(target, Number(atimeNs) / NS_PER_SECOND, Number(mtimeNs) / NS_PER_SECOND);
  }
}
