import { existsSync, opendirSync } from 'node:fs';
import { type Change, LayerStoreError, treeSize } from '@x/archive';
import type {
  DriverCapabilities,
  DriverId,
  DriverUsage,
  FileSource,
  LayerSource,
  UnpackResult,
} from '@x/layer-store';
import { KeyedMutex } from '@x/layer-store/driver-kit';
import type { CreateRequest, LayoutContext, OverlayLayout } from '../layout.js';
import type { OverlayFacts } from '../probe/overlay-facts.js';
import { quotaLimits } from '../quota/quota-limits.js';
import { isVolatileStorage } from '../volatile-storage.js';
import { createLayer } from './layer-creation.js';
import { isReserved, LayerFiles } from './layer-files.js';
import { removeLayer } from './layer-removal.js';
import { type LowerChain, LowerChains, NO_LOWERS } from './lower-chains.js';
import { MergedViews } from './merged-views.js';
import { expectsNativeDiff, type UpperTraits, upperTraits } from './native-diff-trial.js';
import { hideBelowOpaqueRoot } from './opaque-root.js';
import { makeHome, recover } from './recovery.js';
import { UpperDiff } from './upper-diff.js';

const HOME_MODE = 0o710;
const ROOTLESS_HOME_MODE = 0o700;
/** There when the kernel can give a mount a context. */
const SELINUX = '/sys/fs/selinux/enforce';

/** What opening found out. */
interface OpenState {
  readonly facts: OverlayFacts;
  readonly traits: UpperTraits;
  /** Undefined: upper directories do not say all. */
  readonly upperDiff: UpperDiff | undefined;
}

/**
 * One directory per layer, as Docker's overlay2 has them (spec/drivers.md 4.6): a layer holds what it changes, a mount stacks
 * it on all the layers below.
 */
export class MultiLowerLayout implements OverlayLayout {
  readonly capabilities: DriverCapabilities;
  readonly #context: LayoutContext;
  readonly #files: LayerFiles;
  readonly #chains: LowerChains;
  readonly #views: MergedViews;
  /** What makes a layer a lower, a view or a target of unpacking; never two at once for one id. */
  readonly #locks = new KeyedMutex<DriverId>();
  #state: OpenState | undefined;

  constructor(context: LayoutContext) {
    const { options, mounter, quota } = context;
    const native = mounter.whiteouts === 'overlay' && expectsNativeDiff();
    this.capabilities = {
      nativeDiff: native,
      nativeChanges: native,
      quota: quota !== undefined,
      hardlinks: false,
      reproducesExactDiffs: false,
      whiteouts: mounter.whiteouts,
      mountLabels: existsSync(SELINUX),
      maxDepth: mounter.maxLayers,
      rootless: mounter.whiteouts === 'aufs',
      mounts: true,
    };
    this.#context = context;
    this.#files = new LayerFiles(options.home);
    this.#chains = new LowerChains(this.#files);
    this.#views = new MergedViews(this.#files, this.#chains, mounter, options.idMap?.rootPair);
  }

