import { chmod, chown, mkdir } from 'node:fs/promises';
import { copyTree } from '@x/archive';
import {
  type CreateOptions,
  Driver,
  type DriverId,
  type LayerSource,
  type ProbeResult,
} from '@x/layer-store';
import { UNPRIVILEGED_UNPACK } from '@x/layer-store/driver-kit';
import { LayerDirectories } from './layer-directories.js';
import { checkVfsOptions, type VfsDriverOptions } from './options.js';
import { currentPrivileges } from './privileges.js';
import { probeVfs } from './probe.js';
import {
  describeRefused,
  type Refusal,
  refusalOfCopy,
  refusalOfUnpack,
  type Shortfall,
  ShortfallRecords,
  summarize,
} from './shortfalls.js';

/** Of the root of a layer without parent; a child has its parent's. */
const LAYER_ROOT_MODE = 0o755;
/** With id maps the remapped root's group may pass through; rootless nobody else needs to. */
const HOME_MODE = 0o710;
const ROOTLESS_HOME_MODE = 0o700;
/** The store's own limit is lower; copies do not become slower with depth. */
const MAX_DEPTH = 1024;

/**
 * Every layer is a full copy of its parent with its own changes applied: works on any file system, without privilege, and
 * is as fast as the file system's reflinks. Layout and names are Docker's.
 *
 * @example
 * await using driver = new VfsDriver({ home: '/var/lib/layers/vfs' });
 * await driver.open();
 * await driver.create('base');
 */
export class VfsDriver extends Driver {
  override readonly name = 'vfs';
  readonly rootless: boolean;
  readonly #directories: LayerDirectories;
  readonly #shortfalls: ShortfallRecords;
  readonly #onShortfall: ((shortfall: Shortfall) => void) | undefined;

  /** Touches nothing; `open` does. Fails with OPTION_UNKNOWN, OPTION_INVALID, DRIVER_QUOTA_NOT_SUPPORTED. */
  constructor(options: VfsDriverOptions) {
    const { home, idMap, rootless, onShortfall } = checkVfsOptions(options);
    super(
      home,
      {
        nativeDiff: false,
        nativeChanges: false,
        quota: false,
        hardlinks: false,
        reproducesExactDiffs: false,
        whiteouts: 'delete',
        mounts: false,
        mountLabels: false,
        maxDepth: MAX_DEPTH,
        rootless: true,
      },
      idMap,
    );
    this.rootless = rootless ?? !currentPrivileges().chown;
    this.#directories = new LayerDirectories(
      home,
      this.rootless
        ? { mode: ROOTLESS_HOME_MODE, gid: undefined }
        : { mode: HOME_MODE, gid: idMap?.rootPair.gid },
    );
    this.#shortfalls = new ShortfallRecords(home);
    this.#onShortfall = onShortfall;
  }

  /** Whether the driver can run at `home`; see {@link probeVfs}. */
  static probe(home: string): Promise<ProbeResult> {
    return probeVfs(home);
  }

  protected override async _open(): Promise<void> {
    await this.#directories.open();
    await this.#shortfalls.open(await this.#directories.list());
  }

  protected override async _create(
    id: DriverId,
    parent: DriverId | undefined,
    _options: CreateOptions,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    await this.#shortfalls.forget(id);
    if (parent !== undefined) await this.#shortfalls.inherit(id, parent);
    await this.#directories.publish(id, (path) =>
      parent === undefined ? this.#makeRoot(path) : this.#copy(id, parent, path, signal),
    );
  }

  protected override async _remove(id: DriverId): Promise<void> {
    await this.#directories.remove(id);
    await this.#shortfalls.forget(id);
  }

  protected override async _get(id: DriverId): Promise<string> {
    return this.#directories.path(id);
  }

  protected override async _put(_id: DriverId): Promise<void> {}

  protected override _exists(id: DriverId): Promise<boolean> {
    return this.#directories.exists(id);
  }

  protected override _list(): Promise<DriverId[]> {
    return this.#directories.list();
  }

  protected override get _recordsOwners(): boolean {
    return this.rootless;
  }

  protected override async _status(): Promise<readonly (readonly [string, string])[]> {
    const count = await this.#shortfalls.count();
    const status: (readonly [string, string])[] = [];
    if (this.rootless) status.push(['Rootless', 'true'], ['Owners', 'recorded']);
    if (count > 0) status.push(['Layers With Owners, Devices Or Xattrs Missing', String(count)]);
    return status;
  }

  protected override async _metadata(id: DriverId): Promise<Readonly<Record<string, string>>> {
    const shortfall = await this.#shortfalls.get(id);
    return shortfall === undefined ? {} : { Refused: describeRefused(shortfall.refused) };
  }

  protected override async _applyDiff(
    id: DriverId,
    _parent: DriverId | undefined,
    layer: LayerSource,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const path = await this._acquire(id);
    try {
      const result = await layer.unpack(path, {
        whiteouts: 'delete',
        ...(signal === undefined ? {} : { signal }),
        ...(this.rootless ? UNPRIVILEGED_UNPACK : {}),
      });
      await this.#report(id, result.warnings.map(refusalOfUnpack));
      return result.size;
    } finally {
      await this._giveUp(id);
    }
  }

  async #makeRoot(path: string): Promise<void> {
    await mkdir(path);
    // The mode of mkdir is subject to the umask.
    await chmod(path, LAYER_ROOT_MODE);
    if (this.rootless) return;
    const { uid, gid } = this.idMap?.rootPair ?? { uid: 0, gid: 0 };
    await chown(path, uid, gid);
  }

  async #copy(id: DriverId, parent: DriverId, path: string, signal: AbortSignal | undefined): Promise<void> {
    const refusals: Refusal[] = [];
    await copyTree(this.#directories.path(parent), path, {
      mode: 'content',
      shortfalls: this.rootless ? 'report' : 'fail',
      onWarning: (warning) => refusals.push(refusalOfCopy(warning)),
      ...(signal === undefined ? {} : { signal }),
    });
    await this.#report(id, refusals);
  }

  async #report(id: DriverId, refusals: readonly Refusal[]): Promise<void> {
    const shortfall = summarize(id, refusals);
    if (shortfall === undefined) return;
    await this.#shortfalls.add(shortfall);
    this.#onShortfall?.(shortfall);
  }
}
