import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HostFileSystems } from '../file-system/host-file-systems.js';
import { KernelLoopDevices } from '../loop/kernel-loop-devices.js';
import type { AttachedLoop } from '../loop/loop-devices.js';
import { createPool, type PoolPlan } from '../pool/create-pool.js';
import { ThinPool } from '../pool/thin-pool.js';
import { deviceMapperReason } from './device-mapper-error.js';
import { IoctlDeviceMapper } from './ioctl-device-mapper.js';
import { activateThin } from './thin-devices.js';

export const MIB: number = 1024 ** 2;

/** Where the real kernel's devices are made in a test; disposing it removes every device and file again. */
export class KernelBench implements AsyncDisposable {
  readonly directory: string;
  readonly deviceMapper: IoctlDeviceMapper;
  readonly loops: KernelLoopDevices = new KernelLoopDevices();
  readonly fileSystems: HostFileSystems = new HostFileSystems();
  readonly #mounts: string[] = [];
  static #count = 0;
  #next = 0;

  private constructor(directory: string, deviceMapper: IoctlDeviceMapper) {
    this.directory = directory;
    this.deviceMapper = deviceMapper;
  }

  static async open(): Promise<KernelBench> {
    const base = process.env.LAYER_STORE_SCRATCH ?? tmpdir();
    return new KernelBench(await mkdtemp(join(base, 'dm-')), await IoctlDeviceMapper.open());
  }

  /** A file of this size as a loop device. */
  async loop(name: string, size: number): Promise<AttachedLoop & { readonly file: string }> {
    const file = join(this.directory, name);
    await this.loops.ensureImage(file, size);
    const loop = await this.loops.attach(file);
    return { ...loop, file };
  }

  /** A pool on loop files; its name is its own, and so are those of the devices below. */
  async pool(
    options: {
      readonly data?: number;
      readonly metadata?: number;
      readonly errorIfNoSpace?: boolean;
      readonly name?: string;
    } = {},
  ): Promise<{ readonly pool: ThinPool; readonly plan: PoolPlan }> {
    KernelBench.#count += 1;
    const name = options.name ?? `bench-${process.pid}-${KernelBench.#count}`;
    const dataBytes = options.data ?? 64 * MIB;
    await using data = await this.loop(`${name}-data`, dataBytes);
    await using metadata = await this.loop(`${name}-metadata`, options.metadata ?? 4 * MIB);
    const plan: PoolPlan = {
      name,
      dataDevice: data.path,
      metadataDevice: metadata.path,
      dataBytes,
      blockSectors: 128,
      errorIfNoSpace: options.errorIfNoSpace ?? false,
    };
    await createPool(this.deviceMapper, plan);
    return { pool: new ThinPool(this.deviceMapper, name), plan };
  }

  /** Makes a thin device visible; gives its name and node. */
  async thin(
    pool: ThinPool,
    deviceId: number,
    size: number = 32 * MIB,
  ): Promise<{ readonly name: string; readonly path: string }> {
    this.#next += 1;
    const name = `${pool.name}-thin-${this.#next}`;
    await activateThin(this.deviceMapper, { name, pool: pool.name, deviceId, size });
    return { name, path: await this.deviceMapper.devicePath(name) };
  }

  /** Mounts a thin device; gives the mount point. */
  async mount(path: string, type: 'ext4' | 'xfs', xfsNospaceMaxRetries?: string): Promise<string> {
    const mountPoint = await mkdtemp(join(this.directory, 'mnt-'));
    await this.fileSystems.mount(path, mountPoint, {
      type,
      mountOptions: [],
      ...(xfsNospaceMaxRetries === undefined ? {} : { xfsNospaceMaxRetries }),
    });
    this.#mounts.push(mountPoint);
    return mountPoint;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const mountPoint of this.#mounts) await this.fileSystems.unmount(mountPoint);
    const devices = await this.deviceMapper.list();
    const own = devices.filter(({ name }) => name.startsWith('bench-')).reverse();
    for (const { name } of [...own.filter(isThin), ...own.filter((device) => !isThin(device))]) {
      if ((await this.deviceMapper.info(name))?.suspended === true) await this.deviceMapper.resume(name);
      await this.deviceMapper.removeDeferred(name);
    }
    await this.deviceMapper.close();
    await rm(this.directory, { recursive: true });
  }
}

function isThin({ name }: { readonly name: string }): boolean {
  return name.includes('-thin-');
}

/** Why it failed, or that it did not. */
export function reasonOf(work: Promise<unknown>): Promise<string | undefined> {
  return work.then(
    () => 'nothing failed',
    (error: unknown) => deviceMapperReason(error),
  );
}
