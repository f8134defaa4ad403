import { rm } from 'node:fs/promises';
import { errnoOf, LayerStoreError } from '@x/archive';
import { KeyedMutex } from '@x/layer-store/driver-kit';
import { step } from '../failpoints.js';
import type { AufsKernel, MountedUnion } from '../kernel/aufs-kernel.js';
import { lockFile } from '../layers/file-lock.js';
import { SCRATCH_PREFIX } from '../layers/layer-home.js';
import { type AufsBranch, branchText } from '../mount/branch.js';
import { type MountStep, planMount, planRemounts, type UnionDescription } from '../mount/plan-mount.js';
import type { OnAufsWarning } from '../warning.js';
import { detectDirperm1 } from './dirperm1.js';
import { unmountUnion } from './unmount-union.js';
import { xinoFor, xinoLock } from './xino.js';

const MOUNT_ATTEMPTS = 5;
/** Milliseconds, doubled from attempt to attempt. */
const FIRST_DELAY = 20;
/** What races with other mounts, or with whoever holds the mount point for a moment, looks like. */
const TRANSIENT = new Set(['EINVAL', 'EBUSY', 'EEXIST']);

/** aufs mounts race for their xino files, even under names of their own (spec/drivers.md 3.6): one at a time. */
const MOUNTING = new KeyedMutex<'aufs'>();

/** What a mounter has to know beside the kernel. */
export interface UnionMounterOptions {
  /** Directory for scratch mounts. */
  readonly home: string;
  /** Beginning of the names of xino files. */
  readonly xino: string;
  readonly maxOptions: number;
  /** Further mount options, one each. */
  readonly mountOptions: readonly string[];
  readonly onWarning: OnAufsWarning;
}

/** A union to be mounted. */
export interface UnionRequest {
  readonly mountPoint: string;
  /** Top first; they exist. */
  readonly branches: readonly AufsBranch[];
  readonly label: string | undefined;
}

/**
 * Mounts unions so that every branch arrives, and ends them. A union that could not be mounted whole is not mounted at all
 * and leaves no xino file.
 */
export class UnionMounter {
  readonly #kernel: AufsKernel;
  readonly #options: UnionMounterOptions;
  #dirperm1: boolean | undefined;

  constructor(kernel: AufsKernel, options: UnionMounterOptions) {
    this.#kernel = kernel;
    this.#options = options;
  }

