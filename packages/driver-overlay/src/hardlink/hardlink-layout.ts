import { existsSync } from 'node:fs';
import { mkdir, readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Change, errnoOf, LayerStoreError, treeSize } from '@x/archive';
import type {
  DriverCapabilities,
  DriverId,
  DriverUsage,
  FileSource,
  LayerSource,
  UnpackResult,
} from '@x/layer-store';
import { readMountInfo, unmount } from '@x/layer-store/driver-kit';
import type { CreateRequest, LayoutContext, OverlayLayout } from '../layout.js';
import { overlayFacts } from '../probe/overlay-facts.js';
import { quotaLimits } from '../quota/quota-limits.js';
import { Ancestry } from './ancestry.js';
import { applyOnSharedTree } from './apply-layer.js';
import type { LayerDirectory } from './layer-directory.js';
import { LayerHome } from './layer-home.js';
import { createOnTree, createOnUpper, createTree, ownWorkDirectory } from './new-layer.js';
import { mountReadOnly } from './read-only-view.js';

/** A mount has one lower whatever the depth, but layers that are only written to copy all that was written below them. */
const MAX_DEPTH = 128;
/** There where labels mean something. A tree is shown without one: its files have their own. */
const SELINUX = '/sys/fs/selinux/enforce';
/** Of a view's mount point: only the view is for others to look at. */
const MERGED_MODE = 0o700;
/** With id maps the remapped root's group may pass through; rootless nobody else needs to. */
const HOME_MODE = 0o710;
const ROOTLESS_HOME_MODE = 0o700;

/**
 * Docker's first overlay layout: an image is a full tree that shares files with its parent by hard links, so that a mount has
 * one lower directory however long the chain.
 *
 * A tree whose files are shared, or that another layer stands on, is handed out as a read-only mount: writing into it
 * would change other layers. A tree that stands alone is handed out as it is.
 */
export class HardlinkLayout implements OverlayLayout {
  readonly capabilities: DriverCapabilities;
  readonly #context: LayoutContext;
  readonly #rootless: boolean;
  readonly #home: LayerHome;
  readonly #ancestry = new Ancestry();
  /** Trees somebody may be writing to at this moment. */
  readonly #handedOut = new Set<DriverId>();

