/**
 * Deletions of lower content, in the three ways a driver keeps them (operation.ts, WhiteoutFormat). Whatever the format,
 * what this extraction made stays, and a mark below something that is deleted already means nothing.
 */
import {
  chownSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  openSync,
  type Stats,
  unlinkSync,
} from 'node:fs';
import { errnoOf } from '../errors.js';
import { joinName } from '../root/byte-name.js';
import type { ExecutorOptions } from './operation.js';
import type { MadeObjects } from './worker-made-objects.js';
import { type Metadata, programError } from './worker-metadata.js';
import { makeNode } from './worker-programs.js';
import type { Removal } from './worker-removal.js';
import {
  type ExtractionTree,
  itself,
  type OpenDirectory,
  openObject,
  statWithin,
  within,
} from './worker-tree.js';

const AUFS_PREFIX = '.wh.';
const AUFS_OPAQUE = '.wh..wh..opq';
const AUFS_MODE = 0o444;
const YES: Uint8Array = new Uint8Array([0x79]);

export class DeletionMarks {
  readonly #tree: ExtractionTree;
  readonly #made: MadeObjects;
  readonly #removal: Removal;
  readonly #metadata: Metadata;
  readonly #options: ExecutorOptions;
  readonly #opaqueXattr: Uint8Array;
  /** aufs format: link-free paths whose `.wh.` file this extraction made. */
  readonly #whitedOut = new Set<string>();

  constructor(
    tree: ExtractionTree,
    made: MadeObjects,
    removal: Removal,
    metadata: Metadata,
    options: ExecutorOptions,
  ) {
    this.#tree = tree;
    this.#made = made;
    this.#removal = removal;
    this.#metadata = metadata;
    this.#options = options;
    this.#opaqueXattr = Buffer.from(options.userXattr ? 'user.overlay.opaque' : 'trusted.overlay.opaque');
  }

  /** overlay format: a character device 0/0. */
  isWhiteout(stat: Stats): boolean {
    return this.#options.whiteouts === 'overlay' && stat.isCharacterDevice() && stat.rdev === 0;
  }

  /** True when `name` is deleted by a mark of this tree. `existing`: what lies there. */
  isDeleted(directory: OpenDirectory, name: string, existing: Stats | undefined): boolean {
    if (existing !== undefined && this.isWhiteout(existing)) return true;
    return this.#whitedOut.size > 0 && this.#whitedOut.has(joinName(directory.path, name));
  }

  /** aufs keeps a mark beside its object, where it would still delete what is about to be made. */
  dropMark(directory: OpenDirectory, name: string): boolean {
    if (this.#whitedOut.size === 0 || !this.#whitedOut.delete(joinName(directory.path, name))) return false;
    unlinkSync(within(directory, AUFS_PREFIX + name));
    return true;
  }

  /** A directory that took the place of something else: lower content of that name must not show through. */
  hideLower(directory: OpenDirectory): void {
    if (this.#options.whiteouts === 'delete') return;
    this.opaque(directory, this.#options.impliedUid, this.#options.impliedGid);
  }

  opaque(directory: OpenDirectory, uid: number, gid: number): void {
    if (this.#options.whiteouts === 'delete') this.#removal.sweep(directory);
    else if (this.#options.whiteouts === 'aufs') this.#marker(directory, AUFS_OPAQUE, uid, gid);
    else this.#metadata.setOwnXattr(directory.fd, { name: this.#opaqueXattr, value: YES }, directory.path);
  }

  whiteout(directory: OpenDirectory, name: string, uid: number, gid: number): void {
    const existing = statWithin(directory, name);
    if (this.isDeleted(directory, name, existing)) return;
    if (existing !== undefined) {
      if (this.#made.has(this.#tree.key(existing), joinName(directory.path, name))) {
        if (existing.isDirectory()) this.opaque(this.#tree.child(directory, name), uid, gid);
        return;
      }
      this.#removal.remove(directory, name, existing);
    }
    if (this.#options.whiteouts === 'overlay') this.#device(directory, name, uid, gid);
    else if (this.#options.whiteouts === 'aufs') {
      this.#marker(directory, AUFS_PREFIX + name, uid, gid);
      this.#whitedOut.add(joinName(directory.path, name));
    }
  }

  #device(directory: OpenDirectory, name: string, uid: number, gid: number): void {
    const failure = makeNode(directory, name, 'c', 0, 0);
    if (failure !== undefined) throw programError(failure, joinName(directory.path, name));
    if (!this.#options.chown) return;
    const fd = openObject(directory, name);
    try {
      chownSync(itself(fd), uid, gid);
    } finally {
      closeSync(fd);
    }
  }

  #marker(directory: OpenDirectory, name: string, uid: number, gid: number): void {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    let fd: number;
    try {
      fd = openSync(within(directory, name), flags, AUFS_MODE);
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return;
      throw error;
    }
    try {
      const stat = fstatSync(fd);
      this.#made.add(this.#tree.key(stat));
      const meta = { mode: AUFS_MODE, uid, gid, mtime: 0, atime: 0 };
      this.#metadata.applyToFile(fd, stat, meta, [], joinName(directory.path, name));
      fchmodSync(fd, AUFS_MODE);
    } finally {
      closeSync(fd);
    }
  }
}
