import { LayerStoreError } from '@x/archive';
import type { DiffStream, SignalOptions } from '../driver/contract.js';
import { diffStream } from '../driver/diff-stream.js';
import {
  type CacheId,
  type ChainId,
  type DiffId,
  EMPTY_LAYER_BYTES,
  EMPTY_LAYER_CHAIN_ID,
  EMPTY_LAYER_DIFF_ID,
  parseChainId,
} from '../ids.js';
import type { LayerDescriptor } from '../metadata/records.js';
import type { StoreContext } from './context.js';
import type { LayerNode } from './layer-node.js';
import { type RemovedLayers, releaseLayer } from './release.js';
import { flattenedStream, type LayerStream, verifiedTarStream } from './tar-stream.js';

/** What can be read of a layer. A view does not keep the layer; that takes a {@link Layer}. */
export interface LayerView {
  readonly chainId: ChainId;
  readonly diffId: DiffId;
  /** Not retained. */
  readonly parent: LayerView | undefined;
  /** Bytes of regular files in the whole chain. */
  size(): number;
  /** Bytes of its own regular files, each payload once. */
  diffSize(): number;
  /** Sum of the sizes in its own tar headers: what Docker shows as its size. */
  archiveSize(): number;
  /** What the driver says about it. */
  metadata(): Promise<Readonly<Record<string, string>>>;
  /**
   * The registered tar stream, byte for byte. Its digest is checked at the end, where a layer that was damaged on disk
   * makes the stream fail with LAYER_UNVERIFIED before its last chunk. Close it when it is not read to the end.
   */
  tarStream(options?: SignalOptions): LayerStream;
  /**
   * What the layer and its parents add to an ancestor, or everything; made anew from the files, so the bytes are not
   * those of any registered stream. LAYER_NOT_ANCESTOR.
   */
  tarStreamFrom(ancestor?: string, options?: SignalOptions): DiffStream;
}

/** A layer in a store: {@link LayerView} with what the store knows besides. */
export class StoredLayer implements LayerView {
  readonly #ctx: StoreContext;
  readonly #node: LayerNode;

  /** @internal */
  constructor(ctx: StoreContext, node: LayerNode) {
    this.#ctx = ctx;
    this.#node = node;
  }

  get chainId(): ChainId {
    return this.#node.record.chainId;
  }

  get diffId(): DiffId {
    return this.#node.record.diffId;
  }

  get parent(): LayerView | undefined {
    const { parent } = this.#node;
    return parent === undefined ? undefined : new StoredLayer(this.#ctx, parent);
  }

  /** Name of its directory in the driver. */
  get cacheId(): CacheId {
    return this.#node.record.cacheId;
  }

  get descriptor(): LayerDescriptor | undefined {
    return this.#node.record.descriptor;
  }

  get labels(): Readonly<Record<string, string>> {
    return this.#node.record.labels ?? {};
  }

  /** 1 for a layer without parent. */
  get depth(): number {
    return this.#node.depth;
  }

  /** Handles, children and read-write layers that keep it. */
  get referenceCount(): number {
    return this.#node.referenceCount;
  }

  size(): number {
    return this.#node.chainSize;
  }

  diffSize(): number {
    return this.#node.record.size;
  }

  archiveSize(): number {
    return this.#node.record.archiveSize;
  }

  metadata(): Promise<Readonly<Record<string, string>>> {
    return this.#ctx.operations.run(undefined, () => this.#ctx.driver.metadata(this.cacheId));
  }

  tarStream(options: SignalOptions = {}): LayerStream {
    return verifiedTarStream(this.#ctx, this.#node, options);
  }

  tarStreamFrom(ancestor?: string, options: SignalOptions = {}): DiffStream {
    const chainId = ancestor === undefined || ancestor === '' ? undefined : parseChainId(ancestor);
    return flattenedStream(this.#ctx, this.#node, chainId, options);
  }
}

/** A layer that is kept until this handle is released. Every handle is distinct and is released once. */
export class Layer extends StoredLayer implements AsyncDisposable {
  readonly #ctx: StoreContext;
  #released = false;

  /** @internal Use {@link retain}. */
  private constructor(ctx: StoreContext, node: LayerNode) {
    super(ctx, node);
    this.#ctx = ctx;
  }

  /** @internal A new handle. */
  static retain(ctx: StoreContext, node: LayerNode): Layer {
    const handle = new Layer(ctx, node);
    ctx.graph.retain(node, handle);
    return handle;
  }

  /** True until it is released. */
  get retained(): boolean {
    return !this.#released;
  }

  /**
   * Gives the handle up; resolves to the layers that went with it. LAYER_NOT_RETAINED the second time, unless the layer
   * is gone by then, which is an empty list.
   */
  async release(): Promise<RemovedLayers> {
    const removed = await this.#ctx.operations.run(undefined, () =>
      releaseLayer(this.#ctx, this.chainId, this),
    );
    this.#released = true;
    return removed;
  }

  /** Releases the handle unless that was done, or the store is closed (which gives up every handle). */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#released || this.#ctx.operations.closed) return;
    await this.release();
  }
}

/** The layer without content. It is in every store and in none: it needs no release. */
export const EMPTY_LAYER: LayerView = Object.freeze({
  chainId: EMPTY_LAYER_CHAIN_ID,
  diffId: EMPTY_LAYER_DIFF_ID,
  parent: undefined,
  size: () => 0,
  diffSize: () => 0,
  archiveSize: () => 0,
  metadata: () => Promise.resolve({}),
  tarStream: (options: SignalOptions = {}) =>
    Object.assign(diffStream(emptyTar, options), { recycle: () => undefined }),
  tarStreamFrom: (ancestor?: string, options: SignalOptions = {}) => {
    if (ancestor === undefined || ancestor === '') return diffStream(emptyTar, options);
    throw new LayerStoreError('LAYER_NOT_ANCESTOR', "can't get parent tar stream of an empty layer", {
      chainId: ancestor,
    });
  },
});

async function* emptyTar(): AsyncGenerator<Uint8Array, void, undefined> {
  yield new Uint8Array(EMPTY_LAYER_BYTES);
}
