import { statfsSync } from 'node:fs';
import { fileSystemName } from '@x/layer-store/driver-kit';

const IN_MEMORY: ReadonlySet<string> = new Set(['tmpfs', 'ramfs']);

/** Whether nothing at `path` outlives a power cut, so that flushing it is a waste of time. */
export function isVolatileStorage(path: string): boolean {
  return IN_MEMORY.has(fileSystemName(statfsSync(path).type));
}
