import { randomUUID } from 'node:crypto';
import { LayerStoreError } from '@x/archive';
import { deviceMapperError } from '../device-mapper/device-mapper-error.js';
import type { SimulatedKernel } from '../device-mapper/simulator.test-support.js';
import type { FileSystemType } from '../options/options.js';
import type { ThinFileSystems, ThinMountOptions } from './thin-file-systems.js';

/** File systems on simulated thin devices: what type, uuid and size they have, and where they are mounted; no files. */
export class SimulatedFileSystems implements ThinFileSystems {
  /** Calls in order: `make /dev/dm-1 ext4`. */
  readonly calls: string[] = [];
  /** Mount point → dm name and options, as one process' mount table. */
  readonly mounts: Map<string, { readonly device: string; readonly options: ThinMountOptions }> = new Map();
  defaultType: FileSystemType = 'ext4';
  /** Fails the next call of that name. */
  readonly failures: Map<string, Error> = new Map();
  readonly #kernel: SimulatedKernel;

  constructor(kernel: SimulatedKernel) {
    this.#kernel = kernel;
  }

  async chooseDefault(): Promise<{ readonly type: FileSystemType }> {
    await this.#enter('chooseDefault');
    return { type: this.defaultType };
  }

  async requireMaker(type: FileSystemType): Promise<void> {
    await this.#enter('requireMaker', type);
  }

  async make(device: string, type: FileSystemType, mkfsArguments: readonly string[]): Promise<void> {
    await this.#enter('make', device, type, ...mkfsArguments);
    const { thin, pool, id, bytes } = this.#kernel.thin(this.#name(device));
    pool.write(id, [0, 1]);
    thin.content = { type, uuid: randomUUID(), size: bytes };
  }

  async probe(device: string): Promise<FileSystemType | 'btrfs'> {
    await this.#enter('probe', device);
    return this.#content(device).type;
  }

  async uuid(device: string): Promise<string> {
    await this.#enter('uuid', device);
    return this.#content(device).uuid;
  }

  async size(device: string): Promise<number> {
    await this.#enter('size', device);
    return this.#content(device).size;
  }

  async grow(device: string, type: FileSystemType, mountPoint: string): Promise<void> {
    await this.#enter('grow', device, type);
    if (this.mounts.get(mountPoint)?.device !== this.#name(device)) {
      throw new LayerStoreError('DRIVER_FAILED', `${device} is not mounted at ${mountPoint}`);
    }
    const { thin, bytes } = this.#kernel.thin(this.#name(device));
    thin.content = { ...this.#content(device), size: bytes };
  }

  async mount(device: string, mountPoint: string, options: ThinMountOptions): Promise<void> {
    await this.#enter('mount', device, mountPoint);
    const content = this.#content(device);
    if (content.type !== options.type)
      throw new LayerStoreError('DRIVER_FAILED', `no ${options.type} on ${device}`);
    const name = this.#name(device);
    this.#kernel.open(name);
    this.mounts.set(mountPoint, { device: name, options });
  }

  async unmount(mountPoint: string): Promise<boolean> {
    await this.#enter('unmount', mountPoint);
    const mounted = this.mounts.get(mountPoint);
    if (mounted === undefined) return false;
    this.mounts.delete(mountPoint);
    this.#kernel.closeOpener(mounted.device);
    return true;
  }

  async deviceSize(device: string): Promise<number> {
    await this.#enter('deviceSize', device);
    const disk = this.#kernel.disk(device);
    if (disk !== undefined) return disk.size;
    const dm = this.#kernel.deviceAt(device);
    if (dm !== undefined) return (dm.live ?? []).reduce((sum, target) => sum + target.length, 0) * 512;
    throw deviceMapperError('GetBlockSize', `${device} is no block device`, { path: device });
  }

  async discard(device: string): Promise<void> {
    await this.#enter('discard', device);
    const { pool, id } = this.#kernel.thin(this.#name(device));
    pool.discard(id);
  }

  async #enter(call: string, ...args: string[]): Promise<void> {
    await Promise.resolve();
    this.calls.push([call, ...args].join(' '));
    const failure = this.failures.get(call);
    this.failures.delete(call);
    if (failure !== undefined) throw failure;
  }

  #name(device: string): string {
    const found = this.#kernel.deviceAt(device);
    if (found !== undefined) return found.name;
    throw new LayerStoreError('DRIVER_FAILED', `${device} does not exist`, { path: device, errno: 'ENOENT' });
  }

  #content(device: string): {
    readonly type: FileSystemType | 'btrfs';
    readonly uuid: string;
    readonly size: number;
  } {
    const { content } = this.#kernel.thin(this.#name(device)).thin;
    if (content !== undefined) return content;
    throw new LayerStoreError('DRIVER_FAILED', `${device} has no known file system`, { path: device });
  }
}
