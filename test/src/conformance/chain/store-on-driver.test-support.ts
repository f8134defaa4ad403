import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { formatChange } from '@x/archive';
import { type Driver, type DriverFactory, type Layer, LayerStore, type RWLayer } from '@x/layer-store';
import { withTrueLinks } from '../edits/tree-law.js';
import { bytesOf, inChunks } from '../layer-bytes.js';
import { snapshotTree, type TreeSnapshot } from '../tree-snapshot.js';

/** A store on one driver, beside stores on others that have the same layers. */
export class StoreOnDriver implements AsyncDisposable {
  readonly name: string;
  readonly #driver: Driver;
  readonly #store: LayerStore;

  private constructor(name: string, driver: Driver, store: LayerStore) {
    this.name = name;
    this.#driver = driver;
    this.#store = store;
  }

  /** On a fresh directory in `scratch`. */
  static async open(factory: DriverFactory, scratch: string): Promise<StoreOnDriver> {
    const root = await mkdtemp(path.join(scratch, `${factory.name}-`));
    const driver = factory.create({ home: path.join(root, factory.name) });
    return new StoreOnDriver(factory.name, driver, await LayerStore.open({ root, driver, sync: false }));
  }

  async register(tar: Buffer, parent: Layer | undefined): Promise<Layer> {
    return this.#store.register(inChunks(tar), parent?.chainId);
  }

  async exported(layer: Layer): Promise<Buffer> {
    return bytesOf(layer.tarStream());
  }

  /** What the layer shows when it is mounted. */
  tree(layer: Layer): Promise<TreeSnapshot> {
    return this.#driver.withMount(layer.cacheId, async (root) => withTrueLinks(await snapshotTree(root)));
  }

  async createReadWrite(
    name: string,
    parent: Layer,
    init: (root: string) => Promise<void>,
  ): Promise<RWLayer> {
    return this.#store.createRWLayer(name, parent.chainId, { init });
  }

  async changes(rw: RWLayer): Promise<readonly string[]> {
    return (await rw.changes()).map(formatChange);
  }

  commit(rw: RWLayer): Promise<Layer> {
    return this.#store.commit(rw);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#store.close();
  }
}
