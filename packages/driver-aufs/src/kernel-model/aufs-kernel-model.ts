import { statSync } from 'node:fs';
import { lstat, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KeyedMutex } from '@x/layer-store/driver-kit';
import type { AufsKernel, FlushOutcome, KernelRefusal, MountedUnion } from '../kernel/aufs-kernel.js';
import type { AufsBranch } from '../mount/branch.js';
import { attachMerged, detachMerged, emptyMountPoint } from './merged-mount.js';
import { fillMergedView } from './merged-view.js';
import { ErrnoError, type Violation } from './model-failure.js';
import { type KeptUnion, StateFile } from './state-file.js';
import { sameTree, snapshotTree, type TreeSnapshot } from './tree-snapshot.js';
import { type ModelUnion, type PathKind, UnionTable } from './union-table.js';
import { editsBetween, writeBack } from './write-back.js';

/** A call of the model that can be made to fail. */
export type ModelCall = 'mount' | 'remount' | 'umount' | 'flush';

export interface AufsKernelModelOptions {
  /** Bytes of a page. Default 4096. */
  readonly pageSize?: number;
  /** Whether this aufs knows `dirperm1`. Default true. */
  readonly dirperm1?: boolean;
  /** Throw where the kernel would lose something in silence or crash, in place of only noting it. Default true. */
  readonly strict?: boolean;
  /** A file in which the unions outlive the process, as they do in the kernel. Default: they do not. */
  readonly stateFile?: string;
  /** Whether `auplink` is installed. Default false. */
  readonly auplink?: boolean;
  /** What `refusal()` says. Default: aufs can be mounted. */
  readonly refusal?: KernelRefusal;
}

/** The files aufs keeps at the top of a branch it writes to, and their modes. */
const BOOKKEEPING_FILE = '.wh..wh.aufs';
const BOOKKEEPING_DIRECTORIES = ['.wh..wh.plnk', '.wh..wh.orph'];

const ONE_AT_A_TIME = 'model';

/**
 * Stands in for a kernel with aufs, as far as the driver can tell: mount calls are cut, counted and refused as in
 * spec/aufs-observed.md, and the mount point gets the merged view of the branches, as a real directory. Edits made there are
 * written back into the branch, in aufs's format, when the union is unmounted or settled. A call that would lose a branch or
 * crash a kernel throws `ModelViolation`, and is kept in `violations`.
 *
 * @example
 * const kernel = new AufsKernelModel();
 * const driver = new AufsDriver({ home, kernel });
 */
export class AufsKernelModel implements AufsKernel {
  readonly pageSize: number;
  /** Every call that reached the kernel, for tests: `mount /home/mnt/x`. */
  readonly calls: string[] = [];
  readonly #options: AufsKernelModelOptions;
  readonly #state: StateFile | undefined;
  readonly #table: UnionTable;
  readonly #kept = new Map<string, KeptUnion>();
  readonly #busy = new Map<string, number>();
  readonly #failures = new Map<ModelCall, string[]>();
  readonly #mutex = new KeyedMutex<string>();
  #mounting = false;

  constructor(options: AufsKernelModelOptions = {}) {
    const { pageSize = 4096, dirperm1 = true, strict = true } = options;
    this.pageSize = pageSize;
    this.#options = options;
    this.#table = new UnionTable({ pageSize, dirperm1, strict, lookup: kindOf });
    this.#state = options.stateFile === undefined ? undefined : new StateFile(options.stateFile);
  }

  get violations(): readonly Violation[] {
    return this.#table.violations;
  }

  /** The SELinux context a union was mounted with. */
  labelOf(target: string): string | undefined {
    return this.#table.unions.get(target)?.label;
  }

  // --- what tests do to it -------------------------------------------------------------------------------------------

  /** The next calls of a kind fail, one with each errno (`EINVAL`…), after which things are as ever. */
  failNext(call: ModelCall, ...errnos: readonly string[]): void {
    this.#failures.set(call, [...(this.#failures.get(call) ?? []), ...errnos]);
  }

