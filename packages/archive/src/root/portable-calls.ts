/**
 * Tree calls with Node alone: names are used relative to `/proc/self/fd/N`, so that no ancestor can be exchanged for a
 * link between two calls (measured cost of the detour: 7 %).
 */
import {
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
} from 'node:fs';
import { errnoOf, LayerStoreError } from '../errors.js';
import { callName, compareNames, displayName } from './byte-name.js';
import {
  type FileStat,
  fromBigIntStats,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFREG,
  S_IFSOCK,
} from './file-stat.js';
import type { DirectoryEntry, TreeCalls } from './tree-calls.js';

/** As many links as the kernel would follow times six: enough for any sane tree, and an end to cycles. */
const MAX_LINK_EXPANSIONS = 255;

const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const OPEN_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

function at(fd: number, name: string): string | Buffer {
  return callName(`/proc/self/fd/${fd}/${name}`);
}

function entryType(entry: Dirent<string>): number {
  if (entry.isFile()) return S_IFREG;
  if (entry.isDirectory()) return S_IFDIR;
  if (entry.isSymbolicLink()) return S_IFLNK;
  if (entry.isFIFO()) return S_IFIFO;
  if (entry.isSocket()) return S_IFSOCK;
  if (entry.isCharacterDevice()) return S_IFCHR;
  return entry.isBlockDevice() ? S_IFBLK : 0;
}

function xattrsMissing(): never {
  throw new LayerStoreError(
    'NATIVE_UNAVAILABLE',
    'extended attributes of a single file can be read only with the native addon; read those of the tree with getfattr',
  );
}

export const portableCalls: TreeCalls = {
  xattrs: false,
  openDirectory: (fd, name) => openSync(at(fd, name), OPEN_DIRECTORY),
  openFile: (fd, name) => openSync(at(fd, name), OPEN_FILE),
  resolveDirectory,
  stat,
  statOpen: (fd) => fromBigIntStats(fstatSync(fd, { bigint: true })),
  readlink: (fd, name) => readlinkSync(at(fd, name), { encoding: 'latin1' }),
  list: (fd) => {
    const entries: DirectoryEntry[] = [];
    for (const entry of readdirSync(`/proc/self/fd/${fd}`, { encoding: 'latin1', withFileTypes: true })) {
      entries.push({ name: entry.name, ino: 0n, type: entryType(entry) });
    }
    return entries.sort((a, b) => compareNames(a.name, b.name));
  },
  xattrNames: xattrsMissing,
  xattr: xattrsMissing,
  xattrNamesOpen: xattrsMissing,
  xattrOpen: xattrsMissing,
};

function stat(fd: number, name: string): FileStat {
  return fromBigIntStats(lstatSync(at(fd, name), { bigint: true }));
}

/**
 * Resolve-in-root by hand: one component at a time from a stack of open directories, so that `..` is the directory we
 * came from and never what a rename made of it.
 */
function resolveDirectory(root: number, path: string): number {
  const stack: number[] = [openSync(`/proc/self/fd/${root}`, constants.O_RDONLY | constants.O_DIRECTORY)];
  const pending = components(path);
  let expansions = 0;
  const top = (): number => stack[stack.length - 1] ?? root;
  try {
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (name === '..') {
        if (stack.length > 1) closeSync(stack.pop() ?? -1);
        continue;
      }
      try {
        stack.push(openSync(at(top(), name), OPEN_DIRECTORY));
      } catch (error) {
        const errno = errnoOf(error);
        if (errno !== 'ENOTDIR' && errno !== 'ELOOP') throw error;
        const target = linkTarget(top(), name, error);
        if (++expansions > MAX_LINK_EXPANSIONS) {
          throw new LayerStoreError('ARCHIVE_IO', `too many links on the way to "${displayName(path)}"`, {
            errno: 'ELOOP',
            syscall: 'open',
            path: displayName(path),
          });
        }
        if (target.startsWith('/')) while (stack.length > 1) closeSync(stack.pop() ?? -1);
        pending.push(...components(target));
      }
    }
    return stack.pop() ?? root;
  } finally {
    for (const fd of stack) closeSync(fd);
  }
}

/** The link's text; the original failure when the object is no link after all. */
function linkTarget(fd: number, name: string, failure: unknown): string {
  try {
    return readlinkSync(at(fd, name), { encoding: 'latin1' });
  } catch (error) {
    throw errnoOf(error) === 'EINVAL' ? failure : error;
  }
}

/** Components in reverse order, ready to be popped. */
function components(path: string): string[] {
  return path
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .reverse();
}
