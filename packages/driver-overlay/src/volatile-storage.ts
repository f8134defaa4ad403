import { statfsSync } from 'node:fs';
import { fileSystemName } from '@x/layer-store/driver-kit';

/** Short names of the file systems that are in memory. */
export const VOLATILE_STORAGE: ReadonlySet<string> = new Set(['tmpfs', 'ramfs']);

/** Whether nothing at `path` outlives a power cut, so that flushing it is a waste of time. */
export function isVolatileStorage(path: string): boolean {
  return VOLATILE_STORAGE.has(fileSystemName(statfsSync(path).type));
}
