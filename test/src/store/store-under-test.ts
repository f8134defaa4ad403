import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { expect } from '@jest/globals';
import { VfsDriver } from '@x/driver-vfs';
import { type DriverId, LayerStore, type OpenOptions } from '@x/layer-store';
import { type ScratchDirectory, scratchDirectory } from '../scratch/scratch-directory.js';

/** A vfs driver that can be told to fail. */
export class FailingVfsDriver extends VfsDriver {
  #undeletable: string | undefined;

  failRemovalOf(id: string | undefined): void {
    this.#undeletable = id;
  }

  protected override _remove(id: DriverId): Promise<void> {
    if (id !== this.#undeletable) return super._remove(id);
    return Promise.reject(
      Object.assign(new Error('EPERM: operation not permitted'), { code: 'EPERM', syscall: 'unlink' }),
    );
  }
}

/** A store in a directory of its own that can be opened again, and looked into behind its back. */
export class StoreUnderTest implements AsyncDisposable {
  readonly scratch: ScratchDirectory;
  readonly root: string;
  readonly home: string;
  store: LayerStore;
  driver: FailingVfsDriver;

  private constructor(scratch: ScratchDirectory, store: LayerStore, driver: FailingVfsDriver) {
    this.scratch = scratch;
    this.root = path.join(scratch.path, 'store');
    this.home = path.join(scratch.path, 'vfs');
    this.store = store;
    this.driver = driver;
  }

  static async open(options: Partial<OpenOptions> = {}): Promise<StoreUnderTest> {
    return StoreUnderTest.openAt(await scratchDirectory(), options);
  }

  /** Opens what an earlier process left in `scratch`. */
  static async openAt(
    scratch: ScratchDirectory,
    options: Partial<OpenOptions> = {},
  ): Promise<StoreUnderTest> {
    const driver = new FailingVfsDriver({ home: path.join(scratch.path, 'vfs') });
    const store = await LayerStore.open({ root: path.join(scratch.path, 'store'), driver, ...options });
    return new StoreUnderTest(scratch, store, driver);
  }

  async reopen(options: Partial<OpenOptions> = {}): Promise<LayerStore> {
    await this.store.close();
    this.driver = new FailingVfsDriver({ home: this.home });
    this.store = await LayerStore.open({ root: this.root, driver: this.driver, ...options });
    return this.store;
  }

  get metadataHome(): string {
    return path.join(this.root, 'image', 'vfs');
  }

  tarSplit(cacheId: string): string {
    return path.join(this.metadataHome, 'tar-split', `${cacheId}.json.gz`);
  }

  /** The directory the driver keeps a layer in. */
  layerDirectory(cacheId: string): string {
    return path.join(this.home, 'dir', cacheId);
  }

  /** Everything on disk that belongs to the store, apart from the database's own files. */
  async onDisk(): Promise<{ driverIds: string[]; tarSplits: string[]; staging: string[] }> {
    const driverIds = (await this.driver.list()).toSorted();
    const tarSplits = (await readdir(path.join(this.metadataHome, 'tar-split'))).toSorted();
    const staging = (await readdir(path.join(this.metadataHome, 'staging'))).toSorted();
    return { driverIds, tarSplits, staging };
  }

  /** Nothing on disk but what the loaded layers and mounts need, and nothing the store complains about. */
  async expectTidy(): Promise<void> {
    const layers = [...this.store.map().values()].map(({ cacheId }) => cacheId as string);
    const found = await this.onDisk();
    expect(found.staging).toEqual([]);
    expect(found.tarSplits).toEqual(layers.map((id) => `${id}.json.gz`).toSorted());
    const mounts = this.store.mounts().map(({ mountId }) => mountId as string);
    expect(found.driverIds.filter((id) => !id.endsWith('-init'))).toEqual([...layers, ...mounts].toSorted());
    for (const id of found.driverIds.filter((name) => name.endsWith('-init'))) {
      expect(mounts).toContain(id.slice(0, -'-init'.length));
    }
    expect(await this.store.diagnose()).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
    await rm(this.scratch.path, { recursive: true, force: true });
  }
}

/** Descriptors this process has open. */
export async function openDescriptors(): Promise<number> {
  return (await readdir('/proc/self/fd')).length;
}
