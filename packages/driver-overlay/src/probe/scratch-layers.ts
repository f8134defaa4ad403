import { lstat, mkdir, readdir, rmdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '@x/archive';

/** Directories of a small overlay, and what is in them: `from-1`, `from-2`, `gone` and `hidden/below`. */
export interface ScratchLayers {
  /** Nearest first. */
  readonly lowers: readonly [string, string];
  readonly upper: string;
  readonly work: string;
  readonly merged: string;
}

/** Fills `directory` with the layers of a trial mount. */
export async function makeScratchLayers(directory: string): Promise<ScratchLayers> {
  const at = (name: string): string => join(directory, name);
  for (const name of ['lower1', 'lower2', 'upper', 'work', 'merged']) await mkdir(at(name));
  await mkdir(at('lower1/hidden'));
  for (const file of ['lower1/from-1', 'lower2/from-2', 'lower1/gone', 'lower1/hidden/below']) {
    await writeFile(at(file), '');
  }
  return {
    lowers: [at('lower2'), at('lower1')],
    upper: at('upper'),
    work: at('work'),
    merged: at('merged'),
  };
}

/**
 * Uses the mounted layers as a build would: both lowers show, a file of a lower one can be deleted, a directory deleted and
 * made anew is empty. Some file systems fail only here (spec/drivers.md 8, row 53).
 * @returns what went wrong, or undefined
 */
export async function tryDeletions({ merged }: ScratchLayers): Promise<string | undefined> {
  const at = (name: string): string => join(merged, name);
  try {
    await lstat(at('from-1'));
    await lstat(at('from-2'));
    await unlink(at('gone'));
    await unlink(at('hidden/below'));
    await rmdir(at('hidden'));
    await mkdir(at('hidden'));
    const names = await readdir(merged);
    if (names.includes('gone')) return 'a deleted file still shows';
    return (await readdir(at('hidden'))).length > 0
      ? 'a deleted directory still shows what it held'
      : undefined;
  } catch (error) {
    return errnoOf(error) ?? String(error);
  }
}
