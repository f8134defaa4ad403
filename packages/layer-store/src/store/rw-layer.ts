import {
  assertBoolean,
  assertFunction,
  assertKnownKeys,
  assertSignal,
  type ByteSource,
  type Change,
  LayerStoreError,
} from '@x/archive';
import type { DiffStream, SignalOptions } from '../driver/contract.js';
import { layerSource } from '../driver/layer-source.js';
import type { MountId } from '../ids.js';
import type { StoreContext } from './context.js';
import { type LayerView, StoredLayer } from './layer.js';
import {
  adoptSource,
  assertDecompressChoice,
  guardedProgress,
  type LayerInputOptions,
  openLayerInput,
} from './layer-input.js';
import type { MountNode } from './mount-table.js';
import type { RemovedLayers } from './release.js';
import { releaseRWLayer } from './release-rw-layer.js';

/** Options of {@link RWLayer.mount}. */
export interface MountOptions {
  /** Overrides the label given at creation; only the first mount's matters. */
  readonly mountLabel?: string;
  readonly signal?: AbortSignal;
}

/** Options of `releaseRWLayer`. */
export interface ReleaseRWLayerOptions {
  /** Unmount what this handle or an earlier process has mounted instead of refusing. Default false. */
  readonly force?: boolean;
}

const APPLY_KEYS: readonly (keyof LayerInputOptions)[] = ['decompress', 'onProgress', 'signal'];

/**
 * A handle of a read-write layer. It counts its own mounts: each `mount` wants an `unmount`, and the handle cannot be
 * released before. Once released it can do nothing any more (LAYER_NOT_RETAINED).
 */
export class RWLayer implements AsyncDisposable {
  readonly #ctx: StoreContext;
  readonly #node: MountNode;
  #mounts = 0;

  /** @internal Use {@link retain}. */
  private constructor(ctx: StoreContext, node: MountNode) {
    this.#ctx = ctx;
    this.#node = node;
  }

  /** @internal A new handle. */
  static retain(ctx: StoreContext, node: MountNode): RWLayer {
    const handle = new RWLayer(ctx, node);
    node.handles.add(handle);
    return handle;
  }

  get name(): string {
    return this.#node.record.name;
  }

  /** Its name in the driver. */
  get mountId(): MountId {
    return this.#node.record.mountId;
  }

  /** Driver id of the init layer, if there is one. */
  get initId(): string | undefined {
    return this.#node.record.initId;
  }

  get labels(): Readonly<Record<string, string>> {
    return this.#node.record.labels ?? {};
  }