  async open(): Promise<void> {
    const { options, mounter, unpackOptions } = this.#context;
    const { home, idMap } = options;
    await makeHome(
      home,
      unpackOptions.recordOwners === true
        ? { mode: ROOTLESS_HOME_MODE, gid: undefined }
        : { mode: HOME_MODE, gid: idMap?.rootPair.gid },
    );
    const facts = await this.#context.learn();
    const { userXattr } = facts;
    await recover(this.#files);
    const traits = await upperTraits(mounter, home, userXattr);
    const upperDiff =
      traits.nativeDiff && this.capabilities.nativeDiff
        ? new UpperDiff(this.#files, this.#chains, { userXattr, idMap })
        : undefined;
    this.#state = { facts, traits, upperDiff };
  }

  /** Another process may change the home before it is opened again. */
  async close(): Promise<void> {
    this.#views.forget();
    this.#chains.forgetAll();
  }

  async create({ id, parent, kind, options, signal }: CreateRequest): Promise<void> {
    signal?.throwIfAborted();
    const quota = kind === 'read-write' ? quotaLimits(options.storageOpt, this.#context.options) : undefined;
    const control = this.#context.quota;
    const limit =
      quota === undefined || control === undefined
        ? undefined
        : (directory: string): Promise<void> => control.set(directory, quota);
    const owner = this.#context.options.idMap?.rootPair;
    const make = async (lowers: LowerChain): Promise<void> => {
      const link = await createLayer(this.#files, { id, kind, lowers, owner, limit });
      this.#chains.remember(id, link, lowers);
    };
    if (parent === undefined) return make(NO_LOWERS);
    return this.#locks.run(
      parent,
      async () => {
        const lowers = await this.#chains.belowChildOf(parent);
        this.#checkDepth(id, lowers.ids.length + 1);
        const frozen = await this.#views.freeze(parent);
        try {
          await make(lowers);
        } catch (error) {
          if (frozen) await this.#views.thaw(parent);
          throw error;
        }
      },
      signal,
    );
  }

  async remove(id: DriverId): Promise<void> {
    await this.#locks.run(id, async () => {
      await this.#views.evict(id);
      if (this.#files.exists(id)) await this.#context.quota?.clear(this.#files.path(id));
      const link = this.#chains.linkOf(id) ?? this.#files.link(id);
      this.#chains.forget(id);
      await removeLayer(this.#files, id, { link, durable: !isVolatileStorage(this.#files.home) });
    });
  }

  get(id: DriverId, mountLabel: string | undefined): Promise<string> {
    return this.#locks.run(id, () => this.#views.get(id, mountLabel));
  }

  put(id: DriverId): Promise<void> {
    return this.#locks.run(id, () => this.#views.put(id));
  }

  async exists(id: DriverId): Promise<boolean> {
    return this.#files.exists(id);
  }

  async list(): Promise<DriverId[]> {
    return this.#files.list();
  }

  isMounted(id: DriverId): Promise<boolean> {
    return this.#views.isMounted(id);
  }

  mounted(): Promise<DriverId[]> {
    return this.#views.mounted();
  }

  /** Docker's pairs, in its order. A mount program has none there. */
  async status(): Promise<readonly (readonly [string, string])[]> {
    if (this.#context.mounter.whiteouts === 'aufs') return [];
    const { facts, traits, upperDiff } = this.#open;
    return [
      ['Backing Filesystem', facts.fileSystem],
      ['Supports d_type', String(facts.dType ?? false)],
      ['Using metacopy', String(traits.metacopy)],
      ['Native Overlay Diff', String(upperDiff !== undefined)],
      ['userxattr', String(facts.userXattr)],
    ];
  }

  async metadata(id: DriverId): Promise<Readonly<Record<string, string>>> {
    const { ids } = await this.#chains.below(id);
    return {
      WorkDir: this.#files.path(id, 'work'),
      MergedDir: this.#files.merged(id),
      UpperDir: this.#files.diff(id),
      ...(ids.length === 0 ? {} : { LowerDir: ids.map((lower) => this.#files.diff(lower)).join(':') }),
    };
  }

  /**
   * Straight into the layer's directory while that is empty and nobody sees it: deletions become marks, and what is below
   * is not looked at. Anything else is for the mounted view, where overlay decides what a change does to the directory.
   */
  applyDiff(
    id: DriverId,
    _parent: DriverId | undefined,
    layer: LayerSource,
    signal: AbortSignal | undefined,
  ): Promise<UnpackResult | undefined> {
    return this.#locks.run(
      id,
      async () => {
        if (!isEmpty(this.#files.diff(id)) || (await this.#views.isMounted(id))) return undefined;
        const { ids } = await this.#chains.below(id);
        const result = await layer.unpack(this.#files.diff(id), {
          // Without anything below there is nothing to mark, and a lone layer is shown as it lies.
          whiteouts: ids.length === 0 ? 'delete' : this.#context.mounter.whiteouts,
          userXattr: this.#open.facts.userXattr,
          ...this.#context.unpackOptions,
          ...(signal === undefined ? {} : { signal }),
        });
        if (ids.length > 0) {
          hideBelowOpaqueRoot(
            this.#files.diff(id),
            ids.map((lower) => this.#files.diff(lower)),
            { whiteouts: this.#context.mounter.whiteouts, userXattr: this.#open.facts.userXattr },
          );
        }
        return result;
      },
      signal,
    );
  }

  async diff(
    id: DriverId,
    parent: DriverId | undefined,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array> | undefined> {
    return this.#open.upperDiff?.export(id, parent, signal);
  }

  async changes(
    id: DriverId,
    parent: DriverId | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Change[] | undefined> {
    return this.#open.upperDiff?.changes(id, parent, signal);
  }

  async diffSize(
    id: DriverId,
    parent: DriverId | undefined,
    signal: AbortSignal | undefined,
  ): Promise<number | undefined> {
    return this.#open.upperDiff?.size(id, parent, signal);
  }

  /** No mount: what a layer's archive held is in its own directory, and what it inherits in those below, nearest first. */
  async fileSource(id: DriverId): Promise<FileSource> {
    const { ids } = await this.#chains.below(id);
    const roots = [id, ...ids].map((layer) => this.#files.diff(layer));
    const close = async (): Promise<void> => {};
    return { roots, close, [Symbol.asyncDispose]: close };
  }

  /** The layer's own directory; what is below belongs to others. */
  async usage(id: DriverId): Promise<DriverUsage> {
    return { bytes: await treeSize(this.#files.diff(id)) };
  }

  cleanup(): Promise<void> {
    return this.#views.cleanup();
  }

  isReserved(id: string): boolean {
    return isReserved(id);
  }

  #checkDepth(id: DriverId, depth: number): void {
    const limit = this.capabilities.maxDepth;
    if (depth <= limit) return;
    throw new LayerStoreError(
      'LAYER_MAX_DEPTH',
      `layer ${id} would be number ${depth} of its chain, and a mount takes ${limit}: squash some layers`,
      { cacheId: id },
    );
  }

  get #open(): OpenState {
    if (this.#state === undefined) throw new LayerStoreError('DRIVER_CLOSED', 'the driver is not open');
    return this.#state;
  }
}

function isEmpty(directory: string): boolean {
  const handle = opendirSync(directory);
  try {
    return handle.readSync() === null;
  } finally {
    handle.closeSync();
  }
}
