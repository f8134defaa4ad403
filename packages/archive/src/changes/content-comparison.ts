/** Byte comparison of two files of the same path in two trees. */
import { closeSync, readSync } from 'node:fs';
import type { OpenDirectory } from '../root/root-directory.js';

const BLOCK_LENGTH = 256 * 1024;

/** Two buffers for all comparisons of a walk. */
export interface ComparisonBuffers {
  readonly older: Buffer;
  readonly newer: Buffer;
}

export function comparisonBuffers(): ComparisonBuffers {
  return { older: Buffer.allocUnsafeSlow(BLOCK_LENGTH), newer: Buffer.allocUnsafeSlow(BLOCK_LENGTH) };
}

/**
 * Yields after every block, so that the caller can let other work run between two of a large file.
 * @returns true when every byte is the same
 * @throws what open and read throw
 */
export function* sameContent(
  older: OpenDirectory,
  newer: OpenDirectory,
  name: string,
  buffers: ComparisonBuffers,
): Generator<void, boolean, undefined> {
  const olderFd = older.openFile(name);
  try {
    const newerFd = newer.openFile(name);
    try {
      for (;;) {
        const olderLength = fill(olderFd, buffers.older);
        const newerLength = fill(newerFd, buffers.newer);
        if (olderLength !== newerLength) return false;
        if (buffers.older.compare(buffers.newer, 0, newerLength, 0, olderLength) !== 0) return false;
        if (olderLength < BLOCK_LENGTH) return true;
        yield;
      }
    } finally {
      closeSync(newerFd);
    }
  } finally {
    closeSync(olderFd);
  }
}

/** Reads a whole block, less at the end of the file only. */
function fill(fd: number, buffer: Buffer): number {
  let length = 0;
  while (length < buffer.length) {
    const count = readSync(fd, buffer, length, buffer.length - length, null);
    if (count === 0) break;
    length += count;
  }
  return length;
}
