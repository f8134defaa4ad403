import { lstatSync } from 'node:fs';
import { errnoOf, LayerStoreError } from '@x/archive';
import type { CreateKind, DriverId } from '@x/layer-store';
import { type DirectoryStep, removeRobustly, runDirectorySteps } from '@x/layer-store/driver-kit';
import { rootAttributes } from '../root-attributes.js';
import { step } from './failpoints.js';
import { IMAGE, type LayerFiles, STAGED } from './layer-files.js';
import { removeRemains } from './layer-removal.js';
import { SMALL_FILE_MODE } from './link-mending.js';
import type { LowerChain } from './lower-chains.js';
import { formatLower, formatLowerIds } from './lower-list.js';
import { newShortLink, type ShortLink } from './short-link.js';

/** Content of layers is nobody else's business, set-user-id programs least of all; the mapped root's group passes. */
const LAYER_MODE = 0o710;
/** Of the root of a layer without parent; a child has its parent's. */
const ROOT_MODE = 0o755;
const WORK_MODE = 0o700;

/** A layer to be made. */
export interface LayerPlan {
  readonly id: DriverId;
  readonly kind: CreateKind;
  /** The parent and what is below it, nearest first; empty without a parent. */
  readonly lowers: LowerChain;
  /** Owner of the directories; undefined leaves them to the process. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  /** Limits the layer's directory, which is still empty then. */
  readonly limit: ((directory: string) => Promise<void>) | undefined;
}

/**
 * Makes a layer beside the others and puts it in place with one rename, which is the last step: a layer that can be seen is
 * whole, with its link made and its parent marked. What a kill leaves behind has another name or is a link that leads
 * nowhere, and goes with the next open.
 *
 * Nothing is flushed here. The store flushes the file system (`sync`) before it records a layer, and takes back what it
 * has not recorded, so after a power cut none of this is waited for; and small files that did get lost are made
 * again (see `mendLinks`).
 *
 * @returns the layer's name in `l/`
 */
export async function createLayer(files: LayerFiles, plan: LayerPlan): Promise<ShortLink> {
  const { id, lowers } = plan;
  const [parent] = lowers.ids;
  const staged = STAGED + id;
  let link: ShortLink | undefined;
  let marked = false;
  try {
    link = await step('multi-lower.create.link', async () => linkNew(files, id));
    const name = link;
    await step('multi-lower.create.stage', () => stage(files, staged, name, plan));
    if (parent !== undefined) {
      marked = await step('multi-lower.create.commit-parent', async () => files.markCommitted(parent));
    }
    await step('multi-lower.create.publish', () => publish(files, staged, id));
    return link;
  } catch (error) {
    // Nobody else had a child of the parent in the making, so the mark is this one's to take away.
    if (marked && parent !== undefined) files.unmarkCommitted(parent);
    if (link !== undefined) files.removeLink(link);
    // The failure to report is the first one; the next open clears away what could not be removed now.
    await removeRobustly(files.path(staged)).catch(() => undefined);
    throw error;
  }
}

function linkNew(files: LayerFiles, id: DriverId): ShortLink {
  for (;;) {
    const link = newShortLink();
    if (files.makeLink(link, id)) return link;
  }
}

async function stage(files: LayerFiles, staged: string, link: ShortLink, plan: LayerPlan): Promise<void> {
  const make: DirectoryStep = { verb: 'directory', path: staged, mode: LAYER_MODE };
  const fill = stepsToFill(staged, link, plan);
  // A limit is for an empty directory, and takes a while.
  const [first, rest] = plan.limit === undefined ? [[make, ...fill], []] : [[make], fill];
  try {
    runDirectorySteps(files.home, first);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    // What a failed removal left under this name is in the way.
    await removeRobustly(files.path(staged));
    runDirectorySteps(files.home, first);
  }
  if (plan.limit === undefined) return;
  await plan.limit(files.path(staged));
  runDirectorySteps(files.home, rest);
}

function stepsToFill(staged: string, link: ShortLink, { kind, lowers, owner }: LayerPlan): DirectoryStep[] {
  const diff = `${staged}/diff`;
  const steps: DirectoryStep[] = [{ verb: 'directory', path: diff, mode: ROOT_MODE }];
  const file = (name: string, content: string): void => {
    steps.push({ verb: 'file', path: `${staged}/${name}`, mode: SMALL_FILE_MODE, content });
  };
  file('link', link);
  if (kind === 'read-only') file(IMAGE, '');
  const [parent] = lowers.ids;
  if (parent === undefined) {
    // The mode of mkdir is subject to the umask.
    steps.push({ verb: 'mode', path: diff, mode: ROOT_MODE });
    if (owner !== undefined) steps.push({ verb: 'owner', path: diff, ...owner });
  } else {
    const work = `${staged}/work`;
    steps.push({ verb: 'directory', path: work, mode: WORK_MODE });
    if (owner !== undefined) steps.push({ verb: 'owner', path: work, ...owner });
    file('lower', formatLower(lowers.links));
    file('lower-ids', formatLowerIds(lowers.ids));
    steps.push(rootAttributes(`${parent}/diff`, diff));
  }
  if (owner !== undefined) {
    steps.push(
      { verb: 'owner', path: staged, uid: -1, gid: owner.gid },
      { verb: 'mode', path: staged, mode: LAYER_MODE },
    );
  }
  return steps;
}

async function publish(files: LayerFiles, staged: string, id: DriverId): Promise<void> {
  try {
    runDirectorySteps(files.home, [{ verb: 'rename', path: staged, to: id }]);
    return;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== 'ENOTEMPTY' && errno !== 'EEXIST' && errno !== 'ENOTDIR') throw error;
  }
  // A layer that lost its content is no layer any more, and is cleared away; anything else is not ours.
  if (!(await removeRemains(files, id))) {
    const kind = lstatSync(files.path(id)).isDirectory() ? 'a directory' : 'a file';
    throw new LayerStoreError(
      'DRIVER_STATE_FOREIGN',
      `${files.path(id)} is ${kind} that no overlay driver made: move it out of the driver's home`,
      { cacheId: id, path: files.path(id) },
    );
  }
  runDirectorySteps(files.home, [{ verb: 'rename', path: staged, to: id }]);
}
