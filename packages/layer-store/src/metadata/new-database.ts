import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from '@x/archive';
import { Level } from 'level';
import { step } from '../failpoint/failpoints.js';
import { syncDirectory } from '../kit/files/durable-file.js';

/** Beside the database's own name while it is made. */
const UNFINISHED = '.new';

/**
 * Makes an empty LevelDB at `location` unless there is one. LevelDB itself names a first manifest that it has not flushed: a power
 * cut soon afterwards leaves a database that cannot be opened any more. So it is made under another name, flushed, and
 * renamed.
 */
export async function ensureDatabase(location: string, sync: boolean): Promise<void> {
  const unfinished = `${location}${UNFINISHED}`;
  await rm(unfinished, { recursive: true, force: true });
  if (await exists(location)) return;
  await step('open.make-database', () => makeDatabase(unfinished, sync));
  await step('open.publish-database', async () => {
    await rename(unfinished, location);
    if (sync) await syncDirectory(path.dirname(location));
  });
}

async function makeDatabase(directory: string, sync: boolean): Promise<void> {
  const level = new Level(directory);
  await level.open();
  await level.close();
  if (!sync) return;
  for (const name of await readdir(directory)) {
    const file = await open(path.join(directory, name), 'r');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  }
  await syncDirectory(directory);
}

async function exists(location: string): Promise<boolean> {
  try {
    await stat(location);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
