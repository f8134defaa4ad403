import { lstatSync } from 'node:fs';
import { errnoOf } from '@x/archive';
import type { DriverId } from '@x/layer-store';
import {
  type DirectoryStep,
  removeRobustly,
  runDirectorySteps,
  syncDirectory,
} from '@x/layer-store/driver-kit';
import { step } from './failpoints.js';
import { IMAGE, type LayerFiles, TRASHED } from './layer-files.js';
import { isShortLink, type ShortLink } from './short-link.js';

/** Any of these makes a directory in the home the rest of a layer; one with none of them is not ours to delete. */
const TRACES = ['diff', 'link', 'lower', 'lower-ids', 'work'] as const;

/** The kernel makes a directory in `work` with the first mount. */
const DIRECTORIES = ['diff', 'work/work', 'work'] as const;
const FILES = ['link', 'lower', 'lower-ids', 'committed', IMAGE] as const;

/** How a layer is removed. */
export interface RemovalOptions {
  /** The layer's name in `l/`; undefined is lost. */
  readonly link: ShortLink | undefined;
  /** False where nothing outlives a power cut anyway (tmpfs). */
  readonly durable: boolean;
}

/**
 * Deletes a layer that is not mounted: one rename takes it out of sight, then its link goes, then its content. Unknown is
 * fine, and so is one whose removal was interrupted.
 *
 * The rename is the one step that is flushed: when this returns, the store forgets that there was anything to delete, and
 * a layer that came back after a power cut would belong to nobody.
 */
export async function removeLayer(
  files: LayerFiles,
  id: DriverId,
  { link, durable }: RemovalOptions,
): Promise<void> {
  const trashed = TRASHED + id;
  if (!isLayer(files, id)) return;
  await step('multi-lower.remove.unpublish', async () => {
    await moveAway(files, id, trashed);
    if (durable) await syncDirectory(files.home);
  });
  await step('multi-lower.remove.link', async () => {
    if (link !== undefined) files.removeLink(link);
    else removeLinksTo(files, id);
  });
  await step('multi-lower.remove.delete', async () => {
    if (!removeUntouched(files, trashed)) await removeRobustly(files.path(trashed));
  });
}

/**
 * Deletes a layer that nobody has written to, by name: for the layer of a container that only ran, a fraction of what a look
 * at everything takes. False: there is more in it.
 */
function removeUntouched(files: LayerFiles, trashed: string): boolean {
  const steps: DirectoryStep[] = [];
  for (const name of DIRECTORIES) steps.push({ verb: 'rmdir-if-there', path: `${trashed}/${name}` });
  for (const name of FILES) steps.push({ verb: 'unlink-if-there', path: `${trashed}/${name}` });
  steps.push({ verb: 'rmdir', path: trashed });
  try {
    runDirectorySteps(files.home, steps);
    return true;
  } catch {
    // Whatever it was, the thorough way meets it again and tells.
    return false;
  }
}

/** Clears away what is under a layer's name if it is the rest of one. False: it is something else. */
export async function removeRemains(files: LayerFiles, id: DriverId): Promise<boolean> {
  if (!isLayer(files, id)) return false;
  await removeLayer(files, id, { link: files.link(id), durable: false });
  return true;
}

function isLayer(files: LayerFiles, id: DriverId): boolean {
  return TRACES.some((name) => lstatSync(files.path(id, name), { throwIfNoEntry: false }) !== undefined);
}

async function moveAway(files: LayerFiles, id: DriverId, trashed: string): Promise<void> {
  const away: DirectoryStep = { verb: 'rename', path: id, to: trashed };
  try {
    runDirectorySteps(files.home, [away]);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== 'ENOTEMPTY' && errno !== 'EEXIST') throw error;
    // An earlier removal of the same id did not get through.
    await removeRobustly(files.path(trashed));
    runDirectorySteps(files.home, [away]);
  }
}

/** Without its `link` file only a look at all of `l/` says what leads to the layer. */
function removeLinksTo(files: LayerFiles, id: DriverId): void {
  for (const [link, target] of files.links()) if (target === id && isShortLink(link)) files.removeLink(link);
}
