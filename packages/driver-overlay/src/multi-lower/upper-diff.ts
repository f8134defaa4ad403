import { type Change, changesFromUpper, changesSize, exportChanges, type IdMap } from '@x/archive';
import type { DriverId } from '@x/layer-store';
import type { LayerFiles } from './layer-files.js';
import type { LowerChains } from './lower-chains.js';

/** How the layers are read. */
export interface UpperDiffOptions {
  readonly userXattr: boolean;
  readonly idMap: IdMap | undefined;
}

/**
 * Diffs of a layer to its direct parent from its own directory: only what is in it is walked, and looked up in the layers
 * below. The result is that of comparing the two merged trees, entry for entry.
 *
 * Undefined: not the direct parent.
 */
export class UpperDiff {
  readonly #files: LayerFiles;
  readonly #chains: LowerChains;
  readonly #options: UpperDiffOptions;

  constructor(files: LayerFiles, chains: LowerChains, options: UpperDiffOptions) {
    this.#files = files;
    this.#chains = chains;
    this.#options = options;
  }

  async changes(
    id: DriverId,
    parent: DriverId | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Change[] | undefined> {
    const { ids } = await this.#chains.below(id);
    if (parent === undefined || ids[0] !== parent) return undefined;
    try {
      return await changesFromUpper(
        ids.map((lower) => this.#files.diff(lower)),
        this.#files.diff(id),
        {
          whiteoutFormat: 'overlay',
          semantics: 'tree',
          userXattr: this.#options.userXattr,
          ...(signal === undefined ? {} : { signal }),
        },
      );
    } catch (error) {
      await this.#chains.requireLowers(id);
      throw error;
    }
  }

  async size(
    id: DriverId,
    parent: DriverId | undefined,
    signal: AbortSignal | undefined,
  ): Promise<number | undefined> {
    const changes = await this.changes(id, parent, signal);
    if (changes === undefined) return undefined;
    // Everything added or modified was copied up.
    return changesSize(this.#files.diff(id), changes, signal === undefined ? {} : { signal });
  }

  async export(
    id: DriverId,
    parent: DriverId | undefined,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array> | undefined> {
    const changes = await this.changes(id, parent, signal);
    if (changes === undefined) return undefined;
    const { idMap } = this.#options;
    return exportChanges(this.#files.diff(id), changes, {
      signal,
      ...(idMap === undefined ? {} : { idMap }),
    });
  }
}
