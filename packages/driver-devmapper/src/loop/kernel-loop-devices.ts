import { type FileHandle, open, readdir, readFile, stat } from 'node:fs/promises';
import { errnoOf, isLayerStoreError } from '@x/archive';
import { LO_FLAGS_AUTOCLEAR, type LoopSettings, type NativeCalls } from '@x/native';
import { deviceMapperError } from '../device-mapper/device-mapper-error.js';
import { requireNative } from '../device-mapper/native-calls.js';
import { ensureImage } from './ensure-image.js';
import type { AttachedLoop, LoopDevices, LoopImage } from './loop-devices.js';
import { loopPath, openLoop, openLoopControl } from './loop-node.js';

/** Others attach too: each attempt asks again which device is free (spec/drivers.md 2.6). */
const ATTEMPTS = 1000;

/** A file by the numbers that a loop device tells of it. */
interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
}

/** Loop devices of the running kernel, by ioctl; needs root and the addon, but neither udev nor losetup. */
export class KernelLoopDevices implements LoopDevices {
  readonly #native: () => NativeCalls;

  constructor(calls?: NativeCalls) {
    this.#native = () => calls ?? requireNative('attaching loop devices');
  }

  ensureImage(path: string, size: number): Promise<LoopImage> {
    return ensureImage(path, size);
  }

  async attach(path: string): Promise<AttachedLoop> {
    const calls = this.#native();
    await using backing = await open(path, 'r+');
    const identity = await backing.stat({ bigint: true });
    try {
      await using control = await openLoopControl(calls);
      if (control === undefined) throw new Error('the kernel has no loop devices: modprobe loop');
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const index = await calls.loopCtlGetFree(control.fd);
        const loop = await openLoop(calls, index);
        if (loop === undefined) continue;
        if (await this.#take(loop, backing, { path, identity })) return attached(loop, loopPath(index));
      }
      throw new Error(`${ATTEMPTS} free devices were all taken by others first`);
    } catch (error) {
      throw isLayerStoreError(error) ? error : attachFailure(path, error);
    }
  }

  /** By device and inode numbers among all loop devices there are: their numbering may have holes. */
  async find(path: string): Promise<string | undefined> {
    const file = await stat(path, { bigint: true });
    for (const name of (await readdir('/sys/block')).filter((entry) => /^loop\d+$/.test(entry))) {
      if ((await backingFileName(name)) === undefined) continue;
      const index = Number(name.slice('loop'.length));
      await using loop = await openLoop(this.#native(), index);
      if (loop !== undefined && (await this.#isBehind(loop, file))) return loopPath(index);
    }
    return undefined;
  }

  async updateCapacity(loopDevice: string): Promise<void> {
    try {
      await using loop = await open(loopDevice, 'r+');
      await this.#native().loopSetCapacity(loop.fd);
    } catch (error) {
      throw deviceMapperError('LoopbackSetCapacity', `${loopDevice} cannot take over the size of its file`, {
        path: loopDevice,
        ...errnoField(error),
        cause: error,
      });
    }
  }

  /** false: another process has taken the device. On every failure the descriptor is closed. */
  async #take(
    loop: FileHandle,
    backing: FileHandle,
    file: { readonly path: string; readonly identity: FileIdentity },
  ): Promise<boolean> {
    try {
      await this.#configure(loop, backing, { flags: LO_FLAGS_AUTOCLEAR, fileName: file.path });
      if (await this.#isBehind(loop, file.identity)) return true;
    } catch (error) {
      if (errnoOf(error) !== 'EBUSY') {
        await loop.close();
        throw error;
      }
    }
    await loop.close();
    return false;
  }

  async #configure(loop: FileHandle, backing: FileHandle, settings: LoopSettings): Promise<void> {
    const calls = this.#native();
    try {
      await calls.loopConfigure(loop.fd, backing.fd, settings);
      return;
    } catch (error) {
      // Before Linux 5.8 there are only the two steps.
      if (errnoOf(error) !== 'EINVAL' && errnoOf(error) !== 'ENOTTY') throw error;
    }
    await calls.loopSetFd(loop.fd, backing.fd);
    try {
      await calls.loopSetStatus64(loop.fd, settings);
    } catch (error) {
      await calls.loopClrFd(loop.fd);
      throw error;
    }
  }

  async #isBehind(loop: FileHandle, file: FileIdentity): Promise<boolean> {
    try {
      const { device, inode } = await this.#native().loopGetStatus64(loop.fd);
      return device === file.dev && inode === file.ino;
    } catch (error) {
      if (errnoOf(error) === 'ENXIO') return false;
      throw error;
    }
  }
}

function attached(loop: FileHandle, path: string): AttachedLoop {
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= loop.close();
    return closing;
  };
  return { path, close, [Symbol.asyncDispose]: close };
}

/** What sysfs says of an attached loop device; undefined for one that is free. */
async function backingFileName(name: string): Promise<string | undefined> {
  try {
    return await readFile(`/sys/block/${name}/loop/backing_file`, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENODEV') return undefined;
    throw error;
  }
}

function attachFailure(path: string, cause: unknown): Error {
  const errno = errnoOf(cause);
  const why = errno === 'EPERM' || errno === 'EACCES' ? 'this needs root' : String(cause);
  return deviceMapperError(
    'AttachLoopbackDevice',
    `${path} cannot be attached to a loop device (${why}): free some (losetup -a, losetup -d), ` +
      'or give block devices with dm.datadev and dm.metadatadev',
    { path, ...errnoField(cause), cause },
  );
}

function errnoField(error: unknown): { readonly errno?: string } {
  const errno = errnoOf(error);
  return errno === undefined ? {} : { errno };
}
