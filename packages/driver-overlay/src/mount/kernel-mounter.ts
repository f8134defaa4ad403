import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, invalidOption, LayerStoreError } from '@x/archive';
import { type MountEntry, parseMountOptions, unmount } from '@x/layer-store/driver-kit';
import { MNT_DETACH, MS_RDONLY, MS_REMOUNT, type NativeCalls, native, UMOUNT_NOFOLLOW } from '@x/native';
import { VOLATILE_STORAGE } from '../volatile-storage.js';
import { executeMount, MOUNT_FLAGS } from './mount-execution.js';
import { mountMeans } from './mount-means.js';
import { type MountMeans, planMount } from './mount-plan.js';
import type { OverlayMounter, OverlayMountRequest } from './overlay-mounter.js';

/** What of the driver's options concerns mounting. */
export interface KernelMounterOptions {
  readonly mountInterface: 'auto' | 'fsopen' | 'mount';
  /** Further words as of mount(8) `-o`. */
  readonly mountOptions: readonly string[];
  /**
   * Upper directories are read by themselves: the kernel must keep whole files and plain directories in them, whatever its
   * parameters say.
   */
  readonly plainUppers: boolean;
}

/** What the kernel wants to hear with every mount. */
export interface KernelMountFacts {
  /** `/sys/module/overlay/parameters/index` is there: `index=off` is said whatever its value, which may change. */
  readonly index: boolean;
  /** In a user namespace attributes are `user.overlay.*`. */
  readonly userXattr: boolean;
  /** Short name of the file system under the layers. */
  readonly fileSystem: string;
}

/** Newer kernels spell it the second way. */
const VOLATILE = /^(?:fsync=)?volatile$/;
const MODULE_PARAMETERS = '/sys/module/overlay/parameters';
/** Docker's limit for the options of one page. */
const CLASSIC_LAYERS = 129;
/** One layer less than lowers and upper together could be: once it has a child a layer is mounted as the first lower. */
const FSCONFIG_LAYERS = 500;

/** Mounts with the kernel's overlay file system. */
export class KernelMounter implements OverlayMounter {
  readonly whiteouts = 'overlay';
  readonly maxLayers: number;
  readonly #means: MountMeans;
  readonly #flags: number;
  readonly #userOptions: readonly string[];
  readonly #plainUppers: boolean;
  #options: readonly string[];
  #unmountsAtOnce = false;

  /** Fails with OPTION_INVALID. */
  constructor({ mountInterface, mountOptions, plainUppers }: KernelMounterOptions) {
    this.#plainUppers = plainUppers;
    const { flags, propagation, data } = parseMountOptions(mountOptions.join(','));
    if (propagation !== 0 || (flags & ~MOUNT_FLAGS) !== 0) {
      invalidOption('OverlayDriver', 'mountOptions', 'options of one plain mount', mountOptions.join(','));
    }
    this.#means = mountMeans(mountInterface);
    this.#flags = flags;
    this.#userOptions = data === '' ? [] : data.split(',');
    this.#options = this.#userOptions;
    this.maxLayers = this.#means.fsconfig === 'none' ? CLASSIC_LAYERS : FSCONFIG_LAYERS;
  }

  /** How mounts are made: fsconfig(2) where it can be, else mount(2). */
  get via(): 'fsopen' | 'mount' {
    return this.#means.fsconfig === 'none' ? 'mount' : 'fsopen';
  }

  /** To be told before the first mount. */
  adapt({ index, userXattr, fileSystem }: KernelMountFacts): void {
    this.#unmountsAtOnce = VOLATILE_STORAGE.has(fileSystem);
    this.#options = [
      ...(index ? ['index=off'] : []),
      // With userxattr neither feature exists, and naming them is a conflict.
      ...(userXattr ? ['userxattr'] : this.#plainUppers ? plainUpperOptions() : []),
      ...this.#userOptions,
    ];
  }

  refusal(): undefined {}

  async mount({ home, target, lowers, upper, work, label }: OverlayMountRequest): Promise<void> {
    const calls = requireCalls(target);
    const writable = upper === undefined || work === undefined ? undefined : { upper, work };
    if (work !== undefined && this.#userOptions.some((option) => VOLATILE.test(option))) {
      // The mark of an earlier volatile mount forbids the next (overlayfs.rst, "Volatile mount"). Whoever asks for volatile
      // layers has decided that they may be lost with the machine.
      await rm(join(home, work, 'work', 'incompat', 'volatile'), { recursive: true, force: true });
    }
    const plan = planMount({ home, lowers, writable, label, options: this.#options }, this.#means);
    await executeMount(calls, plan, target, this.#flags);
  }

  /**
   * With the last view of a layer the kernel flushes the file system under it (`ovl_sync_fs`), which may take long on a disk
   * and is not for the main thread; in memory there is nothing to flush.
   */
  async unmount(target: string): Promise<void> {
    if (!this.#unmountsAtOnce) {
      await unmount(target, { lazy: true });
      return;
    }
    try {
      requireCalls(target).umount2Sync(target, MNT_DETACH | UMOUNT_NOFOLLOW);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno !== 'EINVAL' && errno !== 'ENOENT') throw error;
    }
  }

  async unmountIdle(target: string): Promise<void> {
    await unmount(target);
  }

  async setReadOnly(target: string, readOnly: boolean): Promise<void> {
    const flags = this.#flags | MS_REMOUNT | (readOnly ? MS_RDONLY : 0);
    try {
      await requireCalls(target).mount(undefined, target, undefined, flags, undefined);
    } catch (cause) {
      if (errnoOf(cause) !== 'EBUSY') throw cause;
      throw new LayerStoreError(
        'DRIVER_BUSY',
        `a file in ${target} is open for writing: close it, or unmount the layer, before it is given a child`,
        { path: target, errno: 'EBUSY', syscall: 'mount', cause },
      );
    }
  }

  recognizes({ fsType }: MountEntry): boolean {
    return fsType === 'overlay';
  }
}

function requireCalls(target: string): NativeCalls {
  if (native.available) return native.calls;
  throw new LayerStoreError('NATIVE_UNAVAILABLE', `${target} cannot be mounted: ${native.reason}`, {
    path: target,
  });
}

function plainUpperOptions(): string[] {
  return Object.entries({ metacopy: 'off', redirect_dir: 'follow' })
    .filter(([name]) => existsSync(join(MODULE_PARAMETERS, name)))
    .map(([name, value]) => `${name}=${value}`);
}