  async find(mountPoint: string): Promise<MountedUnion | undefined> {
    // The last that was attached is on top.
    return (await this.#kernel.mounted()).findLast((union) => union.mountPoint === mountPoint);
  }

  /**
   * What is mounted there already, by another instance or a process that died, is kept; what is missing in it is appended.
   * @throws DRIVER_BUSY when another union writes to the branch, DRIVER_FAILED, and what {@link planMount} throws
   */
  mount(request: UnionRequest): Promise<void> {
    return this.#alone(async () => {
      const existing = await this.find(request.mountPoint);
      if (existing !== undefined && (await this.#complete(existing, request))) return;
      const union = { ...this.#description(request), dirperm1: await this.#supportsDirperm1() };
      const steps = planMount(union, this.#limits);
      await this.#requireUnshared(request);
      await this.#mountWhole(request, union.xino, steps);
    });
  }

  /** Nothing mounted there is success. @throws DRIVER_BUSY while it is used, DRIVER_FAILED */
  async unmount(mountPoint: string): Promise<void> {
    if ((await this.find(mountPoint)) === undefined) return;
    await unmountUnion(this.#kernel, mountPoint, this.#options.onWarning);
    await rm(this.#xino(mountPoint), { force: true });
  }

  /** Asked of the kernel once. */
  supportsDirperm1(): Promise<boolean> {
    return this.#alone(() => this.#supportsDirperm1());
  }

  get #limits(): { readonly pageSize: number; readonly maxOptions: number } {
    return { pageSize: this.#kernel.pageSize, maxOptions: this.#options.maxOptions };
  }

  #xino(mountPoint: string): string {
    return xinoFor(this.#options.xino, mountPoint);
  }

  #description({ mountPoint, branches, label }: UnionRequest): Omit<UnionDescription, 'dirperm1'> {
    return { branches, label, xino: this.#xino(mountPoint), options: this.#options.mountOptions };
  }

  /** In this process and among all that use these xino files. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    return MOUNTING.run('aufs', async () => {
      await using _lock = await lockFile(xinoLock(this.#options.xino), 'exclusive');
      return await work();
    });
  }

  async #supportsDirperm1(): Promise<boolean> {
    const { home, xino, maxOptions } = this.#options;
    this.#dirperm1 ??= await detectDirperm1(this.#kernel, `${home}/${SCRATCH_PREFIX}`, xino, maxOptions);
    return this.#dirperm1 ?? false;
  }

  /**
   * A process that died between the first call and the last leaves a union without its lower branches. False: it is another
   * union altogether, and has been ended.
   */
  async #complete(existing: MountedUnion, { mountPoint, branches, label }: UnionRequest): Promise<boolean> {
    const present = await this.#kernel.branches(existing);
    const wanted = branches.map(branchText);
    if (present?.every((branch, index) => branchText(branch) === wanted[index]) !== false) {
      // Where the kernel does not show its table all are appended: one that is there already changes nothing.
      const missing = branches.slice(present?.length ?? 1);
      for (const call of planRemounts(missing, label, this.#limits)) await this.#remount(mountPoint, call);
      await this.#verify(mountPoint, branches);
      return true;
    }
    await unmountUnion(this.#kernel, mountPoint, this.#options.onWarning);
    return false;
  }

  async #requireUnshared({ branches, mountPoint }: UnionRequest): Promise<void> {
    const written = branches.find(({ permission }) => permission === 'rw')?.path;
    for (const union of await this.#kernel.mounted()) {
      const others = (await this.#kernel.branches(union)) ?? [];
      if (!others.some(({ path, permission }) => permission === 'rw' && path === written)) continue;
      throw new LayerStoreError(
        'DRIVER_BUSY',
        `${written} is written to by the union at ${union.mountPoint}, a second one at ${mountPoint} would damage it: unmount that first`,
        { driver: 'aufs', path: union.mountPoint },
      );
    }
  }

  async #mountWhole(request: UnionRequest, xino: string, steps: readonly MountStep[]): Promise<void> {
    for (let attempt = 1, delay = FIRST_DELAY; ; attempt++, delay *= 2) {
      try {
        // From a process that died in the middle; nobody else uses the name.
        await rm(xino, { force: true });
        await this.#run(request.mountPoint, steps);
        await this.#verify(request.mountPoint, request.branches);
        return;
      } catch (error) {
        await this.#abandon(request.mountPoint, xino);
        if (attempt === MOUNT_ATTEMPTS || !TRANSIENT.has(errnoOf(error) ?? '')) {
          throw mountFailure(request, steps, error);
        }
      }
      await this.#kernel.wait(delay);
    }
  }

  async #run(mountPoint: string, steps: readonly MountStep[]): Promise<void> {
    for (const call of steps) {
      if (call.kind === 'remount') await this.#remount(mountPoint, call);
      else await step('aufs-mount.first-call', () => this.#kernel.mount(mountPoint, call.data));
    }
  }

  /** Again on its own: appending what is there already changes nothing. */
  async #remount(mountPoint: string, { data }: MountStep): Promise<void> {
    for (let attempt = 1, delay = FIRST_DELAY; ; attempt++, delay *= 2) {
      try {
        await step('aufs-mount.append', () => this.#kernel.remount(mountPoint, data));
        return;
      } catch (error) {
        if (attempt === MOUNT_ATTEMPTS || !TRANSIENT.has(errnoOf(error) ?? '')) throw error;
      }
      await this.#kernel.wait(delay);
    }
  }

  /** The kernel's own table has the last word, where it shows it. */
  async #verify(mountPoint: string, branches: readonly AufsBranch[]): Promise<void> {
    const union = await this.find(mountPoint);
    const present = union === undefined ? [] : await this.#kernel.branches(union);
    if (present === undefined) return;
    const [wanted, found] = [branches.map(branchText), present.map(branchText)];
    const wrong = wanted.findIndex((text, index) => found[index] !== text);
    if (wrong === -1 && found.length === wanted.length) return;
    throw new LayerStoreError(
      'DRIVER_FAILED',
      `the union at ${mountPoint} does not have the branches that were asked for: ${found.length} of ${wanted.length}, the first that differs is ${wanted[wrong] ?? found.at(-1)}`,
      { driver: 'aufs', path: mountPoint, expected: String(wanted.length), actual: String(found.length) },
    );
  }

  /** The failure of the mount is the one to report. */
  async #abandon(mountPoint: string, xino: string): Promise<void> {
    await this.#kernel.umount(mountPoint).catch(() => undefined);
    await rm(xino, { force: true }).catch(() => undefined);
  }
}

function mountFailure(
  { mountPoint, branches }: UnionRequest,
  steps: readonly MountStep[],
  cause: unknown,
): unknown {
  const errno = errnoOf(cause);
  if (errno === undefined) return cause;
  return new LayerStoreError(
    'DRIVER_FAILED',
    `a union of ${branches.length} branches in ${steps.length} calls could not be mounted at ${mountPoint}: ${errno}: the kernel log may say why`,
    { driver: 'aufs', path: mountPoint, syscall: 'mount', errno, cause },
  );
}
