/** POSIX: a file with several links is one file, known by device and inode together. */
import { type FileStat, inodeKey } from '../root/file-stat.js';

/** Remembers the inodes that have more than one link. */
export class InodeSet {
  readonly #seen: Set<string> = new Set();

  /** True the first time an inode is shown; always true for files with one link, which cost no memory. */
  firstSight(stat: FileStat): boolean {
    if (stat.nlink < 2) return true;
    const key = inodeKey(stat);
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }
}
