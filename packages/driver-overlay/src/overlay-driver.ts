import { closeSync, openSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { type Change, errnoOf, LayerStoreError } from '@x/archive';
import {
  type CreateKind,
  type CreateOptions,
  Driver,
  type DriverId,
  type DriverUsage,
  type FileSource,
  type LayerSource,
  type ProbeResult,
  type UnpackResult,
} from '@x/layer-store';
import { UNPRIVILEGED_UNPACK } from '@x/layer-store/driver-kit';
import { native } from '@x/native';
import { checkProgramMark, markForProgram } from './fuse/program-mark.js';
import { HardlinkLayout } from './hardlink/hardlink-layout.js';
import type { LayoutContext, OverlayLayout } from './layout.js';
import { KernelMounter } from './mount/kernel-mounter.js';
import type { OverlayMounter } from './mount/overlay-mounter.js';
import { ProgramMounter } from './mount/program-mounter.js';
import { MultiLowerLayout } from './multi-lower/multi-lower-layout.js';
import {
  type OverlayDriverOptions,
  type OverlayName,
  type ResolvedOverlayOptions,
  resolveOverlayOptions,
} from './options.js';
import { ownsEveryId } from './privileges.js';
import { type OverlayFacts, overlayFacts } from './probe/overlay-facts.js';
import { type ProbeOptions, probeOverlay } from './probe/probe-overlay.js';
import { openQuotaControl } from './quota/quota-control.js';
import { quotaLimits } from './quota/quota-limits.js';
import { summarizeShortfall } from './shortfall.js';
import { isVolatileStorage } from './volatile-storage.js';

/**
 * Layers as stacked directories: a layer holds what it changes, the kernel (or a program over FUSE) shows it merged with what
 * is below. Two layouts of the home, both Docker's: `multi-lower` (overlay2) and `hardlink` (overlay).
 *
 * @example
 * await using driver = new OverlayDriver({ home: '/var/lib/layers/overlay2' });
 * await driver.open();
 * await driver.create('base');
 */
export class OverlayDriver extends Driver {
  override readonly name: OverlayName;
  /** Owners are recorded beside the files, as the process may not set them. */
  readonly rootless: boolean;
  readonly #options: ResolvedOverlayOptions;
  readonly #layout: OverlayLayout;
  readonly #context: LayoutContext;

  /**
   * Touches nothing; `open` does. Fails with OPTION_UNKNOWN, OPTION_INVALID, and DRIVER_QUOTA_NOT_SUPPORTED for a size where
   * the file system has no project quotas.
   */
  constructor(options: OverlayDriverOptions) {
    const resolved = resolveOverlayOptions(options);
    const rootless = resolved.rootless ?? !ownsEveryId();
    const context = makeContext(resolved, rootless);
    const layout =
      resolved.layout === 'hardlink' ? new HardlinkLayout(context) : new MultiLowerLayout(context);
    super(resolved.home, layout.capabilities, resolved.idMap);
    this.name = resolved.name;
    this.rootless = rootless;
    this.#options = resolved;
    this.#layout = layout;
    this.#context = context;
  }

  /** Whether the driver can run at `home`, and why not; see {@link probeOverlay}. */
  static probe(home: string, options: ProbeOptions = {}): Promise<ProbeResult> {
    return probeOverlay(home, options);
  }

  protected override async _open(): Promise<void> {
    const refusal = this.#context.mounter.refusal(this.home);
    if (refusal !== undefined) {
      throw new LayerStoreError(
        'DRIVER_NOT_SUPPORTED',
        `the ${this.name} driver cannot run at ${this.home}: ${refusal}: choose another home`,
        { driver: this.name, path: this.home },
      );
    }
    checkProgramMark(this.home, this.#options.mountProgram);
    if (!(await hasEntries(this.home))) await this.#requireSupported();
    await this.#layout.open();
    markForProgram(this.home, this.#options.mountProgram);
    await this.#context.learn();
  }

  protected override _close(): Promise<void> {
    return this.#layout.close();
  }

  protected override _create(
    id: DriverId,
    parent: DriverId | undefined,
    options: CreateOptions,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    return this.#layout.create({ id, parent, kind: 'read-only', options, signal });
  }

  protected override _createReadWrite(
    id: DriverId,
    parent: DriverId | undefined,
    options: CreateOptions,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    return this.#layout.create({ id, parent, kind: 'read-write', options, signal });
  }

  protected override _remove(id: DriverId): Promise<void> {
    return this.#layout.remove(id);
  }

  protected override _get(id: DriverId, mountLabel: string | undefined): Promise<string> {
    return this.#layout.get(id, mountLabel);
  }

  protected override _put(id: DriverId): Promise<void> {
    return this.#layout.put(id);
  }

  protected override _exists(id: DriverId): Promise<boolean> {
    return this.#layout.exists(id);
  }

  protected override _list(): Promise<DriverId[]> {
    return this.#layout.list();
  }

  protected override _isMounted(id: DriverId): Promise<boolean> {
    return this.#layout.isMounted(id);
  }

  protected override _mounted(): Promise<DriverId[]> {
    return this.#layout.mounted();
  }

  protected override _status(): Promise<readonly (readonly [string, string])[]> {
    return this.#layout.status();
  }

  protected override _metadata(id: DriverId): Promise<Readonly<Record<string, string>>> {
    return this.#layout.metadata(id);
  }

  protected override async _applyDiff(
    id: DriverId,
    parent: DriverId | undefined,
    layer: LayerSource,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const result =
      (await this.#layout.applyDiff(id, parent, layer, signal)) ??
      (await this.#unpackInView(id, layer, signal));
    const shortfall = summarizeShortfall(id, result.warnings);
    if (shortfall !== undefined) this.#options.onShortfall?.(shortfall);
    return result.size;
  }

  protected override _diff(
    id: DriverId,
    parent: DriverId | undefined,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array> | undefined> {
    return this.#layout.diff(id, parent, signal);
  }

  protected override _changes(
    id: DriverId,
    parent: DriverId | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Change[] | undefined> {
    return this.#layout.changes(id, parent, signal);
  }

  protected override _diffSize(
    id: DriverId,
    parent: DriverId | undefined,
    signal: AbortSignal | undefined,
  ): Promise<number | undefined> {
    return this.#layout.diffSize(id, parent, signal);
  }

  protected override async _fileSource(id: DriverId): Promise<FileSource> {
    return (await this.#layout.fileSource(id)) ?? super._fileSource(id);
  }

  protected override async _usage(id: DriverId): Promise<DriverUsage> {
    return (await this.#layout.usage(id)) ?? super._usage(id);
  }

  /** The store asks before every record: one call on another thread, and none where nothing outlives a power cut anyway. */
  protected override async _sync(): Promise<void> {
    if (!native.available) return super._sync();
    if (isVolatileStorage(this.home)) return;
    const home = openSync(this.home, 'r');
    try {
      await native.calls.syncfs(home);
    } finally {
      closeSync(home);
    }
  }

  protected override _cleanup(): Promise<void> {
    return this.#layout.cleanup();
  }

  protected override get _recordsOwners(): boolean {
    return this.rootless;
  }

  protected override _isReserved(id: string): boolean {
    return this.#layout.isReserved(id);
  }

  protected override _checkStorageOptions(
    storageOpt: Readonly<Record<string, string>>,
    kind: CreateKind,
  ): void {
    const [option] = Object.keys(storageOpt);
    if (option === undefined) return;
    const limits = quotaLimits(storageOpt, this.#options);
    if (kind === 'read-only') {
      throw new LayerStoreError(
        'OPTION_INVALID',
        `storage option '${option}' is for read-write layers: leave it out`,
        { driver: this.name, option },
      );
    }
    if (limits === undefined || this.capabilities.quota) return;
    throw new LayerStoreError(
      'DRIVER_QUOTA_NOT_SUPPORTED',
      `the ${this.name} driver cannot limit a layer here: leave storage option '${option}' out`,
      { driver: this.name, option },
    );
  }

  async #unpackInView(
    id: DriverId,
    layer: LayerSource,
    signal: AbortSignal | undefined,
  ): Promise<UnpackResult> {
    const view = await this._acquire(id);
    try {
      return await layer.unpack(view, {
        whiteouts: 'delete',
        ...this.#context.unpackOptions,
        ...(signal === undefined ? {} : { signal }),
      });
    } finally {
      await this._giveUp(id);
    }
  }

  /** Layers that are there already are not given up for a probe: their mounts say what is wrong. */
  async #requireSupported(): Promise<void> {
    const result = await OverlayDriver.probe(this.home, { mountProgram: this.#options.mountProgram });
    if (result.supported) return;
    throw new LayerStoreError(
      result.code,
      `the ${this.name} driver cannot run here: ${result.reason}: ${result.remedy}`,
      { driver: this.name, path: this.home },
    );
  }
}

function makeContext(options: ResolvedOverlayOptions, rootless: boolean): LayoutContext {
  const { home, mountProgram, mountInterface, mountOptions } = options;
  const kernel = new KernelMounter({
    mountInterface,
    mountOptions,
    plainUppers: options.layout === 'hardlink',
  });
  const mounter: OverlayMounter =
    mountProgram === undefined ? kernel : new ProgramMounter(mountProgram, mountOptions);
  const quota = openQuotaControl(home);
  if (quota === undefined && (options.size !== undefined || options.inodes !== undefined)) {
    throw new LayerStoreError(
      'DRIVER_QUOTA_NOT_SUPPORTED',
      `the file system of ${home} has no project quotas: leave size and inodes out, or mount it with prjquota`,
      { driver: options.name, option: options.size === undefined ? 'inodes' : 'size' },
    );
  }
  return {
    options,
    mounter,
    quota,
    unpackOptions: rootless ? UNPRIVILEGED_UNPACK : {},
    learn: async (): Promise<OverlayFacts> => {
      const facts = await overlayFacts(home);
      kernel.adapt(facts);
      return facts;
    },
  };
}

async function hasEntries(directory: string): Promise<boolean> {
  try {
    return (await readdir(directory)).length > 0;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
