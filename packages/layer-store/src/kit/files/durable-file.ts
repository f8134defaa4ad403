import { randomBytes } from 'node:crypto';
import { open, rename, unlink } from 'node:fs/promises';
import path from 'node:path';

/** Files that begin so were being written when the process died; whoever owns the directory may remove them. */
export const UNFINISHED_PREFIX = '.tmp';

/** Makes the names in a directory durable (fsync(2) on it). */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Replaces a small file whole: written beside it, flushed, renamed over it, and the directory flushed. Whoever reads it
 * at any instant, after a power cut too, finds the old or the new content (spec/drivers.md 1.18).
 */
export async function writeFileDurably(
  file: string,
  data: string | Uint8Array,
  mode: number = 0o600,
): Promise<void> {
  const directory = path.dirname(file);
  const unfinished = path.join(directory, `${UNFINISHED_PREFIX}-${randomBytes(8).toString('hex')}`);
  try {
    const handle = await open(unfinished, 'wx', mode);
    try {
      await handle.writeFile(data);
      // The mode of open is subject to the umask.
      await handle.chmod(mode);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, file);
  } catch (error) {
    await unlink(unfinished).catch(() => undefined);
    throw error;
  }
  await syncDirectory(directory);
}
