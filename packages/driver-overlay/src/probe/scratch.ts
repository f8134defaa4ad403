import { mkdtemp, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { removeRobustly } from '@x/layer-store/driver-kit';

/** Ids begin with a letter or digit, so no layer is called so. */
const PREFIX = '.overlay-probe-';
/** No probe takes that long; what is older was left by a process that was killed. Milliseconds. */
const STALE_AFTER = 60 * 60 * 1000;

/**
 * Runs `use` on a new directory in `place`, which exists, and removes it with whatever is mounted in it, also after a
 * failure: a probe must leave nothing that looks like state of a driver (spec/drivers.md 1.5). Clears away what a killed
 * probe left.
 */
export async function withScratch<T>(place: string, use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(place, PREFIX));
  try {
    return await use(directory);
  } finally {
    await removeRobustly(directory);
    await removeStale(place);
  }
}

async function removeStale(place: string): Promise<void> {
  for (const name of await readdir(place)) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(place, name);
    const age = await stat(path).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > STALE_AFTER) await removeRobustly(path);
  }
}
