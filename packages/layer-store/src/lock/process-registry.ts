import { stat } from 'node:fs/promises';
import { LayerStoreError } from '@x/archive';
import type { Release } from './keyed-mutex.js';

const REGISTRY = Symbol.for('@x/layer-store.open-directories');

/** dev:ino → the path it was opened by. Shared by every copy of this package in the process. */
type Registry = Map<string, string>;

/**
 * Claims a directory for one opener within this process, by device and inode, so that another path to the same place is
 * seen too. This has to come before LevelDB is touched: opening a database twice in one process drops the lock that
 * keeps other processes out (spec/dependencies.md A3). Throws STORE_LOCKED.
 */
export async function claimDirectory(path: string): Promise<Release> {
  const { dev, ino } = await stat(path, { bigint: true });
  const key = `${dev}:${ino}`;
  const registry = openDirectories();
  const opener = registry.get(key);
  if (opener !== undefined) {
    throw new LayerStoreError(
      'STORE_LOCKED',
      `${path} is open in this process already${opener === path ? '' : ` as ${opener}`}: close that store first`,
      { path },
    );
  }
  registry.set(key, path);
  return () => {
    registry.delete(key);
  };
}

function openDirectories(): Registry {
  const shared = globalThis as { [REGISTRY]?: Registry };
  shared[REGISTRY] ??= new Map();
  return shared[REGISTRY];
}