  /** Somebody has a file open there: the next `attempts` unmounts are EBUSY. */
  hold(target: string, attempts: number = Number.POSITIVE_INFINITY): void {
    this.#busy.set(target, attempts);
  }

  release(target: string): void {
    this.#busy.delete(target);
  }

  // --- AufsKernel ----------------------------------------------------------------------------------------------------

  refusal(): Promise<KernelRefusal | undefined> {
    return Promise.resolve(this.#options.refusal);
  }

  mount(target: string, data: Uint8Array): Promise<void> {
    return this.#mountCall('mount', target, async () => {
      const { xino } = this.#table.mount(target, data);
      const union = this.#unionAt(target);
      try {
        // Made exclusively, opened, and unlinked: a file that is left there from a mount that failed is in the way.
        if (xino !== undefined) await (await open(xino, 'wx', 0o600)).close();
        this.#injected('mount', target);
        if (xino !== undefined) await rm(xino);
      } catch (error) {
        this.#table.umount(target);
        throw error;
      }
      const { mode } = await lstat(target);
      await this.#pushBelow(union.branches);
      await makeBookkeeping(union);
      await attachMerged(target);
      await this.#fill(union, mode & 0o7777);
    });
  }

  remount(target: string, data: Uint8Array): Promise<void> {
    return this.#mountCall('remount', target, async () => {
      this.#injected('remount', target);
      const union = this.#table.remount(target, data);
      const { mode } = this.#keptAt(target);
      await this.#push(target);
      await this.#fill(union, mode);
    });
  }

  umount(target: string): Promise<void> {
    return this.#run(async () => {
      this.calls.push(`umount ${target}`);
      this.#injected('umount', target);
      const attempts = this.#busy.get(target) ?? 0;
      if (attempts > 0) {
        this.#busy.set(target, attempts - 1);
        throw new ErrnoError('EBUSY', 'umount2', target);
      }
      if (this.#kept.has(target)) {
        await this.#push(target);
        await detachMerged(target);
      }
      this.#table.umount(target);
      const { mode } = this.#keptAt(target);
      this.#kept.delete(target);
      await emptyMountPoint(target, mode);
      this.#save();
    });
  }

  mounted(): Promise<readonly MountedUnion[]> {
    this.#refresh();
    return Promise.resolve(
      [...this.#table.unions.values()].map(({ mountPoint, session }) => ({ mountPoint, session })),
    );
  }

  branches({ mountPoint }: MountedUnion): Promise<readonly AufsBranch[] | undefined> {
    this.#refresh();
    const branches = this.#table.unions.get(mountPoint)?.branches;
    return Promise.resolve(branches === undefined ? undefined : [...branches]);
  }

  flushPseudoLinks(target: string): Promise<FlushOutcome> {
    this.calls.push(`auplink ${target}`);
    if (this.#options.auplink !== true) return Promise.resolve({ kind: 'not-installed' });
    const [errno] = this.#failures.get('flush')?.splice(0, 1) ?? [];
    if (errno === 'EINVAL') return Promise.resolve({ kind: 'again' });
    return Promise.resolve(errno === undefined ? { kind: 'flushed' } : { kind: 'failed', reason: errno });
  }

  /** Edits of unions that write to the branch are written into it, and unions that show it show what is in it now. */
  settle(branch: string): Promise<void> {
    return this.#run(async () => {
      const showing = [...this.#kept.values()].filter(({ branches }) => branches.has(branch));
      if (showing.length === 0) return;
      for (const { union } of showing) {
        if (union.branches[0]?.path === branch) await this.#push(union.mountPoint);
      }
      const now = snapshotIfThere(branch);
      for (const { union, branches, mode } of [...this.#kept.values()]) {
        const before = branches.get(branch);
        if (before === undefined || now === undefined || sameTree(before, now)) continue;
        await this.#push(union.mountPoint);
        await this.#fill(union, mode);
      }
    });
  }

  /** The model's time is free. */
  wait(): Promise<void> {
    return Promise.resolve();
  }

  // --- how it does it ------------------------------------------------------------------------------------------------

  async #mountCall(call: ModelCall, target: string, work: () => Promise<void>): Promise<void> {
    this.calls.push(`${call} ${target}`);
    if (this.#mounting) {
      this.#table.violate('overlapping-calls', `${call} of ${target} while another runs`);
      throw new ErrnoError('EINVAL', 'mount', target);
    }
    this.#mounting = true;
    try {
      await this.#run(work);
    } finally {
      this.#mounting = false;
    }
  }

  #injected(call: ModelCall, target: string): void {
    const [errno] = this.#failures.get(call)?.splice(0, 1) ?? [];
    if (errno !== undefined) throw new ErrnoError(errno, call, target, 'as the test wants it');
  }

  #unionAt(target: string): ModelUnion {
    const union = this.#table.unions.get(target);
    if (union === undefined) throw new ErrnoError('EINVAL', 'mount', target);
    return union;
  }

  #keptAt(target: string): KeptUnion {
    const kept = this.#kept.get(target);
    if (kept === undefined) throw new ErrnoError('EINVAL', 'mount', target);
    return kept;
  }

  /** Edits in unions that write to one of the branches. */
  async #pushBelow(branches: readonly AufsBranch[]): Promise<void> {
    const paths = new Set(branches.map(({ path }) => path));
    for (const { union } of [...this.#kept.values()]) {
      const [top] = union.branches;
      if (top !== undefined && paths.has(top.path)) await this.#push(union.mountPoint);
    }
  }

  async #push(target: string): Promise<void> {
    const kept = this.#keptAt(target);
    const now = snapshotTree(target);
    if (sameTree(kept.merged, now)) return;
    const { union } = kept;
    writeBack(target, union.branches, editsBetween(kept.merged, now));
    const branches = new Map(kept.branches);
    const [top] = union.branches;
    if (top !== undefined) branches.set(top.path, snapshotTree(top.path));
    this.#kept.set(target, { ...kept, merged: now, branches });
    this.#save();
  }

  async #fill(union: ModelUnion, mode: number): Promise<void> {
    const target = union.mountPoint;
    await emptyMountPoint(target, mode);
    fillMergedView(target, union.branches);
    const branches = new Map<string, TreeSnapshot>();
    for (const { path } of union.branches) branches.set(path, snapshotTree(path));
    this.#kept.set(target, { union, mode, merged: snapshotTree(target), branches });
    this.#save();
  }

  #save(): void {
    this.#state?.write([...this.#kept.values()]);
  }

  /** One call at a time, on what other processes have left. */
  #run<T>(work: () => Promise<T>): Promise<T> {
    return this.#mutex.run(ONE_AT_A_TIME, () => {
      this.#refresh();
      return work();
    });
  }

  #refresh(): void {
    const unions = this.#state?.read();
    if (unions === undefined) return;
    this.#kept.clear();
    for (const kept of unions) this.#kept.set(kept.union.mountPoint, kept);
    this.#table.restore(unions.map(({ union }) => union));
  }
}

async function makeBookkeeping({ branches }: ModelUnion): Promise<void> {
  const [top] = branches;
  if (top === undefined) return;
  await (await open(join(top.path, BOOKKEEPING_FILE), 'a', 0o444)).close();
  for (const name of BOOKKEEPING_DIRECTORIES) {
    await mkdir(join(top.path, name), { recursive: true, mode: 0o700 });
  }
}

function snapshotIfThere(branch: string): TreeSnapshot | undefined {
  return kindOf(branch) === 'directory' ? snapshotTree(branch) : undefined;
}

/** Links are followed, as the kernel does. What file system a branch is on is left to the driver to refuse. */
function kindOf(path: string): PathKind {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 'missing';
  return stats.isDirectory() ? 'directory' : 'file';
}
