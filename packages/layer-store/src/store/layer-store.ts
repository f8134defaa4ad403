import { type ByteSource, LayerStoreError } from '@x/archive';
import type { DriverCapabilities } from '../driver/contract.js';
import { type ChainId, type MountId, parseChainId } from '../ids.js';
import type { BrokenObject } from './broken-registry.js';
import { COMMIT, type StoreContext } from './context.js';
import { type CreateRWLayerOptions, checkCreateRWLayerOptions, createRWLayer } from './create-rw-layer.js';
import { diagnose, type StoreProblem } from './diagnose.js';
import { Layer, StoredLayer } from './layer.js';
import { adoptSource, discardSource } from './layer-input.js';
import { checkOpenOptions, type OpenOptions } from './open-options.js';
import { type OpenedStore, openStore } from './open-store.js';
import { checkPruneOptions, type PruneOptions, pruneLayers } from './prune.js';
import { removalsOf } from './rebuild.js';
import { registerLayer } from './register.js';
import { checkRegisterOptions, type RegisterOptions } from './register-options.js';
import type { RemovedLayers } from './release.js';
import { type ReleaseRWLayerOptions, RWLayer } from './rw-layer.js';

/** A read-write layer as the store lists it. */
export interface RWLayerInfo {
  readonly name: string;
  readonly mountId: MountId;
  readonly parent: ChainId | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * A store of image layers: see the package's README for the whole life cycle.
 *
 * ```ts
 * await using store = await LayerStore.open({ root, driver: new VfsDriver({ home }) });
 * const layer = await store.register(createReadStream('layer.tar.gz'));
 * for await (const chunk of layer.tarStream()) out.write(chunk);
 * ```
 */
export class LayerStore implements AsyncDisposable {
  readonly #ctx: StoreContext;
  readonly #opened: OpenedStore;
  #closing: Promise<void> | undefined;

  private constructor(opened: OpenedStore) {
    this.#opened = opened;
    this.#ctx = opened.ctx;
  }

  /**
   * Opens a store, after making it if there is none, and finishes what a dead process left undone. STORE_LOCKED,
   * STORE_ROOT_INVALID, STORE_SCHEMA_NEWER, STORE_METADATA_FAILED, OPTION_INVALID, OPTION_UNKNOWN and DRIVER_*.
   */
  static async open(options: OpenOptions): Promise<LayerStore> {
    return new LayerStore(await openStore(checkOpenOptions(options)));
  }

  get root(): string {
    return this.#ctx.paths.root;
  }

  get driverName(): string {
    return this.#ctx.driver.name;
  }

  /** What the driver can do. */
  get driverCapabilities(): DriverCapabilities {
    return this.#ctx.driver.capabilities;
  }

  /** Ordered pairs for people. */
  driverStatus(): Promise<readonly (readonly [string, string])[]> {
    return this.#ctx.operations.run(undefined, () => this.#ctx.driver.status());
  }

  /**
   * Takes a layer in and resolves to a handle of it; if the same layer is on the parent already, to a handle of that.
   * Whatever fails, nothing is left. LAYER_NOT_FOUND, LAYER_MAX_DEPTH, LAYER_DIGEST_MISMATCH, LAYER_BROKEN (the parent),
   * ARCHIVE_*, COMPRESSION_*, DRIVER_*, STORE_METADATA_FAILED.
   */
  async register(source: ByteSource, parent?: string, options: RegisterOptions = {}): Promise<Layer> {
    const checked = checkRegisterOptions(source, options);
    adoptSource(source);
    try {
      const parentChain = optionalChain(parent);
      return await this.#ctx.operations.run(checked.signal, (signal) =>
        registerLayer(this.#ctx, source, parentChain, checked, signal),
      );
    } catch (error) {
      discardSource(source);
      throw error;
    }
  }

