import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf, LayerStoreError } from '@x/archive';
import type { LoopImage } from './loop-devices.js';

/**
 * Makes the sparse file that a loop device shows, in a directory of mode 0700, or makes it larger. A file that is larger than
 * asked stays as it is: a pool on it would lose its end. @throws DRIVER_FAILED for a path that is no regular file
 */
export async function ensureImage(path: string, size: number): Promise<LoopImage> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const created = await openNew(path);
  if (created !== undefined) {
    await using file = created;
    await file.truncate(size);
    return { path, outcome: 'created', size };
  }
  await using file = await open(path, 'r+');
  const stats = await file.stat();
  if (!stats.isFile()) {
    throw new LayerStoreError(
      'DRIVER_FAILED',
      `${path} is not a regular file; move it away, or give a block device with dm.datadev and dm.metadatadev`,
      { driver: 'devicemapper', path },
    );
  }
  if (stats.size === size) return { path, outcome: 'unchanged', size };
  if (stats.size > size) return { path, outcome: 'larger-than-asked', size: stats.size };
  await file.truncate(size);
  return { path, outcome: 'grown', size };
}

async function openNew(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'wx+', 0o600);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return undefined;
    throw error;
  }
}
