import path from 'node:path';
import type { TarEntryInput } from '@x/archive';
import type { Driver, Layer } from '@x/layer-store';
import { LayerStore } from '@x/layer-store';
import type { Workbench } from '../../check.js';
import { expectEqual, expectSameMembers } from '../../expectation.js';
import { inChunks, layerBytes } from '../../layer-bytes.js';

/** A store on the driver under test that can be opened again, and compared with what its driver has. */
export class StoreSession implements AsyncDisposable {
  readonly #bench: Workbench;
  readonly #root: string;
  #driver: Driver;
  #store: LayerStore;

  private constructor(bench: Workbench, root: string, driver: Driver, store: LayerStore) {
    this.#bench = bench;
    this.#root = root;
    this.#driver = driver;
    this.#store = store;
  }

  static async open(bench: Workbench): Promise<StoreSession> {
    const root = path.join(await bench.scratch(), 'store');
    const driver = await bench.another(path.join(root, bench.facts.driverName));
    return new StoreSession(bench, root, driver, await LayerStore.open({ root, driver }));
  }

  get store(): LayerStore {
    return this.#store;
  }

  get driver(): Driver {
    return this.#driver;
  }

  /** Closes the store with its driver; what is there is opened with new ones. */
  async reopen(): Promise<LayerStore> {
    await this.#store.close();
    this.#driver = await this.#bench.another(path.join(this.#root, this.#bench.facts.driverName));
    this.#store = await LayerStore.open({ root: this.#root, driver: this.#driver });
    return this.#store;
  }

  /** Registers a layer of these entries. */
  async register(parent: Layer | undefined, ...entries: readonly TarEntryInput[]): Promise<Layer> {
    return this.#store.register(inChunks(await layerBytes(...entries)), parent?.chainId);
  }

  /** The driver has the layers of the store and no other, and the store complains of nothing. */
  async expectTidy(): Promise<void> {
    const layers = [...this.#store.map().values()].map(({ cacheId }) => cacheId as string);
    const mounts = this.#store.mounts().map(({ mountId }) => mountId as string);
    const found = await this.#driver.list();
    const inits = found.filter((id) => id.endsWith('-init') && mounts.includes(id.slice(0, -'-init'.length)));
    expectSameMembers(
      found,
      [...layers, ...mounts, ...inits],
      "the driver's layers beside those of the store",
    );
    expectEqual(await this.#store.diagnose(), [], 'what the store complains of');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#store.close();
  }
}
