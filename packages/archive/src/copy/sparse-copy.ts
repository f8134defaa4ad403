/** File content without the addon: cloned where the file system can, holes kept. */
import { closeSync, constants, copyFileSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import type { FileStat } from '../root/file-stat.js';

/** Holes are made at the granularity of a page-sized block. */
const HOLE_BLOCK = 4096;
const READ_LENGTH = 1024 * 1024;
const SECTOR = 512;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Copies an open file to a new name. A file that occupies less than its size has holes: Node cannot ask where, so runs of
 * zeros are left out of the copy instead. Other files go through the kernel (FICLONE, else copy_file_range).
 * Yields between pieces of a sparse file.
 * @param target path of the new file
 * @throws what `node:fs` throws; EEXIST when the target exists
 */
export function* copyContent(
  fd: number,
  stat: FileStat,
  target: string | Buffer,
): Generator<void, void, undefined> {
  if (stat.blocks * SECTOR >= stat.size) {
    copyFileSync(`/proc/self/fd/${fd}`, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    return;
  }
  const out = openSync(target, NEW_FILE, 0o600);
  try {
    const buffer = Buffer.allocUnsafe(Math.min(READ_LENGTH, stat.size));
    let position = 0;
    for (;;) {
      const length = readSync(fd, buffer, 0, buffer.length, position);
      if (length === 0) break;
      writeData(out, buffer.subarray(0, length), position);
      position += length;
      yield;
    }
    ftruncateSync(out, position);
  } finally {
    closeSync(out);
  }
}

const ZEROS = Buffer.alloc(HOLE_BLOCK);

/** Writes the runs of blocks that are not all zero. */
function writeData(out: number, bytes: Buffer, position: number): void {
  let start = -1;
  for (let offset = 0; offset < bytes.length; offset += HOLE_BLOCK) {
    const block = bytes.subarray(offset, offset + HOLE_BLOCK);
    const empty = block.equals(block.length === HOLE_BLOCK ? ZEROS : ZEROS.subarray(0, block.length));
    if (!empty && start === -1) start = offset;
    if (empty && start !== -1) {
      writeFully(out, bytes.subarray(start, offset), position + start);
      start = -1;
    }
  }
  if (start !== -1) writeFully(out, bytes.subarray(start), position + start);
}

function writeFully(out: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(out, bytes, done, bytes.length - done, position + done);
  }
}
