import { stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from '@x/archive';
import { fileSystemName } from './file-system-name.js';

/** The file system that something lies on. */
export interface FileSystem {
  /** Docker's short name; see {@link fileSystemName}. */
  readonly name: string;
  /** statfs(2) magic, unsigned 32 bits. */
  readonly type: number;
  /** `st_dev`. */
  readonly device: bigint;
}

/** The file system of `place`, or of the nearest directory above it that exists. */
export async function fileSystemOf(place: string): Promise<FileSystem> {
  try {
    // f_type is signed on some architectures.
    const type = (await statfs(place)).type >>> 0;
    const { dev } = await stat(place, { bigint: true });
    return { name: fileSystemName(type), type, device: dev };
  } catch (error) {
    const parent = path.dirname(place);
    if (errnoOf(error) !== 'ENOENT' || parent === place) throw error;
    return fileSystemOf(parent);
  }
}
