import { LayerStoreError } from '@x/archive';
import type { DriverId } from '@x/layer-store';
import type { LayerFiles } from './layer-files.js';
import { mendLinks } from './link-mending.js';
import type { ShortLink } from './short-link.js';

/** The layers below one layer, nearest first; both lists are of the same length. */
export interface LowerChain {
  readonly ids: readonly DriverId[];
  readonly links: readonly ShortLink[];
}

const NONE: LowerChain = { ids: [], links: [] };

/**
 * What is below a layer, from its small files. Damaged ones are made again from what else there is.
 * @throws DRIVER_STATE_DAMAGED when nothing says what was below it
 */
export async function lowerChain(files: LayerFiles, id: DriverId): Promise<LowerChain> {
  const chain = readChain(files, id);
  if (chain !== undefined) return chain;
  await mendLinks(files);
  const mended = readChain(files, id);
  if (mended !== undefined) return mended;
  throw new LayerStoreError(
    'DRIVER_STATE_DAMAGED',
    `nothing says any more which layers are below layer ${id}: remove it and register it again`,
    { cacheId: id, path: files.path(id, 'lower') },
  );
}

/**
 * Looks whether every lower can be reached, and makes links again that cannot. True if anything was made: what failed for lack
 * of it can be tried again.
 * @throws DRIVER_STATE_DAMAGED naming a lower that is gone
 */
export async function restoreLowers(files: LayerFiles, id: DriverId): Promise<boolean> {
  const { ids, links } = await lowerChain(files, id);
  const lost = ids.find((lower) => !files.exists(lower));
  if (lost !== undefined) {
    throw new LayerStoreError(
      'DRIVER_STATE_DAMAGED',
      `layer ${id} cannot be mounted: layer ${lost} below it is gone: register its chain again`,
      { cacheId: id, path: files.path(lost) },
    );
  }
  if (links.every((link, index) => files.linkTarget(link) === ids[index])) return false;
  await mendLinks(files);
  return true;
}

/** Undefined: damaged. The ids win, the links follow from them. */
function readChain(files: LayerFiles, id: DriverId): LowerChain | undefined {
  const links = files.lower(id);
  const ids = files.lowerIds(id);
  if (links === 'absent') return ids === 'absent' ? NONE : undefined;
  if (links === undefined || ids === undefined) return undefined;
  if (ids !== 'absent') return ids.length === links.length ? { ids, links } : undefined;
  // A home that Docker made: only the links know.
  const resolved = links.map((link) => files.linkTarget(link));
  return resolved.every((target): target is DriverId => target !== undefined)
    ? { ids: resolved, links }
    : undefined;
}
