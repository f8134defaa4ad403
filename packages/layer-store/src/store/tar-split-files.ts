import { mkdir, readdir, rename, rm, unlink } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from '@x/archive';
import { syncDirectory } from '../kit/files/durable-file.js';
import type { StorePaths } from './root-directory.js';

const EXTENSION = '.json.gz';

/** Where a register keeps what is not complete yet. */
export interface Staging {
  readonly directory: string;
  readonly tarSplit: string;
  /** Payloads that later entries of the same layer displace. */
  readonly stash: string;
}

/** The paths of one register under way. */
export function stagingOf(paths: StorePaths, cacheId: string): Staging {
  const directory = path.join(paths.staging, cacheId);
  return {
    directory,
    tarSplit: path.join(directory, 'tar-split.json.gz'),
    stash: path.join(directory, 'stash'),
  };
}

/** The tar-split file of a registered layer. */
export function tarSplitPath(paths: StorePaths, cacheId: string): string {
  return path.join(paths.tarSplit, `${cacheId}${EXTENSION}`);
}

/** Cache ids that have a tar-split file. */
export async function listTarSplits(paths: StorePaths): Promise<Set<string>> {
  const names = await readdir(paths.tarSplit);
  return new Set(
    names.filter((name) => name.endsWith(EXTENSION)).map((name) => name.slice(0, -EXTENSION.length)),
  );
}

export async function makeStaging(staging: Staging): Promise<void> {
  await mkdir(staging.directory, { mode: 0o700 });
  await mkdir(staging.stash, { mode: 0o700 });
}

/** Gives a finished tar-split file its final name, durably. */
export async function placeTarSplit(paths: StorePaths, cacheId: string, sync: boolean): Promise<void> {
  await rename(stagingOf(paths, cacheId).tarSplit, tarSplitPath(paths, cacheId));
  if (sync) await syncDirectory(paths.tarSplit);
}

/** Deletes a layer's tar-split file; missing is fine. */
export async function removeTarSplit(paths: StorePaths, cacheId: string): Promise<void> {
  try {
    await unlink(tarSplitPath(paths, cacheId));
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

/** Deletes what a register left in staging; missing is fine. */
export async function removeStaging(paths: StorePaths, cacheId: string): Promise<void> {
  await rm(stagingOf(paths, cacheId).directory, { recursive: true, force: true });
}