  constructor(context: LayoutContext) {
    this.#context = context;
    const { home, idMap } = context.options;
    this.#rootless = context.unpackOptions.ownership === 'report';
    this.#home = new LayerHome(
      home,
      this.#rootless
        ? { mode: ROOTLESS_HOME_MODE, gid: undefined }
        : { mode: HOME_MODE, gid: idMap?.rootPair.gid },
    );
    this.capabilities = {
      nativeDiff: false,
      nativeChanges: false,
      quota: context.quota !== undefined,
      hardlinks: true,
      reproducesExactDiffs: false,
      whiteouts: 'delete',
      mounts: true,
      mountLabels: existsSync(SELINUX),
      maxDepth: MAX_DEPTH,
      rootless: false,
    };
  }

  async open(): Promise<void> {
    await this.#home.open();
    this.#ancestry.clear();
    this.#handedOut.clear();
    for (const id of await this.#home.list()) {
      const layer = this.#home.layer(id);
      this.#ancestry.add(id, await layer.readAncestors(await layer.shape()));
    }
  }

  close(): Promise<void> {
    this.#handedOut.clear();
    return Promise.resolve();
  }

  async create(request: CreateRequest): Promise<void> {
    const { id, parent } = request;
    const ancestors = parent === undefined ? [] : this.#ancestry.below(parent);
    if (ancestors.length >= MAX_DEPTH) throw tooDeep(id);
    // First: from here on the parent is handed out for reading only.
    this.#ancestry.add(id, ancestors);
    try {
      await this.#home.publish(id, async (layer) => {
        await this.#limit(layer, request);
        await this.#fill(layer, request);
        await layer.writeAncestors(ancestors);
      });
    } catch (error) {
      this.#ancestry.remove(id);
      throw error;
    }
  }

  async remove(id: DriverId): Promise<void> {
    const { merged } = this.#home.layer(id);
    if (await this.isMounted(id)) await this.#context.mounter.unmountIdle(merged);
    await this.#home.remove(id, async (path) => this.#context.quota?.clear(path));
    this.#ancestry.remove(id);
    this.#handedOut.delete(id);
  }

  async get(id: DriverId, mountLabel: string | undefined): Promise<string> {
    const layer = this.#home.layer(id);
    if (await this.isMounted(id)) return layer.merged;
    const shape = await layer.shape();
    if (shape.kind === 'root' && this.#ancestry.standsAlone(id)) {
      this.#handedOut.add(id);
      return layer.root;
    }
    await mkdir(layer.merged, { recursive: true, mode: MERGED_MODE });
    try {
      if (shape.kind === 'root') await mountReadOnly(layer.root, layer.merged);
      else if (shape.kind === 'upper') await this.#mount(id, layer, shape.lower, mountLabel);
      else throw damaged(id, layer);
    } catch (error) {
      await unmount(layer.merged, { lazy: true }).catch(() => undefined);
      await rmdir(layer.merged).catch(() => undefined);
      throw error;
    }
    return layer.merged;
  }

  async put(id: DriverId): Promise<void> {
    this.#handedOut.delete(id);
    const { merged } = this.#home.layer(id);
    if (await this.isMounted(id)) await this.#context.mounter.unmount(merged);
    try {
      // Also ends copies of the mount in other namespaces (kernel 3.18).
      await rmdir(merged);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }

  async exists(id: DriverId): Promise<boolean> {
    return (await this.#home.layer(id).shape()).kind !== 'none';
  }

  list(): Promise<DriverId[]> {
    return this.#home.list();
  }

  async isMounted(id: DriverId): Promise<boolean> {
    return (await this.mounted()).includes(id);
  }

  async mounted(): Promise<DriverId[]> {
    const ids = new Set<DriverId>();
    for (const { mountPoint } of await readMountInfo()) {
      const id = this.#home.layerAt(mountPoint);
      if (id !== undefined) ids.add(id);
    }
    return [...ids];
  }

  async status(): Promise<readonly (readonly [string, string])[]> {
    const { fileSystem, dType } = await overlayFacts(this.#home.path);
    return [
      ['Backing Filesystem', fileSystem],
      ['Supports d_type', String(dType ?? 'unknown')],
    ];
  }

  async metadata(id: DriverId): Promise<Readonly<Record<string, string>>> {
    const layer = this.#home.layer(id);
    const shape = await layer.shape();
    if (shape.kind !== 'upper') return { RootDir: layer.root };
    return {
      LowerDir: this.#home.layer(shape.lower).root,
      UpperDir: layer.upper,
      WorkDir: layer.work,
      MergedDir: layer.merged,
    };
  }

  async applyDiff(
    id: DriverId,
    parent: DriverId | undefined,
    source: LayerSource,
    signal: AbortSignal | undefined,
  ): Promise<UnpackResult | undefined> {
    const target = this.#home.layer(id);
    const base = await this.#baseOf(id, target, parent);
    if (base === undefined) return undefined;
    return applyOnSharedTree({
      target,
      base: this.#home.layer(base).root,
      share: !this.#handedOut.has(base),
      layer: source,
      unpack: { ...this.#context.unpackOptions, ...(signal === undefined ? {} : { signal }) },
    });
  }

  diff(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  changes(): Promise<Change[] | undefined> {
    return Promise.resolve(undefined);
  }

  diffSize(): Promise<number | undefined> {
    return Promise.resolve(undefined);
  }

  /** A tree can be read where it is. */
  async fileSource(id: DriverId): Promise<FileSource | undefined> {
    const layer = this.#home.layer(id);
    if ((await layer.shape()).kind !== 'root') return undefined;
    const close = (): Promise<void> => Promise.resolve();
    return { roots: [layer.root], close, [Symbol.asyncDispose]: close };
  }

  /** What only this layer has: of a shared tree the files that were unpacked here cannot be told from the parent's. */
  async usage(id: DriverId): Promise<DriverUsage | undefined> {
    const layer = this.#home.layer(id);
    const { kind } = await layer.shape();
    return { bytes: await treeSize(kind === 'root' ? layer.root : layer.upper) };
  }

  async cleanup(): Promise<void> {
    this.#handedOut.clear();
    for (const id of await this.mounted()) await this.put(id);
  }

  /** Whatever else is in the home begins with a dot. */
  isReserved(): boolean {
    return false;
  }

  async #fill(layer: LayerDirectory, { parent, signal }: CreateRequest): Promise<void> {
    const { idMap } = this.#context.options;
    if (parent === undefined) {
      const owner = idMap?.rootPair ?? { uid: 0, gid: 0 };
      return createTree(layer, this.#rootless ? undefined : owner);
    }
    const below = this.#home.layer(parent);
    const shape = await below.shape();
    if (shape.kind === 'root') return createOnTree(layer, parent, below.root);
    if (shape.kind === 'upper') return createOnUpper(layer, shape.lower, below.upper, signal);
    throw damaged(parent, below);
  }

  async #limit(layer: LayerDirectory, { kind, options }: CreateRequest): Promise<void> {
    const { quota, options: defaults } = this.#context;
    if (quota === undefined || kind !== 'read-write') return;
    const limits = quotaLimits(options.storageOpt, defaults);
    if (limits !== undefined) await quota.set(layer.path, limits);
  }

  async #mount(
    id: DriverId,
    layer: LayerDirectory,
    lower: DriverId,
    label: string | undefined,
  ): Promise<void> {
    // The kernel only says ENOENT.
    if ((await this.#home.layer(lower).shape()).kind !== 'root') throw lostLower(id, lower);
    await this.#context.mounter.mount({
      home: this.#home.path,
      target: layer.merged,
      lowers: [join(lower, 'root')],
      upper: join(id, 'upper'),
      work: join(id, 'work'),
      label,
    });
    await ownWorkDirectory(layer, this.#context.options.idMap);
  }

  /** The layer whose tree an `applyDiff` begins with; undefined: unpack into what `get` gives. */
  async #baseOf(
    id: DriverId,
    layer: LayerDirectory,
    parent: DriverId | undefined,
  ): Promise<DriverId | undefined> {
    const shape = await layer.shape();
    if (shape.kind === 'root') return this.#ancestry.standsAlone(id) ? undefined : id;
    if (shape.kind !== 'upper' || shape.lower !== parent) return undefined;
    // What was written to it would be lost.
    if ((await readdir(layer.upper)).length > 0 || (await this.isMounted(id))) return undefined;
    if ((await this.#home.layer(parent).shape()).kind !== 'root') throw lostLower(id, parent);
    return parent;
  }
}

function damaged(id: DriverId, { lowerId }: LayerDirectory): LayerStoreError {
  return new LayerStoreError(
    'DRIVER_STATE_DAMAGED',
    `layer ${id} cannot be used, "${lowerId}" names no layer: remove it`,
    { driver: 'overlay', cacheId: id, path: lowerId },
  );
}

function tooDeep(id: DriverId): LayerStoreError {
  return new LayerStoreError(
    'LAYER_MAX_DEPTH',
    `layer ${id} would be on top of ${MAX_DEPTH} others, the most that the overlay driver takes`,
    { driver: 'overlay', cacheId: id },
  );
}

function lostLower(id: DriverId, lower: DriverId): LayerStoreError {
  return new LayerStoreError(
    'DRIVER_STATE_DAMAGED',
    `layer ${id} stands on layer ${lower}, whose tree is gone: remove it, or bring ${lower} back`,
    { driver: 'overlay', cacheId: id, name: lower },
  );
}
