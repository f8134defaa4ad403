/** Lets an ordinary user set attributes on files that are read-only for their owner too. */
import { chmodSync } from 'node:fs';
import { baseName, callName, parentName } from '../root/byte-name.js';
import { DirectoryTrail } from '../root/directory-trail.js';
import { isDirectory, isRegularFile } from '../root/file-stat.js';
import { ioError } from '../root/io-error.js';
import type { OpenDirectory, RootDirectory } from '../root/root-directory.js';

const OWNER_WRITES = 0o200;
const PERMISSIONS = 0o7777;

/**
 * Setting `user.*` takes the right to write the inode (xattr(7)), which root has always and an owner by the mode only. While
 * this is held, those of the files and directories that lack it have it; disposing puts their modes back.
 */
export class WriteAccess implements Disposable {
  readonly #root: RootDirectory;
  readonly #modes: Map<string, number> = new Map();

  /**
   * @param paths latin-1 from the root; empty is the root itself
   * @throws ARCHIVE_IO
   */
  constructor(root: RootDirectory, paths: Iterable<string>) {
    this.#root = root;
    if (process.geteuid?.() === 0) return;
    this.#each(paths, (parent, name, path) => {
      const stat = parent.lstat(name);
      if ((stat.mode & OWNER_WRITES) !== 0 || !(isRegularFile(stat) || isDirectory(stat))) return;
      chmodIn(parent, name, (stat.mode & PERMISSIONS) | OWNER_WRITES);
      this.#modes.set(path, stat.mode & PERMISSIONS);
    });
  }

  [Symbol.dispose](): void {
    this.#each(this.#modes.keys(), (parent, name, path) => {
      const mode = this.#modes.get(path);
      if (mode !== undefined) chmodIn(parent, name, mode);
    });
  }

  #each(paths: Iterable<string>, visit: (parent: OpenDirectory, name: string, path: string) => void): void {
    using trail = new DirectoryTrail(this.#root.top);
    for (const path of paths) {
      try {
        visit(trail.enter(parentName(path)), path === '' ? '.' : baseName(path), path);
      } catch (error) {
        throw ioError(error, 'change the mode of', path);
      }
    }
  }
}

/** Not of a link: chmod(2) would follow it, and the kernel has no `user.*` on one anyway. */
function chmodIn(parent: OpenDirectory, name: string, mode: number): void {
  chmodSync(callName(`/proc/self/fd/${parent.fd}/${name}`), mode);
}
