import { closeSync, openSync, truncateSync, writeFileSync } from 'node:fs';
import { LO_FLAGS_AUTOCLEAR } from './constants.js';
import { native } from './loader.js';
import type { NativeError } from './types.js';

/** A sparse file of `size` bytes. */
export function sparseFile(path: string, size: number): string {
  writeFileSync(path, '');
  truncateSync(path, size);
  return path;
}

/** An attached loop device, which goes when `fd` is closed. */
export interface AttachedLoop {
  readonly fd: number;
  readonly path: string;
  readonly number: number;
}

/** Attaches with LOOP_CONFIGURE, again when somebody else was faster. */
export function attachLoop(file: string): AttachedLoop {
  if (!native.available) throw new Error(native.reason);
  const { calls } = native;
  const control = openSync('/dev/loop-control', 'r');
  const backing = openSync(file, 'r+');
  try {
    for (;;) {
      const number = calls.loopCtlGetFreeSync(control);
      const path = `/dev/loop${number}`;
      const fd = openSync(path, 'r+');
      try {
        calls.loopConfigureSync(fd, backing, { flags: LO_FLAGS_AUTOCLEAR, fileName: file });
        return { fd, path, number };
      } catch (error) {
        closeSync(fd);
        if ((error as NativeError).code !== 'EBUSY') throw error;
      }
    }
  } finally {
    closeSync(backing);
    closeSync(control);
  }
}
