import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copyTree, errnoOf, type IdMap, type IdPair } from '@x/archive';
import type { DriverId } from '@x/layer-store';
import { copyRootAttributes } from '../root-attributes.js';
import type { LayerDirectory } from './layer-directory.js';

/** Of the root of a layer without parent; a child has its parent's. */
const LAYER_ROOT_MODE = 0o755;
const WORK_MODE = 0o700;
const SMALL_FILE_MODE = 0o600;

/** A layer without parent: an empty tree. */
export async function createTree(layer: LayerDirectory, owner: IdPair | undefined): Promise<void> {
  await mkdir(layer.root);
  // The mode of mkdir is subject to the umask.
  await chmod(layer.root, LAYER_ROOT_MODE);
  if (owner !== undefined) await chown(layer.root, owner.uid, owner.gid);
}

/** A layer on one that has a tree: an empty upper with the attributes of the tree's root, which it covers. */
export async function createOnTree(layer: LayerDirectory, lower: DriverId, tree: string): Promise<void> {
  await mkdir(layer.upper);
  copyRootAttributes(tree, layer.upper);
  await standOn(layer, lower);
}

/** A layer on an overlay-style one (a container on its init layer): the same lower, and a copy of what is above it. */
export async function createOnUpper(
  layer: LayerDirectory,
  lower: DriverId,
  upper: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await copyTree(upper, layer.upper, {
    mode: 'content',
    copyOpaque: true,
    ...(signal === undefined ? {} : { signal }),
  });
  await standOn(layer, lower);
}

/** The kernel makes `work/work` as it mounts; in a user namespace directories can be moved only if its root owns it. */
export async function ownWorkDirectory({ work }: LayerDirectory, idMap: IdMap | undefined): Promise<void> {
  if (idMap === undefined) return;
  const { uid, gid } = idMap.rootPair;
  try {
    await chown(join(work, 'work'), uid, gid);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

async function standOn(layer: LayerDirectory, lower: DriverId): Promise<void> {
  await mkdir(layer.work, WORK_MODE);
  await writeFile(layer.lowerId, lower, { mode: SMALL_FILE_MODE });
}
