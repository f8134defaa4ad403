/**
 * The directories of the extraction root, opened one component at a time and never through a link
 * (spec/layer-archive.md 4.9): names are used relative to `/proc/self/fd/N`, so that no ancestor can be exchanged between a
 * check and a call. Names are latin-1 strings, one character per byte.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, type Stats } from 'node:fs';
import { errnoOf, LayerStoreError } from '../errors.js';
import { callName, displayName, joinName, parentName } from '../root/byte-name.js';

/** Opening only to use the descriptor as a starting point: needs no read permission and never blocks. */
export const O_PATH = 0o10000000;
const OPEN_DIRECTORY = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const OPEN_OBJECT = O_PATH | constants.O_NOFOLLOW;

/** Links that one lookup may pass; more is a cycle. */
const MAX_LINK_EXPANSIONS = 255;
/** Descriptors kept open between operations. A tar walks a tree depth first, so the chain of parents is what matters. */
const MAX_OPEN_DIRECTORIES = 64;

/** A `..` that comes from an absolute link stops at the root; one from the archive or a relative link must not pass it. */
const CLAMPED_UP = '../';

/** Identity of a file system object. The device is part of it only where the tree crosses a mount. */
export type ObjectKey = number | string;

export interface OpenDirectory {
  readonly fd: number;
  readonly key: ObjectKey;
  /** Path from the root that passes no link; empty for the root. */
  readonly path: string;
  /** It and its ancestors are known to hold something of this layer. */
  claimed: boolean;
}

/**
 * What to do about a component that is not a directory (and not a link): nothing there, or another object.
 * Returns true when it made the directory; false when the lookup ends without a result; throws to refuse.
 */
export type MissingDirectory = (parent: OpenDirectory, name: string, existing: Stats | undefined) => boolean;

/** Path of `name` in an open directory, for a system call that does not follow the last component. */
export function within(directory: { readonly fd: number }, name: string): string | Buffer {
  return callName(`/proc/self/fd/${directory.fd}/${name}`);
}