  /** Not retained by this handle: the read-write layer itself keeps its parent. */
  get parent(): LayerView | undefined {
    const { parent } = this.#node;
    return parent === undefined ? undefined : new StoredLayer(this.#ctx, parent);
  }

  /** True until it is released. */
  get retained(): boolean {
    return this.#node.handles.has(this);
  }

  /** Whether it was found mounted when the store was opened, and nobody has given that mount up. */
  get mountedBefore(): boolean {
    return this.#ctx.driver.isAdopted(this.mountId);
  }

  /** How often this handle has it mounted. */
  get activeMounts(): number {
    return this.#mounts;
  }

  /** The layer as a directory; the same path every time. */
  async mount(options: MountOptions = {}): Promise<string> {
    assertKnownKeys('mount', options, ['mountLabel', 'signal']);
    const mountLabel = options.mountLabel ?? this.#node.record.mountLabel;
    return this.#run(options.signal, async (signal) => {
      const path = await this.#ctx.driver.get(this.mountId, {
        signal,
        ...(mountLabel === undefined ? {} : { mountLabel }),
      });
      this.#mounts += 1;
      return path;
    });
  }

  /**
   * Gives up one `mount` of this handle, or if it has none, the mount that an earlier process left.
   * MOUNT_NOT_MOUNTED if there is neither.
   */
  async unmount(): Promise<void> {
    return this.#run(undefined, async () => {
      if (this.#mounts === 0) {
        if (await this.#ctx.driver.disown(this.mountId)) return;
        throw new LayerStoreError(
          'MOUNT_NOT_MOUNTED',
          `not mounted: this handle of ${this.name} has no mount`,
          {
            name: this.name,
          },
        );
      }
      this.#mounts -= 1;
      await this.#ctx.driver.put(this.mountId);
    });
  }

  /** What differs from the parent and the init layer. */
  async changes(options: SignalOptions = {}): Promise<Change[]> {
    assertKnownKeys('changes', options, ['signal']);
    return this.#run(options.signal, (signal) =>
      this.#ctx.driver.changes(this.mountId, this.#node.driverParent, { signal }),
    );
  }

  /** Bytes of the files that differ from the parent and the init layer. */
  async size(options: SignalOptions = {}): Promise<number> {
    assertKnownKeys('size', options, ['signal']);
    return this.#run(options.signal, (signal) =>
      this.#ctx.driver.diffSize(this.mountId, this.#node.driverParent, { signal }),
    );
  }

  /** What differs from the parent and the init layer, as a layer. Close it when it is not read to the end. */
  tarStream(options: SignalOptions = {}): DiffStream {
    assertKnownKeys('tarStream', options, ['signal']);
    this.#requireRetained();
    return this.#ctx.operations.stream(
      options.signal,
      async function* (this: RWLayer, signal: AbortSignal) {
        yield* this.#ctx.driver.diff(this.mountId, this.#node.driverParent, { signal });
      }.bind(this),
    );
  }

  /** Unpacks a layer onto this one. Resolves to the sum of the sizes in its headers. */
  async applyDiff(source: ByteSource, options: LayerInputOptions = {}): Promise<number> {
    assertKnownKeys('applyDiff', options, APPLY_KEYS);
    const { decompress = true, onProgress, signal } = options;
    assertDecompressChoice('applyDiff', decompress);
    if (onProgress !== undefined) assertFunction('applyDiff', 'onProgress', onProgress);
    if (signal !== undefined) assertSignal('applyDiff', 'signal', signal);
    const { driver } = this.#ctx;
    const progress = guardedProgress(onProgress);
    adoptSource(source);
    return this.#run(signal, (stop) => {
      const layer = layerSource(openLayerInput(source, decompress, stop), {
        ...(driver.idMap === undefined ? {} : { idMap: driver.idMap }),
        ...(progress === undefined ? {} : { onProgress: progress }),
      });
      return driver.applyDiff(this.mountId, this.#node.driverParent, layer, { signal: stop });
    });
  }

  /** What the driver says about the layer, with `ID`, its name, unless the driver has that. */
  async metadata(): Promise<Readonly<Record<string, string>>> {
    return this.#run(undefined, async () => ({
      ID: this.name,
      ...(await this.#ctx.driver.metadata(this.mountId)),
    }));
  }

  /** Gives the handle up; the layer is deleted with its last one. See `LayerStore.releaseRWLayer`. */
  async release(options: ReleaseRWLayerOptions = {}): Promise<RemovedLayers> {
    assertKnownKeys('releaseRWLayer', options, ['force']);
    if (options.force !== undefined) assertBoolean('releaseRWLayer', 'force', options.force);
    return this.#ctx.operations.run(undefined, () =>
      releaseRWLayer(this.#ctx, this.#node, this, async () => {
        if (this.#mounts > 0 && options.force !== true) {
          throw this.#stillActive(`${this.#mounts} times by this handle`);
        }
        if (this.mountedBefore && options.force !== true) throw this.#stillActive('by an earlier process');
        await this.#ctx.driver.disown(this.mountId);
        for (; this.#mounts > 0; this.#mounts -= 1) await this.#ctx.driver.put(this.mountId);
      }),
    );
  }

  /** Unmounts. The layer and its content stay: giving up the last handle would delete it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ctx.operations.closed || !this.retained) return;
    while (this.#mounts > 0) await this.unmount();
  }

  #stillActive(how: string): LayerStoreError {
    return new LayerStoreError(
      'MOUNT_ACTIVE',
      `mount still active: ${this.name} is mounted ${how}: unmount it first or pass force`,
      { name: this.name },
    );
  }

  async #run<T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#requireRetained();
    return this.#ctx.operations.run(signal, work);
  }

  #requireRetained(): void {
    this.#ctx.operations.requireOpen();
    if (this.retained) return;
    throw new LayerStoreError(
      'LAYER_NOT_RETAINED',
      `layer not retained: this handle of ${this.name} was released: get another`,
      { name: this.name },
    );
  }
}
