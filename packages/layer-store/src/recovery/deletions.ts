import type { Driver } from '../driver/driver.js';
import { step } from '../failpoint/failpoints.js';
import type { MetadataStore } from '../metadata/metadata-store.js';
import type { IntentRecord, RemovalRecord } from '../metadata/records.js';
import type { StorePaths } from '../store/root-directory.js';
import { removeStaging, removeTarSplit } from '../store/tar-split-files.js';

/** What deleting needs. */
export interface DeletionTools {
  readonly driver: Driver;
  readonly metadata: MetadataStore;
  readonly paths: StorePaths;
}

/**
 * Deletes what is left of something that is logically gone: driver data first, the record last, so that a death in
 * between is finished at the next open. Every part may be missing already.
 */
export async function finishRemoval(tools: DeletionTools, removal: RemovalRecord): Promise<void> {
  for (const id of removal.driverIds) {
    await step('removal.driver-remove', () => tools.driver.remove(id));
  }
  const { tarSplit } = removal;
  if (tarSplit !== undefined) await step('removal.tar-split', () => removeTarSplit(tools.paths, tarSplit));
  await step('removal.finish', () => tools.metadata.finishRemoval(removal.id));
}

/** Takes back everything an operation that did not commit may have made, its intent last. */
export async function undoIntent(tools: DeletionTools, intent: IntentRecord): Promise<void> {
  for (const id of intent.driverIds) {
    await step('undo.driver-remove', () => tools.driver.remove(id));
  }
  await step('undo.files', async () => {
    await removeStaging(tools.paths, intent.id);
    await removeTarSplit(tools.paths, intent.id);
  });
  await step('undo.drop-intent', () => tools.metadata.dropIntents([intent.id]));
}
