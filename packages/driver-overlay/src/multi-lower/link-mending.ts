import type { DriverId } from '@x/layer-store';
import { writeFileDurably } from '@x/layer-store/driver-kit';
import { step } from './failpoints.js';
import type { LayerFiles } from './layer-files.js';
import { formatLower, formatLowerIds } from './lower-list.js';
import { isShortLink, newShortLink, type ShortLink } from './short-link.js';

/** Of `link`, `lower` and `lower-ids`. */
export const SMALL_FILE_MODE = 0o644;

/** What the small files of one layer say; undefined is lost or damaged. */
export interface LayerRecord {
  readonly id: DriverId;
  readonly link: ShortLink | undefined;
  readonly lower: readonly ShortLink[] | undefined;
  readonly lowerIds: readonly DriverId[] | undefined;
}

/**
 * Gives every layer its name in `l/` from what is left of the evidence: what layers above call it (`lower` beside
 * `lower-ids`), its own `link` file, a link that leads to it, else a new name. No name is given twice: two layers under one
 * would be one lower twice, which the kernel refuses (ELOOP). Pure.
 */
export function nameLayers(
  layers: readonly LayerRecord[],
  links: ReadonlyMap<string, DriverId | undefined>,
): Map<DriverId, ShortLink> {
  const names = new Map<DriverId, ShortLink>();
  const taken = new Set<ShortLink>();
  const known = new Set(layers.map(({ id }) => id));
  const claim = (id: DriverId, link: ShortLink | undefined): void => {
    if (link === undefined || !known.has(id) || names.has(id) || taken.has(link)) return;
    names.set(id, link);
    taken.add(link);
  };
  for (const { lower, lowerIds } of layers) {
    if (lower?.length !== lowerIds?.length) continue;
    for (const [index, id] of (lowerIds ?? []).entries()) claim(id, lower?.[index]);
  }
  for (const { id, link } of layers) claim(id, link);
  for (const [name, id] of links) if (id !== undefined && isShortLink(name)) claim(id, name);
  for (const { id } of layers) claim(id, newShortLink());
  return names;
}

/**
 * Makes every link, `link` file and list of lowers again that is missing or contradicts the others (spec/drivers.md 4.9;
 * containers/storage calls it recreateSymlinks). Nothing that is right is touched; killed in the middle, the next call
 * goes on.
 */
export async function mendLinks(files: LayerFiles): Promise<void> {
  const layers = files.list().map((id) => readRecord(files, id));
  const links = files.links();
  const names = nameLayers(layers, links);
  const owners = new Map([...names].map(([id, link]) => [link, id]));
  for (const { id, link } of layers) {
    const name = names.get(id);
    if (name === undefined) continue;
    if (links.get(name) !== id) await step('multi-lower.mend.link', async () => replaceLink(files, name, id));
    if (link !== name) {
      await step('multi-lower.mend.link-file', () => write(files.path(id, 'link'), name));
    }
  }
  for (const record of layers) await mendLowers(files, record, names, owners);
}

async function mendLowers(
  files: LayerFiles,
  { id, lower, lowerIds }: LayerRecord,
  names: ReadonlyMap<DriverId, ShortLink>,
  owners: ReadonlyMap<ShortLink, DriverId>,
): Promise<void> {
  if (lowerIds !== undefined) {
    const links = lowerIds.map((below) => names.get(below));
    // A lower that is gone for good has no name: which one it was is for the mount to say.
    if (!links.every((link): link is ShortLink => link !== undefined)) return;
    const text = formatLower(links);
    if (lower === undefined || formatLower(lower) !== text) {
      await step('multi-lower.mend.lower', () => write(files.path(id, 'lower'), text));
    }
  } else if (lower !== undefined) {
    const ids = lower.map((link) => owners.get(link));
    if (!ids.every((below): below is DriverId => below !== undefined)) return;
    await step('multi-lower.mend.lower-ids', () => write(files.path(id, 'lower-ids'), formatLowerIds(ids)));
  }
}

function readRecord(files: LayerFiles, id: DriverId): LayerRecord {
  const lower = files.lower(id);
  const lowerIds = files.lowerIds(id);
  return {
    id,
    link: files.link(id),
    lower: lower === 'absent' ? undefined : lower,
    lowerIds: lowerIds === 'absent' ? undefined : lowerIds,
  };
}

function replaceLink(files: LayerFiles, link: ShortLink, id: DriverId): void {
  files.removeLink(link);
  files.makeLink(link, id);
}

function write(path: string, text: string): Promise<void> {
  return writeFileDurably(path, text, SMALL_FILE_MODE);
}