  /** A new handle. LAYER_NOT_FOUND, LAYER_BROKEN. */
  async get(chainId: string): Promise<Layer> {
    this.#ctx.operations.requireOpen();
    const parsed = parseChainId(chainId);
    const broken = this.#ctx.broken.find('layer', parsed);
    if (broken !== undefined) {
      throw new LayerStoreError(
        'LAYER_BROKEN',
        `layer ${parsed} is damaged (${broken.problems.join('; ')}): register it again`,
        { chainId: parsed },
      );
    }
    return Layer.retain(this.#ctx, this.#ctx.graph.require(parsed));
  }

  /**
   * Gives up a handle. Resolves to the layers that are gone with it, child first, with `errors` for what could not be
   * deleted on disk yet. An absent layer is an empty list; a handle given up before is LAYER_NOT_RETAINED.
   */
  async release(layer: Layer): Promise<RemovedLayers> {
    return layer.release();
  }

  /** All layers that can be used, by ChainID; not retained. */
  map(): ReadonlyMap<ChainId, StoredLayer> {
    this.#ctx.operations.requireOpen();
    const views = new Map<ChainId, StoredLayer>();
    for (const node of this.#ctx.graph.nodes())
      views.set(node.record.chainId, new StoredLayer(this.#ctx, node));
    return views;
  }

  /** Deletes what nothing refers to: no handle, no child, no read-write layer, not kept. */
  async prune(options: PruneOptions = {}): Promise<RemovedLayers> {
    const keep = checkPruneOptions(options);
    return this.#ctx.operations.run(undefined, () => pruneLayers(this.#ctx, keep));
  }

  /**
   * Makes a read-write layer on a layer, or on nothing. MOUNT_NAME_INVALID, MOUNT_NAME_CONFLICT, LAYER_NOT_FOUND,
   * DRIVER_QUOTA_NOT_SUPPORTED, DRIVER_*.
   */
  async createRWLayer(name: string, parent?: string, options: CreateRWLayerOptions = {}): Promise<RWLayer> {
    const checked = checkCreateRWLayerOptions(options);
    const parentChain = optionalChain(parent);
    return this.#ctx.operations.run(checked.signal, (signal) =>
      createRWLayer(this.#ctx, name, parentChain, checked, signal),
    );
  }

  /** A new handle. MOUNT_NOT_FOUND, MOUNT_BROKEN. */
  async getRWLayer(name: string): Promise<RWLayer> {
    this.#ctx.operations.requireOpen();
    const node = this.#ctx.mounts.find(name);
    if (node !== undefined) return RWLayer.retain(this.#ctx, node);
    throw this.#noMount(name);
  }

  /** The driver's name of a read-write layer. MOUNT_NOT_FOUND, MOUNT_BROKEN. */
  getMountId(name: string): MountId {
    this.#ctx.operations.requireOpen();
    const node = this.#ctx.mounts.find(name);
    if (node !== undefined) return node.record.mountId;
    throw this.#noMount(name);
  }

  /** All read-write layers that can be used. */
  mounts(): readonly RWLayerInfo[] {
    this.#ctx.operations.requireOpen();
    return this.#ctx.mounts.all().map(({ record: { name, mountId, parent, labels } }) => ({
      name,
      mountId,
      parent,
      labels: labels ?? {},
    }));
  }

  /**
   * Gives up a handle; with the last one the read-write layer is deleted, and its parent with it if nothing else refers
   * to that. MOUNT_ACTIVE unless `force`, LAYER_NOT_RETAINED. When it rejects the handle is still good.
   */
  async releaseRWLayer(rw: RWLayer, options: ReleaseRWLayerOptions = {}): Promise<RemovedLayers> {
    return rw.release(options);
  }

  /** Registers what was changed in a read-write layer as a layer on its parent. */
  async commit(rw: RWLayer, options: Omit<RegisterOptions, 'decompress'> = {}): Promise<Layer> {
    const { signal } = options;
    return this.register(rw.tarStream(signal === undefined ? {} : { signal }), rw.parent?.chainId, {
      ...options,
      decompress: false,
    });
  }

  /** What is not as it should be: damaged layers, deletions that failed, data without a record. */
  diagnose(): Promise<readonly StoreProblem[]> {
    return this.#ctx.operations.run(undefined, () => diagnose(this.#ctx));
  }

  /** Deletes a damaged layer or read-write layer with what can be found of its data. LAYER_NOT_FOUND if there is none. */
  async discardBroken(kind: BrokenObject['kind'], id: string): Promise<void> {
    await this.#ctx.operations.run(undefined, async () => {
      const removals = await this.#ctx.commits.run(COMMIT, async () => {
        const object = this.#ctx.broken.find(kind, id);
        if (object === undefined) {
          throw new LayerStoreError('LAYER_NOT_FOUND', `no ${kind} named ${id} is damaged`, { name: id });
        }
        const found = removalsOf(this.#ctx, object);
        await this.#ctx.metadata.remove({
          layers: kind === 'layer' ? [id as ChainId] : [],
          mounts: kind === 'mount' ? [id] : [],
          removals: found,
        });
        this.#ctx.broken.drop(kind, id);
        return found;
      });
      for (const removal of removals) await this.#ctx.pending.remove(removal);
    });
  }

  /** Tries deletions that failed again and lets the driver unmount what nobody uses. Failures stay in `diagnose()`. */
  async cleanup(): Promise<void> {
    await this.#ctx.operations.run(undefined, () => this.#ctx.pending.retry());
  }

  /** Stops what runs (STORE_ABORTED_BY_CLOSE), unmounts, closes driver and metadata. Handles are worthless afterwards. */
  close(): Promise<void> {
    this.#closing ??= this.#opened.close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #noMount(name: string): LayerStoreError {
    const broken = this.#ctx.broken.find('mount', name);
    return broken === undefined
      ? new LayerStoreError('MOUNT_NOT_FOUND', `mount does not exist: ${name}`, { name })
      : new LayerStoreError(
          'MOUNT_BROKEN',
          `mount ${name} is damaged (${broken.problems.join('; ')}): discard it`,
          {
            name,
          },
        );
  }
}

/** No parent may also be written as the empty string, as Docker does. */
function optionalChain(parent: string | undefined): ChainId | undefined {
  return parent === undefined || parent === '' ? undefined : parseChainId(parent);
}
