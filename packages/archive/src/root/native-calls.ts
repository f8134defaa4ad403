/** Tree calls through the addon: openat2 and the `*at` family, extended attributes included. */
import { constants } from 'node:fs';
import { loadNative, type NativeCalls } from '@x/native';
import { callName, compareNames } from './byte-name.js';
import type { FileStat } from './file-stat.js';
import { type DirectoryEntry, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, type TreeCalls } from './tree-calls.js';

const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const OPEN_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
/** DT_* (readdir(3)) are the file type bits shifted down by 12. */
const DT_SHIFT = 12;

/** The addon's calls, or undefined where it is not loaded. */
export function nativeCalls(): TreeCalls | undefined {
  const native = loadNative();
  if (!native.available) return undefined;
  cached ??= bind(native.calls);
  return cached;
}

let cached: TreeCalls | undefined;

function bind(calls: NativeCalls): TreeCalls {
  const directory = { flags: OPEN_DIRECTORY, mode: 0, resolve: 0 };
  const file = { flags: OPEN_FILE, mode: 0, resolve: 0 };
  const inRoot = {
    flags: constants.O_RDONLY | constants.O_DIRECTORY,
    mode: 0,
    resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
  };
  const proc = (at: number, name: string): string | Buffer => callName(`/proc/self/fd/${at}/${name}`);
  return {
    xattrs: true,
    openDirectory: (at, name) => calls.openat2Sync(at, callName(name), directory),
    openFile: (at, name) => calls.openat2Sync(at, callName(name), file),
    resolveDirectory: (root, path) => calls.openat2Sync(root, path === '' ? '.' : callName(path), inRoot),
    stat: (at, name): FileStat => calls.fstatatSync(at, callName(name), AT_SYMLINK_NOFOLLOW),
    statOpen: (fd): FileStat => calls.fstatatSync(fd, '', AT_EMPTY_PATH),
    readlink: (at, name) => calls.readlinkatSync(at, callName(name)).toString('latin1'),
    list: (fd) => {
      const entries: DirectoryEntry[] = [];
      for (const entry of calls.getdentsSync(fd)) {
        const name = entry.name.toString('latin1');
        if (name !== '.' && name !== '..')
          entries.push({ name, ino: entry.ino, type: entry.type << DT_SHIFT });
      }
      return entries.sort((a, b) => compareNames(a.name, b.name));
    },
    xattrNames: (at, name) => calls.llistxattrSync(proc(at, name)),
    xattr: (at, name, attribute) => calls.lgetxattrSync(proc(at, name), attribute),
    xattrNamesOpen: (fd) => calls.flistxattrSync(fd),
    xattrOpen: (fd, attribute) => calls.fgetxattrSync(fd, attribute),
  };
}
