/** Removing objects from the extraction root; payloads of this layer are put into the stash before they go. */
import {
  closeSync,
  constants,
  copyFileSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  rmdirSync,
  type Stats,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../errors.js';
import { joinName } from '../root/byte-name.js';
import type { MadeObjects } from './worker-made-objects.js';
import { type ExtractionTree, itself, type OpenDirectory, openObject, within } from './worker-tree.js';

export class Removal {
  readonly #tree: ExtractionTree;
  readonly #made: MadeObjects;
  readonly #stashDirectory: string | undefined;
  /** Payloads displaced since the last report. */
  displaced: number[] = [];

  constructor(tree: ExtractionTree, made: MadeObjects, stashDirectory: string | undefined) {
    this.#tree = tree;
    this.#made = made;
    this.#stashDirectory = stashDirectory;
  }

  /** Removes `name` with everything in it. `stat` is its lstat. */
  remove(directory: OpenDirectory, name: string, stat: Stats): void {
    // Open descriptors of what goes, or paths that passed a link that goes, must not be used again.
    if (stat.isDirectory() || stat.isSymbolicLink()) this.#tree.forget();
    this.#remove(directory, name, stat);
  }

  /** Removes what is below a directory and not of this layer, at any depth. */
  sweep(directory: OpenDirectory): void {
    this.#tree.forget();
    this.#sweep(directory);
  }

  /** Saves a payload whose name is about to be lost, or is lost already. */
  stash(directory: OpenDirectory, name: string, fileIndex: number): void {
    if (this.#stashDirectory === undefined) return;
    const target = join(this.#stashDirectory, `${fileIndex}`);
    try {
      linkSync(within(directory, name), target);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno !== 'EXDEV' && errno !== 'EPERM' && errno !== 'EMLINK' && errno !== 'EOPNOTSUPP') throw error;
      const fd = openSync(within(directory, name), constants.O_RDONLY | constants.O_NOFOLLOW);
      try {
        copyFileSync(itself(fd), target, constants.COPYFILE_EXCL);
      } finally {
        closeSync(fd);
      }
    }
    this.displaced.push(fileIndex);
  }

  #remove(directory: OpenDirectory, name: string, stat: Stats): void {
    const place = joinName(directory.path, name);
    const key = this.#tree.key(stat);
    if (stat.isDirectory()) {
      this.#descend(directory, name, stat, (opened, child, childStat) =>
        this.#remove(opened, child, childStat),
      );
      rmdirSync(within(directory, name));
      this.#made.removed(key, place, true);
      return;
    }
    const payload = this.#made.payloadAt(key, place);
    if (payload !== undefined) {
      this.stash(directory, name, payload);
      this.#made.dropPayload(key);
    }
    unlinkSync(within(directory, name));
    this.#made.removed(key, place, stat.nlink <= 1);
  }

  #sweep(directory: OpenDirectory): void {
    for (const name of readdirSync(itself(directory.fd), { encoding: 'latin1' })) {
      const stat = lstatSync(within(directory, name));
      if (!this.#made.has(this.#tree.key(stat), joinName(directory.path, name))) {
        this.#remove(directory, name, stat);
      } else if (stat.isDirectory()) {
        const fd = openObject(directory, name);
        try {
          this.#sweep(opened(directory, name, fd, this.#tree.key(stat)));
        } finally {
          closeSync(fd);
        }
      }
    }
  }

  /** Visits the children through a descriptor of its own: one per level, bounded by the depth of a path. */
  #descend(
    directory: OpenDirectory,
    name: string,
    stat: Stats,
    visit: (opened: OpenDirectory, child: string, stat: Stats) => void,
  ): void {
    const fd = openObject(directory, name);
    try {
      const inside = opened(directory, name, fd, this.#tree.key(stat));
      for (const child of readdirSync(itself(fd), { encoding: 'latin1' })) {
        visit(inside, child, lstatSync(within(inside, child)));
      }
    } finally {
      closeSync(fd);
    }
  }
}

function opened(parent: OpenDirectory, name: string, fd: number, key: OpenDirectory['key']): OpenDirectory {
  return { fd, key, path: joinName(parent.path, name), claimed: false };
}
