import { Buffer } from 'node:buffer';
import { type BigIntStats, constants } from 'node:fs';
import {
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { errnoOf } from '@x/archive';
import { fail } from '../expectation.js';
import { kernel } from '../kernel.js';
import {
  type Applier,
  expectAttribute,
  objectAt,
  placeOf,
  shownPath,
  subtreeAt,
  type TreePath,
} from './applier.js';
import { type Attributes, checkAttributes, setAttributes } from './attributes.js';

/** A regular file, made or rewritten in place. Directories above it are made with mode 0755. */
export function file(path: TreePath, content: string | Uint8Array, attributes: Attributes = {}): Applier {
  const about = `file ${shownPath(path)}`;
  const bytes = Buffer.from(content);
  return {
    about,
    ...objectAt(path),
    apply: async (root) => {
      const place = placeOf(root, path);
      await makeParents(place);
      await writeFile(place, bytes);
      await setAttributes(place, { mode: 0o644, ...attributes });
    },
    check: async (root) => {
      const place = placeOf(root, path);
      const stat = await statOf(about, place);
      if (!stat.isFile()) fail(`${about}: is not a regular file`);
      const found = await readFile(place);
      expectAttribute(about, 'size', found.length, bytes.length);
      if (!found.equals(bytes)) fail(`${about}: has other content`, { expected: bytes, actual: found });
      await checkAttributes(about, place, stat, { mode: 0o644, ...attributes });
    },
  };
}

/** A directory; one that is there already gets the attributes. `''` is the root itself. */
export function directory(path: TreePath, attributes: Attributes = {}): Applier {
  const about = `directory ${shownPath(path)}`;
  return {
    about,
    ...objectAt(path),
    apply: async (root) => {
      const place = placeOf(root, path);
      await mkdir(place, { recursive: true });
      await setAttributes(place, { mode: 0o755, ...attributes });
    },
    check: async (root) => {
      const place = placeOf(root, path);
      const stat = await statOf(about, place);
      if (!stat.isDirectory()) fail(`${about}: is not a directory`);
      await checkAttributes(about, place, stat, { mode: 0o755, ...attributes });
    },
  };
}

/** A symbolic link. Its target may be anything. */
export function symbolicLink(
  path: TreePath,
  target: string,
  attributes: Omit<Attributes, 'mode'> = {},
): Applier {
  const about = `symbolic link ${shownPath(path)}`;
  return {
    about,
    ...objectAt(path),
    apply: async (root) => {
      const place = placeOf(root, path);
      await makeParents(place);
      await symlink(target, place);
      await setAttributes(place, attributes);
    },
    check: async (root) => {
      const place = placeOf(root, path);
      const stat = await statOf(about, place);
      if (!stat.isSymbolicLink()) fail(`${about}: is not a symbolic link`);
      expectAttribute(about, 'target', await readlink(place), target);
      await checkAttributes(about, place, stat, attributes);
    },
  };
}

/** A further name of what is at `existing`. Checked by inode. */
export function hardLink(path: TreePath, existing: TreePath): Applier {
  const about = `hard link ${shownPath(path)}`;
  return {
    about,
    ...objectAt(path),
    apply: async (root) => {
      const place = placeOf(root, path);
      await makeParents(place);
      await link(placeOf(root, existing), place);
    },
    check: async (root) => {
      const stat = await statOf(about, placeOf(root, path));
      const other = await statOf(about, placeOf(root, existing));
      if (stat.ino !== other.ino || stat.dev !== other.dev) {
        fail(`${about}: is not the same file as ${shownPath(existing)}`);
      }
    },
  };
}

/** A device node. Needs root and the addon. */
export function device(
  path: TreePath,
  kind: 'char' | 'block',
  [major, minor]: readonly [major: number, minor: number],
  attributes: Attributes = {},
): Applier {
  const about = `device ${shownPath(path)}`;
  return {
    about,
    ...objectAt(path),
    apply: async (root) => {
      const place = placeOf(root, path);
      await makeParents(place);
      const type = kind === 'char' ? constants.S_IFCHR : constants.S_IFBLK;
      await kernel().mknod(place, type | 0o600, major, minor);
      await setAttributes(place, { mode: 0o600, ...attributes });
    },
    check: async (root) => {
      const place = placeOf(root, path);
      const stat = await statOf(about, place);
      if (kind === 'char' ? !stat.isCharacterDevice() : !stat.isBlockDevice())
        fail(`${about}: is no ${kind} device`);
      expectAttribute(about, 'device number', stat.rdev, deviceNumber(major, minor));
      await checkAttributes(about, place, stat, { mode: 0o600, ...attributes });
    },
  };
}

/** A named pipe. Needs the addon. */
export function fifo(path: TreePath, attributes: Attributes = {}): Applier {
  const about = `fifo ${shownPath(path)}`;
  return {
    about,
    ...objectAt(path),
    apply: async (root) => {
      const place = placeOf(root, path);
      await makeParents(place);
      await kernel().mknod(place, constants.S_IFIFO | 0o600, 0, 0);
      await setAttributes(place, { mode: 0o644, ...attributes });
    },
    check: async (root) => {
      const place = placeOf(root, path);
      const stat = await statOf(about, place);
      if (!stat.isFIFO()) fail(`${about}: is no fifo`);
      await checkAttributes(about, place, stat, { mode: 0o644, ...attributes });
    },
  };
}

/** Removes what is there, with everything below it; checks that nothing is. */
export function removed(path: TreePath): Applier {
  const about = `removal of ${shownPath(path)}`;
  return {
    about,
    ...subtreeAt(path),
    apply: async (root) => {
      await statOf(about, placeOf(root, path));
      await rm(placeOf(root, path), { recursive: true });
    },
    check: async (root) => {
      try {
        await lstat(placeOf(root, path));
      } catch (error) {
        const errno = errnoOf(error);
        if (errno === 'ENOENT' || errno === 'ENOTDIR') return;
        throw error;
      }
      fail(`${about}: it is still there`);
    },
  };
}

/** Renames; checks only that the old name is gone. Check the new one with what it should be. */
export function renamed(from: TreePath, to: TreePath): Applier {
  const about = `rename of ${shownPath(from)} to ${shownPath(to)}`;
  const source = subtreeAt(from);
  const target = subtreeAt(to);
  return {
    about,
    at: source.at,
    replaces: (path) => source.replaces(path) || target.replaces(path),
    apply: async (root) => {
      const place = placeOf(root, to);
      await makeParents(place);
      await rename(placeOf(root, from), place);
    },
    check: (root) => removed(from).check(root),
  };
}

/** Checks that a directory holds these names and no other. Makes nothing. */
export function holdsOnly(path: TreePath, ...names: readonly string[]): Applier {
  const about = `content of ${shownPath(path) || 'the root'}`;
  const wanted = [...names].sort().join(', ');
  return {
    about,
    apply: () => Promise.resolve(),
    check: async (root) => {
      const found = await readdir(placeOf(root, path));
      expectAttribute(about, 'names', found.sort().join(', '), wanted);
    },
  };
}

async function statOf(about: string, place: Buffer): Promise<BigIntStats> {
  try {
    return await lstat(place, { bigint: true });
  } catch (error) {
    return fail(`${about}: cannot be looked up: ${errnoOf(error) ?? String(error)}`, { cause: error });
  }
}

async function makeParents(place: Buffer): Promise<void> {
  const parent = place.subarray(0, place.lastIndexOf(0x2f));
  await mkdir(parent, { recursive: true });
}

/** glibc's `gnu_dev_makedev`. */
function deviceNumber(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return ((high & ~0xfffn) << 32n) | ((high & 0xfffn) << 8n) | ((low & ~0xffn) << 12n) | (low & 0xffn);
}
