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

/** A layer's name in `l/` and what is below it. Neither changes while the layer lives. */
interface KnownLayer {
  readonly link: ShortLink;
  readonly lowers: LowerChain;
}

/** So many layers are remembered; a chain of 500 takes some 8 KiB. */
const REMEMBERED = 1024;

/** No layer below. */
export const NO_LOWERS: LowerChain = { ids: [], links: [] };

/** What is below each layer, from its small files; damaged ones are made again from what else there is. */
export class LowerChains {
  readonly #files: LayerFiles;
  readonly #known = new Map<DriverId, KnownLayer>();

  constructor(files: LayerFiles) {
    this.#files = files;
  }

  /** Fails with DRIVER_STATE_DAMAGED when nothing says any more what was below the layer. */
  async below(id: DriverId): Promise<LowerChain> {
    return (await this.#layer(id)).lowers;
  }

  /** What a child of the layer stands on: the layer and all below it. Fails as {@link below}. */
  async belowChildOf(parent: DriverId): Promise<LowerChain> {
    const { link, lowers } = await this.#layer(parent);
    return { ids: [parent, ...lowers.ids], links: [link, ...lowers.links] };
  }

  /** The layer's name in `l/` if it is known without looking. */
  linkOf(id: DriverId): ShortLink | undefined {
    return this.#known.get(id)?.link;
  }

  /** Spares a look at a layer that was just made. */
  remember(id: DriverId, link: ShortLink, lowers: LowerChain): void {
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    this.#known.set(id, { link, lowers });
  }

  forget(id: DriverId): void {
    this.#known.delete(id);
  }

  forgetAll(): void {
    this.#known.clear();
  }

  /**
   * Looks whether every lower can be reached, and makes links again that cannot. True if anything was made: what failed
   * for lack of it can be tried again.
   * @throws DRIVER_STATE_DAMAGED naming a lower that is gone
   */
  async restore(id: DriverId): Promise<boolean> {
    await this.requireLowers(id);
    const { ids, links } = await this.below(id);
    if (links.every((link, index) => this.#files.linkTarget(link) === ids[index])) return false;
    await this.#mend();
    return true;
  }

  /** Explains a failure, if it is one of these. @throws DRIVER_STATE_DAMAGED naming a lower that is gone */
  async requireLowers(id: DriverId): Promise<void> {
    const { ids } = await this.below(id);
    const lost = ids.find((lower) => !this.#files.exists(lower));
    if (lost === undefined) return;
    throw new LayerStoreError(
      'DRIVER_STATE_DAMAGED',
      `layer ${id} cannot be used: layer ${lost} below it is gone: register its chain again`,
      { cacheId: id, path: this.#files.path(lost) },
    );
  }

  async #layer(id: DriverId): Promise<KnownLayer> {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    let read = readLayer(this.#files, id);
    if (read === undefined) {
      await this.#mend();
      read = readLayer(this.#files, id);
    }
    if (read === undefined) {
      throw new LayerStoreError(
        'DRIVER_STATE_DAMAGED',
        `nothing says any more which layers are below layer ${id}: remove it and register it again`,
        { cacheId: id, path: this.#files.path(id, 'lower') },
      );
    }
    this.remember(id, read.link, read.lowers);
    return read;
  }

  async #mend(): Promise<void> {
    this.#known.clear();
    await mendLinks(this.#files);
  }
}

/** Undefined: damaged. */
function readLayer(files: LayerFiles, id: DriverId): KnownLayer | undefined {
  const link = files.link(id);
  const lowers = readLowers(files, id);
  return link === undefined || lowers === undefined ? undefined : { link, lowers };
}

function readLowers(files: LayerFiles, id: DriverId): LowerChain | undefined {
  const links = files.lower(id);
  const ids = files.lowerIds(id);
  if (links === 'absent') return ids === 'absent' ? NO_LOWERS : undefined;
  if (links === undefined || ids === undefined) return undefined;
  if (ids !== 'absent') return ids.length === links.length ? { ids, links } : undefined;
  // A home that Docker made: only the links know.
  const resolved = links.map((link) => files.linkTarget(link));
  return resolved.every((target): target is DriverId => target !== undefined)
    ? { ids: resolved, links }
    : undefined;
}
