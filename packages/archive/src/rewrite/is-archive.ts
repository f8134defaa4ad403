import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { ByteSource } from '../byte-source.js';
import { type DecompressOptions, decompress } from '../compress/decompress.js';
import { isLayerStoreError } from '../errors.js';
import { TarEvents } from '../interop/tar-events.js';
import { assertPath } from '../options/validate.js';

/** A header cannot take more than this before it is reported: long name, long link and pax body of 1 MiB each. */
const LOOK_BYTES = 4 * 1024 * 1024;

/**
 * Whether a file is a tar, compressed or not: it starts with a header that can be parsed. False for directories, other
 * special files (which are not opened for reading, so a FIFO does not block), missing and unreadable files, and zeros.
 * The options are those of `decompress`. @throws OPTION_INVALID, OPTION_UNKNOWN; the signal's reason
 */
export async function isArchivePath(path: string, options: DecompressOptions = {}): Promise<boolean> {
  assertPath('isArchivePath', 'path', path);
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return false;
  }
  try {
    if (!(await file.stat()).isFile()) return false;
    const source = file.createReadStream({ autoClose: false, highWaterMark: 64 * 1024 });
    const limits = { ...options.limits, maxBytes: LOOK_BYTES };
    return !(await isEmptyArchive(decompress(source, { ...options, limits })));
  } catch (error) {
    options.signal?.throwIfAborted();
    const misused = isLayerStoreError(error, 'OPTION_INVALID') || isLayerStoreError(error, 'OPTION_UNKNOWN');
    if (misused) throw error;
    return false;
  } finally {
    await file.close();
  }
}

/**
 * Whether an uncompressed tar has no entry. The source is closed after the first header.
 * @throws the codes of `TarReader` when what comes first is not a header
 */
export async function isEmptyArchive(source: ByteSource): Promise<boolean> {
  await using events = new TarEvents(source);
  for (let event = await events.next(); event !== undefined; event = await events.next()) {
    if (event.type === 'header') return false;
  }
  return true;
}
