import { readdir } from 'node:fs/promises';
import pLimit from 'p-limit';
import type { MetadataContents } from '../metadata/records.js';
import type { StorePaths } from '../store/root-directory.js';
import { removeStaging } from '../store/tar-split-files.js';
import type { PendingDeletions } from './pending-deletions.js';

/** Deletions at once: enough to keep a disk busy. */
const CONCURRENCY = 4;

/**
 * Finishes every removal and undoes every intent that a dead process left, then empties the staging directory. Twice is
 * the same as once. What cannot be deleted now stays recorded and is reported by `diagnose`; it does not keep the store
 * from opening.
 */
export async function recover(
  contents: MetadataContents,
  pending: PendingDeletions,
  paths: StorePaths,
): Promise<void> {
  const limit = pLimit(CONCURRENCY);
  await Promise.all([
    ...contents.intents.map((intent) => limit(() => pending.undo(intent))),
    ...contents.removals.map((removal) => limit(() => pending.remove(removal))),
  ]);
  for (const name of await readdir(paths.staging)) await removeStaging(paths, name);
}
