import { readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoOf } from '@x/archive';
import { syncDirectory } from '@x/layer-store/driver-kit';
import { step } from '../failpoints.js';
import { migratedFile } from './file-names.js';
import { parseLegacyRecord } from './legacy-record.js';
import type { MetadataDirectory } from './metadata-directory.js';

/**
 * Gives every device of Docker 0.7's single file, `<home>/devicemapper/json`, a file of its own, and puts the single one
 * aside as `json.migrated`. A kill in between leaves the single file, and the next start does the same again with the
 * same result. DRIVER_STATE_DAMAGED when the file cannot be read: nothing has been changed then.
 */
export async function migrateLegacyMetadata(home: string, metadata: MetadataDirectory): Promise<boolean> {
  const path = join(home, 'devicemapper', 'json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
  for (const [hash, record] of parseLegacyRecord(text, path)) {
    await step('migration.device', () => metadata.saveDevice(hash, record));
  }
  await step('migration.done', async () => {
    await rename(path, migratedFile(path));
    await syncDirectory(dirname(path));
  });
  return true;
}
