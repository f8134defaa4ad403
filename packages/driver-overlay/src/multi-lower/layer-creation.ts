import { chmodSync, chownSync, lstatSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { errnoOf, LayerStoreError } from '@x/archive';
import type { CreateKind, DriverId } from '@x/layer-store';
import { removeRobustly } from '@x/layer-store/driver-kit';
import { copyRootAttributes } from '../root-attributes.js';
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

async function stage(
  files: LayerFiles,
  staged: string,
  link: ShortLink,
  { kind, lowers, owner, limit }: LayerPlan,
): Promise<void> {
  const directory = files.path(staged);
  await makeEmpty(directory);
  if (limit !== undefined) await limit(directory);
  const diff = files.diff(staged);
  mkdirSync(diff, ROOT_MODE);
  writeFileSync(`${directory}/link`, link, { mode: SMALL_FILE_MODE });
  if (kind === 'read-only') writeFileSync(`${directory}/${IMAGE}`, '', { mode: SMALL_FILE_MODE });
  const [parent] = lowers.ids;
  if (parent === undefined) {
    // The mode of mkdir is subject to the umask.
    chmodSync(diff, ROOT_MODE);
    if (owner !== undefined) chownSync(diff, owner.uid, owner.gid);
  } else {
    const work = `${directory}/work`;
    mkdirSync(work, WORK_MODE);
    if (owner !== undefined) chownSync(work, owner.uid, owner.gid);
    writeFileSync(`${directory}/lower`, formatLower(lowers.links), { mode: SMALL_FILE_MODE });
    writeFileSync(`${directory}/lower-ids`, formatLowerIds(lowers.ids), { mode: SMALL_FILE_MODE });
    copyRootAttributes(files.diff(parent), diff);
  }
  if (owner !== undefined) {
    chownSync(directory, -1, owner.gid);
    chmodSync(directory, LAYER_MODE);
  }
}

/** What a failed removal left under this name is in the way. */
async function makeEmpty(directory: string): Promise<void> {
  try {
    mkdirSync(directory, LAYER_MODE);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    await removeRobustly(directory);
    mkdirSync(directory, LAYER_MODE);
  }
}

async function publish(files: LayerFiles, staged: string, id: DriverId): Promise<void> {
  try {
    renameSync(files.path(staged), files.path(id));
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
  renameSync(files.path(staged), files.path(id));
}