/** Path of an open object itself, for a call that follows links: the kernel goes straight to the descriptor's object. */
export function itself(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

/** `lstat`, with undefined for nothing there. */
export function statWithin(directory: { readonly fd: number }, name: string): Stats | undefined {
  return lstatSync(within(directory, name), { throwIfNoEntry: false });
}

/** Opens any object without following, blocking or needing permission on it. The caller closes it. */
export function openObject(directory: { readonly fd: number }, name: string): number {
  return openSync(within(directory, name), OPEN_OBJECT);
}

export class ExtractionTree {
  readonly root: OpenDirectory;
  readonly #device: number;
  readonly #open = new Map<string, OpenDirectory>();
  /** Paths that pass a link → the same directory without links. */
  readonly #aliases = new Map<string, string>();
  /** Forgotten, but perhaps in the hands of the operation that runs: closed when it is over. */
  readonly #retired: OpenDirectory[] = [];

  /** @param root path of an existing directory that is not a symbolic link */
  constructor(root: string) {
    const fd = openSync(root, OPEN_DIRECTORY);
    const stat = fstatSync(fd);
    this.#device = stat.dev;
    this.root = { fd, key: stat.ino, path: '', claimed: false };
  }

  key(stat: Stats): ObjectKey {
    return stat.dev === this.#device ? stat.ino : `${stat.dev}:${stat.ino}`;
  }

  /** Closes what was forgotten or is over the bound. Called between operations, when nobody holds a directory. */
  trim(): void {
    for (let retired = this.#retired.pop(); retired !== undefined; retired = this.#retired.pop()) {
      closeSync(retired.fd);
    }
    if (this.#open.size <= MAX_OPEN_DIRECTORIES) return;
    for (const [path, directory] of this.#open) {
      closeSync(directory.fd);
      this.#open.delete(path);
      if (this.#open.size <= MAX_OPEN_DIRECTORIES / 2) break;
    }
    if (this.#aliases.size > MAX_OPEN_DIRECTORIES) this.#aliases.clear();
  }

  /**
   * Forgets every descriptor: called when a directory or a link is removed, renamed or replaced. A new link needs no such
   * call: had its name been part of a remembered path, something of that name was removed first.
   */
  forget(): void {
    for (const directory of this.#open.values()) this.#retired.push(directory);
    this.#open.clear();
    this.#aliases.clear();
  }

  close(): void {
    this.forget();
    this.trim();
    closeSync(this.root.fd);
  }

  /** The directory `name` of an open directory, without following: ENOTDIR for a link or anything else. */
  child(parent: OpenDirectory, name: string): OpenDirectory {
    const path = joinName(parent.path, name);
    const known = this.#open.get(path);
    if (known !== undefined) return known;
    const fd = openSync(within(parent, name), OPEN_DIRECTORY);
    const opened: OpenDirectory = { fd, key: this.key(fstatSync(fd)), path, claimed: false };
    this.#open.set(path, opened);
    return opened;
  }

  /**
   * The directory at `path`, links followed inside the root. undefined when `missing` ended the lookup.
   * @throws ARCHIVE_BREAKOUT when a relative link climbs above the root
   */
  resolve(path: string, missing: MissingDirectory): OpenDirectory | undefined {
    if (path === '') return this.root;
    const known = this.#open.get(path) ?? this.#open.get(this.#aliases.get(path) ?? path);
    if (known !== undefined) return known;
    let here = this.root;
    let rest = path;
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const ancestor = this.#open.get(path.slice(0, slash));
      if (ancestor === undefined) continue;
      here = ancestor;
      rest = path.slice(slash + 1);
      break;
    }
    const found = this.#walk(here, components(rest), path, missing);
    if (found !== undefined && found.path !== path) this.#aliases.set(path, found.path);
    return found;
  }

  #walk(
    from: OpenDirectory,
    pending: string[],
    path: string,
    missing: MissingDirectory,
  ): OpenDirectory | undefined {
    let here = from;
    let expansions = 0;
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (name === '..' || name === CLAMPED_UP) {
        here = this.#up(here, name, path);
        continue;
      }
      const step = this.#step(here, name, missing);
      if (step === undefined) return undefined;
      if (typeof step !== 'string') {
        here = step;
        continue;
      }
      if (++expansions > MAX_LINK_EXPANSIONS) throw tooManyLinks(path);
      if (step.startsWith('/')) here = this.root;
      for (const part of components(step)) {
        pending.push(part === '..' && step.startsWith('/') ? CLAMPED_UP : part);
      }
    }
    return here;
  }

  /** One component down: the directory, the text of a link in its place, or undefined where `missing` gave up. */
  #step(here: OpenDirectory, name: string, missing: MissingDirectory): OpenDirectory | string | undefined {
    try {
      return this.child(here, name);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno !== 'ENOENT' && errno !== 'ENOTDIR' && errno !== 'ELOOP') throw error;
      const existing = statWithin(here, name);
      if (existing?.isSymbolicLink() === true) {
        return readlinkSync(within(here, name), { encoding: 'latin1' });
      }
      return missing(here, name, existing) ? this.child(here, name) : undefined;
    }
  }

  /** `..` is the parent of the link-free path, looked up again: never what a rename made of an open directory. */
  #up(here: OpenDirectory, name: string, path: string): OpenDirectory {
    if (here.path !== '') return this.canonical(parentName(here.path));
    if (name === CLAMPED_UP) return here;
    throw new LayerStoreError(
      'ARCHIVE_BREAKOUT',
      `"${displayName(path)}" passes a symbolic link that climbs above the extraction root; do not trust this archive`,
      { path: displayName(path) },
    );
  }

  /** The directory at a link-free path. Throws the system call's error when it is not there any more. */
  canonical(path: string): OpenDirectory {
    let here = this.root;
    const pending = components(path);
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) here = this.child(here, name);
    return here;
  }
}

/** Components in reverse order, ready to be popped. */
function components(path: string): string[] {
  const parts = path.split('/');
  const reversed: string[] = [];
  for (let index = parts.length - 1; index >= 0; index--) {
    const part = parts[index];
    if (part !== undefined && part !== '' && part !== '.') reversed.push(part);
  }
  return reversed;
}

function tooManyLinks(path: string): LayerStoreError {
  return new LayerStoreError(
    'ARCHIVE_IO',
    `more than ${MAX_LINK_EXPANSIONS} symbolic links on the way to "${displayName(path)}"`,
    { errno: 'ELOOP', syscall: 'open', path: displayName(path) },
  );
}
