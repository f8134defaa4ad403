import { lstatSync, readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';
import { errnoOf } from '@x/archive';
import type { DriverId } from '@x/layer-store';
import { removeRobustly, syncDirectory } from '@x/layer-store/driver-kit';
import { step } from './failpoints.js';
import { IMAGE, type LayerFiles, TRASHED } from './layer-files.js';
import { isShortLink, type ShortLink } from './short-link.js';

/** Any of these makes a directory in the home the rest of a layer; one with none of them is not ours to delete. */
const TRACES = ['diff', 'link', 'lower', 'lower-ids', 'work'] as const;

const FILES: ReadonlySet<string> = new Set(['link', 'lower', 'lower-ids', 'committed', IMAGE]);

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
    if (!removeUntouched(files.path(trashed))) await removeRobustly(files.path(trashed));
  });
}

/**
 * Deletes a layer that nobody has written to, by name: for the layer of a container that only ran, a fraction of what a look
 * at everything takes. False: there is more in it.
 */
function removeUntouched(directory: string): boolean {
  try {
    for (const name of readdirSync(directory)) {
      const path = `${directory}/${name}`;
      if (FILES.has(name)) unlinkSync(path);
      else if (name === 'work') removeWork(path);
      else rmdirSync(path);
    }
    rmdirSync(directory);
    return true;
  } catch {
    // Whatever it was, the thorough way meets it again and tells.
    return false;
  }
}

/** The kernel makes a directory in it with the first mount. */
function removeWork(work: string): void {
  const inner = `${work}/work`;
  if (lstatSync(inner, { throwIfNoEntry: false }) !== undefined) rmdirSync(inner);
  rmdirSync(work);
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
  try {
    renameSync(files.path(id), files.path(trashed));
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== 'ENOTEMPTY' && errno !== 'EEXIST') throw error;
    // An earlier removal of the same id did not get through.
    await removeRobustly(files.path(trashed));
    renameSync(files.path(id), files.path(trashed));
  }
}

/** Without its `link` file only a look at all of `l/` says what leads to the layer. */
function removeLinksTo(files: LayerFiles, id: DriverId): void {
  for (const [link, target] of files.links()) if (target === id && isShortLink(link)) files.removeLink(link);
}
