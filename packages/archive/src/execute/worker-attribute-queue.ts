/**
 * Attributes that can wait: a process of setfattr(1) for every file would take a hundred times as long as making the file, so
 * one sets those of many. Only `user.*` may wait; all others have effects of their own (an ACL is inherited, for one).
 */
import { chmodSync, closeSync, openSync } from 'node:fs';
import { nameOf } from '../root/byte-name.js';
import type { OperationXattrs } from './worker-batch.js';
import { type ProgramFailure, setXattr, setXattrs } from './worker-programs.js';
import { itself, O_PATH } from './worker-tree.js';

/** Each holds a descriptor, here and in the child. */
const MAX_WAITING = 128;

interface Waiting {
  readonly fd: number;
  readonly xattrs: OperationXattrs;
  readonly path: string;
  /** What takes away the right to set attributes comes after them. */
  readonly mode: number | undefined;
}

export class AttributeQueue {
  readonly #onFailure: (failure: ProgramFailure, path: string, attribute: string) => void;
  #waiting: Waiting[] = [];

  /** @param onFailure may throw: what waits is then given up */
  constructor(onFailure: (failure: ProgramFailure, path: string, attribute: string) => void) {
    this.#onFailure = onFailure;
  }

  static takes(xattrs: OperationXattrs): boolean {
    return xattrs.length > 0 && xattrs.every(({ name }) => nameOf(name).startsWith('user.'));
  }

  /**
   * @param fd stays the caller's
   * @param mode set when the attributes are; undefined leaves it
   */
  add(fd: number, xattrs: OperationXattrs, path: string, mode: number | undefined): void {
    const handle = openSync(itself(fd), O_PATH);
    // The batch they point into is used again.
    const kept = xattrs.map(({ name, value }) => ({ name: Buffer.from(name), value: Buffer.from(value) }));
    this.#waiting.push({ fd: handle, xattrs: kept, path, mode });
    if (this.#waiting.length >= MAX_WAITING) this.flush();
  }

  /** Returns when nothing waits any more. */
  flush(): void {
    if (this.#waiting.length === 0) return;
    try {
      // Who was refused what, only a call of its own tells.
      if (setXattrs(this.#waiting) !== undefined) for (const waiting of this.#waiting) this.#one(waiting);
      for (const { fd, mode } of this.#waiting) if (mode !== undefined) chmodSync(itself(fd), mode);
    } finally {
      this.close();
    }
  }

  /** Gives up what waits. */
  close(): void {
    for (const { fd } of this.#waiting) closeSync(fd);
    this.#waiting = [];
  }

  #one({ fd, xattrs, path }: Waiting): void {
    for (const xattr of xattrs) {
      const failure = setXattr(fd, xattr);
      if (failure !== undefined) this.#onFailure(failure, path, nameOf(xattr.name));
    }
  }
}
