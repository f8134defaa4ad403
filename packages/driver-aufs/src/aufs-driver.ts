import { type Change, LayerStoreError, treeSize } from '@x/archive';
import {
  type CreateOptions,
  Driver,
  type DriverId,
  type DriverUsage,
  type FileSource,
  type LayerSource,
  type ProbeResult,
} from '@x/layer-store';
import { fileSystemOf } from '@x/layer-store/driver-kit';
import {
  type BranchStack,
  branchChanges,
  branchDiff,
  branchDiffSize,
  wholeBranch,
} from './diff/branch-diff.js';
import { dropMarks } from './diff/drop-marks.js';
import { step } from './failpoints.js';
import { LinuxAufsKernel } from './kernel/linux-aufs-kernel.js';
import { LayerHome, requireBranch } from './layers/layer-home.js';
import { REMOVING_SUFFIX } from './layers/parents-list.js';
import { type AufsBranch, assertExpressible, MAX_BRANCHES } from './mount/branch.js';
import { type AufsDriverOptions, checkAufsOptions, type ResolvedAufsOptions } from './options.js';
import { probeAufs } from './probe/probe-aufs.js';
import { UnionMounter } from './union/union-mounter.js';
import { checkXino, defaultXino } from './union/xino.js';

/**
 * Every layer is a directory with its own files; aufs shows them merged with those of its ancestors. The union is mounted so
 * that every branch arrives, whatever the length of the paths, the number of layers and the page size. Layout and names are
 * Docker's.
 *
 * @example
 * await using driver = new AufsDriver({ home: '/var/lib/layers/aufs' });
 * await driver.open();
 * await driver.create('base');
 */
export class AufsDriver extends Driver {
  override readonly name = 'aufs';
  readonly #options: ResolvedAufsOptions;
  readonly #layers: LayerHome;
  #mounter: UnionMounter;

  /** Touches nothing; `open` does. Fails with OPTION_UNKNOWN, OPTION_INVALID. */
  constructor(options: AufsDriverOptions) {
    const resolved = checkAufsOptions(options);
    super(
      resolved.home,
      {
        nativeDiff: true,
        nativeChanges: true,
        quota: false,
        hardlinks: false,
        reproducesExactDiffs: false,
        whiteouts: 'aufs',
        mounts: true,
        mountLabels: true,
        maxDepth: MAX_BRANCHES,
        rootless: false,
      },
      resolved.idMap,
    );
    this.#options = resolved;
    const root = resolved.idMap?.rootPair ?? {
      uid: process.geteuid?.() ?? 0,
      gid: process.getegid?.() ?? 0,
    };
    this.#layers = new LayerHome(resolved.home, { root, gid: resolved.idMap?.rootPair.gid });
    this.#mounter = this.#mounterWith(resolved.xino ?? '');
  }

  /** Whether the driver can run at `home`: see {@link probeAufs}. */
  static probe(home: string): Promise<ProbeResult> {
    return probeAufs(home, new LinuxAufsKernel());
  }

