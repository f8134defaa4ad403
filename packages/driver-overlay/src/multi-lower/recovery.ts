import { chmod, chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DriverId } from '@x/layer-store';
import { removeRobustly } from '@x/layer-store/driver-kit';
import { step } from './failpoints.js';
import { type LayerFiles, STAGED, TRASHED } from './layer-files.js';
import { mendLinks } from './link-mending.js';
import { LINKS } from './lower-list.js';
import { isShortLink } from './short-link.js';

/** Who may pass through the directories of the home. */
export interface HomeAccess {
  readonly mode: number;
  /** The mapped root's group; undefined leaves the group of the process. */
  readonly gid: number | undefined;
}

/** Makes the home and `l/`. What exists keeps the access its owner gave it. */
export async function makeHome(home: string, { mode, gid }: HomeAccess): Promise<void> {
  for (const directory of [home, join(home, LINKS)]) {
    if ((await mkdir(directory, { recursive: true, mode })) === undefined) continue;
    // The mode of mkdir is subject to the umask.
    await chmod(directory, mode);
    if (gid !== undefined) await chown(directory, process.geteuid?.() ?? 0, gid);
  }
}

/**
 * Finishes what a dead process began: layers half made and half removed go, links that lead nowhere too, and links and lists
 * that are missing are made again. Killed in the middle, the next open goes on; twice is the same as once.
 */
export async function recover(files: LayerFiles): Promise<void> {
  for (const name of files.leftovers(STAGED)) await undoCreation(files, name);
  for (const name of files.leftovers(TRASHED)) {
    await step('multi-lower.recover.trashed', () => removeRobustly(files.path(name)));
  }
  const layers = new Set(files.list());
  const linked = new Set<DriverId>();
  for (const [name, id] of files.links()) {
    if (id !== undefined && layers.has(id)) linked.add(id);
    else if (isShortLink(name)) {
      await step('multi-lower.recover.dangling-link', async () => files.removeLink(name));
    }
  }
  if ([...layers].some((id) => !linked.has(id))) await mendLinks(files);
}

/** The parent may have been marked for a child that never came to be: it could be written to no more. */
async function undoCreation(files: LayerFiles, staged: string): Promise<void> {
  const lowers = files.lowerIds(staged);
  const parent = lowers === undefined || lowers === 'absent' ? undefined : lowers[0];
  if (parent !== undefined && files.exists(parent) && files.isCommitted(parent) && !hasChild(files, parent)) {
    await step('multi-lower.recover.uncommit-parent', async () => files.unmarkCommitted(parent));
  }
  await step('multi-lower.recover.staged', () => removeRobustly(files.path(staged)));
}

function hasChild(files: LayerFiles, parent: DriverId): boolean {
  const link = files.link(parent);
  return files.list().some((id) => {
    const ids = files.lowerIds(id);
    if (ids !== undefined && ids !== 'absent') return ids[0] === parent;
    const links = files.lower(id);
    if (links === undefined) return true;
    return links !== 'absent' && links[0] === link;
  });
}
