import { mkdtemp, readFile, rmdir } from 'node:fs/promises';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { errnoOf, isLayerStoreError, LayerStoreError } from '@x/archive';
import { findSystemProgram, runProgram, unmount } from '@x/layer-store/driver-kit';
import type { NativeCalls } from '@x/native';
import { requireNative } from '../device-mapper/native-calls.js';
import type { FileSystemType } from '../options/options.js';
import { blockDeviceSize, discardBlockDevice, readSuperblock } from './block-device-io.js';
import { kernelLogTail } from './kernel-log.js';
import { afterMkfs, growInvocation, type Invocation, mkfsInvocations } from './mkfs.js';
import { mountArguments } from './mount-arguments.js';
import { limitNospaceRetries } from './nospace-retries.js';
import type { ThinFileSystems, ThinMountOptions } from './thin-file-systems.js';

/** Making a file system on a slow disk takes its time. Milliseconds. */
const MKFS_TIMEOUT = 30 * 60_000;

/** File systems of this machine: mkfs and its relatives as programs, mounting by system call. */
export class HostFileSystems implements ThinFileSystems {
  #calls(): NativeCalls {
    return requireNative('mounting thin devices');
  }

  async chooseDefault(): Promise<{ readonly type: FileSystemType; readonly reason?: string }> {
    if ((await findSystemProgram('mkfs.xfs')) === undefined) {
      return { type: 'ext4', reason: 'there is no mkfs.xfs (package xfsprogs)' };
    }
    await this.#loadXfs();
    if (listsFileSystem(await readFile('/proc/filesystems', 'latin1'), 'xfs')) return { type: 'xfs' };
    return { type: 'ext4', reason: 'the kernel has no xfs' };
  }

  async requireMaker(type: FileSystemType): Promise<void> {
    const program = `mkfs.${type}`;
    if ((await findSystemProgram(program)) !== undefined) return;
    throw new LayerStoreError(
      'DRIVER_PREREQUISITES',
      `there is no ${program}, which the base device gets its file system from: install ${type === 'xfs' ? 'xfsprogs' : 'e2fsprogs'}`,
      { driver: 'devicemapper', name: program },
    );
  }

  async make(device: string, type: FileSystemType, mkfsArguments: readonly string[]): Promise<void> {
    await runFirstThatWorks(mkfsInvocations(type, device, mkfsArguments, release()));
    const after = afterMkfs(type, device);
    if (after !== undefined) await run(after);
  }

  async probe(device: string): Promise<FileSystemType | 'btrfs'> {
    return (await readSuperblock(device)).type;
  }

  async uuid(device: string): Promise<string> {
    return (await readSuperblock(device)).uuid;
  }

  async size(device: string): Promise<number> {
    return (await readSuperblock(device)).size ?? blockDeviceSize(this.#calls(), device);
  }

  async grow(device: string, type: FileSystemType, mountPoint: string): Promise<void> {
    await run(growInvocation(type, device, mountPoint));
  }

  async mount(device: string, mountPoint: string, options: ThinMountOptions): Promise<void> {
    const { type, flags, data } = mountArguments(options);
    const calls = this.#calls();
    try {
      await calls.mount(device, mountPoint, type, flags, data);
    } catch (error) {
      throw mountFailure(device, mountPoint, { type, data }, error, kernelLogTail(calls));
    }
    const { xfsNospaceMaxRetries } = options;
    if (options.type !== 'xfs' || xfsNospaceMaxRetries === undefined) return;
    try {
      await limitNospaceRetries(device, xfsNospaceMaxRetries);
    } catch (error) {
      await this.unmount(mountPoint);
      throw error;
    }
  }

  unmount(mountPoint: string): Promise<boolean> {
    return unmount(mountPoint, { lazy: true });
  }

  deviceSize(device: string): Promise<number> {
    return blockDeviceSize(this.#calls(), device);
  }

  discard(device: string): Promise<void> {
    return discardBlockDevice(this.#calls(), device);
  }

  /** A mount of nothing makes the kernel load the module. */
  async #loadXfs(): Promise<void> {
    const directory = await mkdtemp(join(tmpdir(), 'layer-store-xfs-'));
    try {
      await this.#calls().mount('none', directory, 'xfs', 0, '');
    } catch (error) {
      if (isLayerStoreError(error)) throw error;
    } finally {
      await rmdir(directory);
    }
  }
}

/** Whether /proc/filesystems has a type; `nodev` may stand before it. */
export function listsFileSystem(fileSystems: string, type: string): boolean {
  return fileSystems.split('\n').some((line) => line.split('\t').at(-1)?.trim() === type);
}

/** Tries one after the other; the first failure is the one that is told. A missing program is not tried again. */
async function runFirstThatWorks(invocations: readonly Invocation[]): Promise<void> {
  let failure: unknown;
  for (const invocation of invocations) {
    try {
      await run(invocation);
      return;
    } catch (error) {
      if (!isLayerStoreError(error, 'DRIVER_FAILED')) throw error;
      failure ??= error;
    }
  }
  throw failure;
}

async function run({ program, args }: Invocation): Promise<void> {
  await runProgram(program, args, { timeout: MKFS_TIMEOUT });
}

function mountFailure(
  device: string,
  mountPoint: string,
  { type, data }: { readonly type: string; readonly data: string },
  cause: unknown,
  log: string,
): LayerStoreError {
  const errno = errnoOf(cause);
  const kernel = log === '' ? '' : `; the kernel log ends with: ${log}`;
  return new LayerStoreError(
    'DRIVER_FAILED',
    `${device} cannot be mounted at ${mountPoint} as ${type} with "${data}": ${errno ?? String(cause)}${kernel}`,
    {
      driver: 'devicemapper',
      path: mountPoint,
      syscall: 'mount',
      ...(errno === undefined ? {} : { errno }),
      cause,
    },
  );
}