  protected override async _open(): Promise<void> {
    const probed = await probeAufs(this.home, this.#options.kernel);
    if (!probed.supported) {
      throw new LayerStoreError(probed.code, `aufs cannot run here: ${probed.reason}: ${probed.remedy}`, {
        driver: this.name,
        path: this.home,
      });
    }
    if (this.#options.xino !== undefined) await checkXino(this.#options.xino);
    this.#mounter = this.#mounterWith(this.#options.xino ?? (await defaultXino(this.home)));
    await this.#layers.open({
      release: (mountPoint) => this.#release(mountPoint),
      failed: (path, error) => this.#warn('sweep', path, `${path} could not be deleted`, error),
    });
    // The path without links, too, is what the kernel is given.
    assertExpressible('home', this.#layers.mounts);
  }

  protected override async _create(
    id: DriverId,
    parent: DriverId | undefined,
    _options: CreateOptions,
  ): Promise<void> {
    const parents = parent === undefined ? [] : [parent, ...(await this.#layers.parents(parent))];
    if (parents.length >= MAX_BRANCHES) {
      throw new LayerStoreError(
        'LAYER_MAX_DEPTH',
        `max depth exceeded: ${parent} has ${parents.length} layers already, aufs mounts at most ${MAX_BRANCHES}: squash it`,
        { driver: this.name, cacheId: id },
      );
    }
    if (parent !== undefined) await this.#settle(parent);
    await this.#layers.create(id, parents);
  }

  protected override async _remove(id: DriverId): Promise<void> {
    await step('aufs-remove.unmount', () => this.#mounter.unmount(this.#layers.mountPoint(id)));
    await this.#layers.remove(id);
  }

  /** A layer without parent needs no union: its directory is given. */
  protected override async _get(id: DriverId, label: string | undefined): Promise<string> {
    const parents = await this.#layers.parents(id);
    await requireBranch(this.#layers.branch(id), id);
    if (parents.length === 0) return `${this.home}/diff/${id}`;
    for (const parent of parents) await requireBranch(this.#layers.branch(parent), parent);
    const mountPoint = await this.#layers.prepareMountPoint(id);
    await this.#mounter.mount({ mountPoint, branches: this.#branches(id, parents), label });
    return `${this.home}/mnt/${id}`;
  }

  protected override _put(id: DriverId): Promise<void> {
    return this.#mounter.unmount(this.#layers.mountPoint(id));
  }

  protected override _exists(id: DriverId): Promise<boolean> {
    return this.#layers.exists(id);
  }

  protected override _list(): Promise<DriverId[]> {
    return this.#layers.list();
  }

  protected override async _isMounted(id: DriverId): Promise<boolean> {
    return (await this.#mounter.find(this.#layers.mountPoint(id))) !== undefined;
  }

  /** A union that a dead process left unfinished is finished first. */
  protected override async _mounted(): Promise<DriverId[]> {
    const ids: DriverId[] = [];
    for (const { mountPoint } of await this.#options.kernel.mounted()) {
      const id = this.#layers.layerAt(mountPoint);
      if (id === undefined || ids.includes(id) || !(await this.#layers.exists(id))) continue;
      ids.push(id);
      try {
        await this._get(id, undefined);
      } catch (error) {
        this.#warn('unmount', mountPoint, `the union at ${mountPoint} was found and is not whole`, error);
      }
    }
    return ids;
  }

  protected override _isReserved(id: string): boolean {
    return id.endsWith(REMOVING_SUFFIX);
  }

  /** Docker's items, in Docker's order. */
  protected override async _status(): Promise<readonly (readonly [string, string])[]> {
    return [
      ['Root Dir', this.home],
      ['Backing Filesystem', (await fileSystemOf(this.home)).name],
      ['Dirs', String((await this.#layers.list()).length)],
      ['Dirperm1 Supported', String(await this.#mounter.supportsDirperm1())],
    ];
  }

  protected override async _diff(
    id: DriverId,
    parent: DriverId | undefined,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array> | undefined> {
    const stack = await this.#stackOn(id, parent);
    if (stack === undefined) return undefined;
    const options = { signal, ...(this.idMap === undefined ? {} : { idMap: this.idMap }) };
    return parent === undefined ? wholeBranch(stack.branch, options) : branchDiff(stack, options);
  }

  protected override async _changes(
    id: DriverId,
    parent: DriverId | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Change[] | undefined> {
    const stack = await this.#stackOn(id, parent);
    return stack === undefined ? undefined : branchChanges(stack, signal);
  }

  protected override async _diffSize(
    id: DriverId,
    parent: DriverId | undefined,
    signal: AbortSignal | undefined,
  ): Promise<number | undefined> {
    const stack = await this.#stackOn(id, parent);
    return stack === undefined ? undefined : branchDiffSize(stack, signal);
  }

  /** Into the branch itself, deletions as the marks aufs understands. No mount is needed. */
  protected override async _applyDiff(
    id: DriverId,
    _parent: DriverId | undefined,
    layer: LayerSource,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const branch = this.#layers.branch(id);
    const parents = await this.#layers.parents(id);
    await requireBranch(branch, id);
    await this.#settle(id);
    const { size } = await layer.unpack(branch, {
      whiteouts: 'aufs',
      ...(signal === undefined ? {} : { signal }),
    });
    if (parents.length === 0) await dropMarks(branch);
    await this.#settle(id);
    return size;
  }

  /** The layer's own files without a mount, then those of its ancestors. */
  protected override async _fileSource(id: DriverId): Promise<FileSource> {
    const ids = [id, ...(await this.#layers.parents(id))];
    for (const each of ids) await requireBranch(this.#layers.branch(each), each);
    await this.#settle(id);
    const close = (): Promise<void> => Promise.resolve();
    return { roots: ids.map((each) => this.#layers.branch(each)), close, [Symbol.asyncDispose]: close };
  }

  protected override async _usage(id: DriverId): Promise<DriverUsage> {
    await this.#settle(id);
    return { bytes: await treeSize(this.#layers.branch(id)) };
  }

  protected override async _cleanup(): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    for (const { mountPoint } of (await this.#options.kernel.mounted()).toReversed()) {
      if (this.#layers.layerAt(mountPoint) === undefined) continue;
      try {
        await this.#mounter.unmount(mountPoint);
      } catch (error) {
        failure = { error };
      }
    }
    if (failure !== undefined) throw failure.error;
  }

  #mounterWith(xino: string): UnionMounter {
    const { home, kernel, maxMountOptions, mountOptions, onWarning } = this.#options;
    return new UnionMounter(kernel, { home, xino, maxOptions: maxMountOptions, mountOptions, onWarning });
  }

  #branches(id: DriverId, parents: readonly DriverId[]): AufsBranch[] {
    return [
      { path: this.#layers.branch(id), permission: 'rw' },
      ...parents.map((parent): AufsBranch => ({ path: this.#layers.branch(parent), permission: 'ro+wh' })),
    ];
  }

  /** The branches to compare, if `parent` is what the layer was made on; undefined: only the merged trees tell. */
  async #stackOn(id: DriverId, parent: DriverId | undefined): Promise<BranchStack | undefined> {
    const parents = await this.#layers.parents(id);
    if (parents[0] !== parent) return undefined;
    for (const each of [id, ...parents]) await requireBranch(this.#layers.branch(each), each);
    for (const each of [id, ...parents]) await this.#settle(each);
    return { branch: this.#layers.branch(id), lower: parents.map((each) => this.#layers.branch(each)) };
  }

  #settle(id: DriverId): Promise<void> {
    return this.#options.kernel.settle(this.#layers.branch(id));
  }

  /** Ends what is mounted for a layer that is gone. */
  async #release(mountPoint: string): Promise<boolean> {
    try {
      await this.#mounter.unmount(mountPoint);
      return true;
    } catch (error) {
      this.#warn('unmount', mountPoint, `${mountPoint} stays mounted though its layer is gone`, error);
      return false;
    }
  }

  #warn(kind: 'sweep' | 'unmount', path: string, message: string, error: unknown): void {
    this.#options.onWarning({ kind, path, message: `${message}: ${String(error)}` });
  }
}
