import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { AufsKernelModel, aufsDriverOn } from '@x/driver-aufs/testing';
import { overlay2Driver, overlayDriver } from '@x/driver-overlay';
import { vfsDriver } from '@x/driver-vfs';
import type { DriverFactory, Layer, RWLayer } from '@x/layer-store';
import { type Capability, itWith, nativeAddon, rootPrivilege } from '../capability/capability.js';
import { type ScratchDirectory, scratchDirectory } from '../scratch/scratch-directory.js';
import { randomChain } from './chain/random-chain.test-support.js';
import { StoreOnDriver } from './chain/store-on-driver.test-support.js';
import { EditSession } from './edits/edit-session.js';
import { expectSameTree } from './expectation.js';
import { forRandomLayers, type RandomCase } from './families/random-tree/random-property.js';

const MODEL = new AufsKernelModel();
const OTHERS: readonly DriverFactory[] = [overlayDriver, overlay2Driver, aufsDriverOn(() => MODEL)];
const POWERS = { root: true, native: true, specialModes: true };
const BOUNDS = { layers: 4, edits: 20, time: 30_000 } as const;
const SETTINGS = { runs: 6, seed: 20_261_121, path: undefined, without: [] };

let scratch: ScratchDirectory;
beforeAll(async () => {
  scratch = await scratchDirectory();
});
afterAll(async () => scratch[Symbol.asyncDispose]());

async function supported(factory: DriverFactory): Promise<Capability> {
  const probed = await factory.probe(`/dev/shm/${factory.name}`);
  return { name: factory.name, missing: probed.supported ? undefined : probed.reason };
}

/** A store on vfs and one on another driver, with a case's layers to be put into both. */
class TwoStores implements AsyncDisposable {
  readonly session: EditSession;
  readonly directory: string;
  readonly vfs: StoreOnDriver;
  readonly other: StoreOnDriver;

  private constructor(directory: string, vfs: StoreOnDriver, other: StoreOnDriver) {
    this.directory = directory;
    this.session = new EditSession(path.join(directory, 'model'), POWERS);
    this.vfs = vfs;
    this.other = other;
  }

  static async open(factory: DriverFactory, example: RandomCase): Promise<TwoStores> {
    const directory = path.join(scratch.path, `${factory.name}-${example.number}`);
    await mkdir(path.join(directory, 'model'), { recursive: true, mode: 0o755 });
    const vfs = await StoreOnDriver.open(vfsDriver, directory);
    const stores = new TwoStores(directory, vfs, await StoreOnDriver.open(factory, directory));
    example.log = stores.session.log;
    return stores;
  }

  /** Registers the case's chain in both; the top layers. */
  async registerChain(
    example: RandomCase,
    look: (tar: Buffer, reference: Layer, other: Layer) => Promise<void>,
  ): Promise<readonly [reference: Layer, other: Layer]> {
    const tars = await randomChain(this.session, example.layers, this.directory);
    let [reference, other]: [Layer | undefined, Layer | undefined] = [undefined, undefined];
    for (const tar of tars) {
      reference = await this.vfs.register(tar, reference);
      other = await this.other.register(tar, other);
      await look(tar, reference, other);
    }
    if (reference === undefined || other === undefined) throw new RangeError('a case has at least one layer');
    return [reference, other];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.vfs[Symbol.asyncDispose]();
    await this.other[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true, force: true });
  }
}

async function proveEqualChains(factory: DriverFactory, example: RandomCase): Promise<void> {
  await using stores = await TwoStores.open(factory, example);
  const pairs: (readonly [Layer, Layer])[] = [];
  await stores.registerChain(example, async (tar, reference, other) => {
    expect(other.chainId).toBe(reference.chainId);
    expect(other.diffSize()).toBe(reference.diffSize());
    expect((await stores.other.exported(other)).equals(tar)).toBe(true);
    pairs.push([reference, other]);
  });
  for (const [reference, other] of pairs) {
    await expectSameTree(
      await stores.other.tree(other),
      await stores.vfs.tree(reference),
      `tree of layer ${other.chainId}`,
    );
  }
}

async function proveEqualEdits(factory: DriverFactory, example: RandomCase): Promise<void> {
  await using stores = await TwoStores.open(factory, example);
  const { layers } = example;
  const [reference, other] = await stores.registerChain(
    { ...example, layers: layers.slice(0, -1).length === 0 ? [[]] : layers.slice(0, -1) },
    async () => undefined,
  );
  const init = (root: string): Promise<void> => writeFile(path.join(root, 'init'), 'init');
  const rws: readonly [RWLayer, RWLayer] = [
    await stores.vfs.createReadWrite('rw', reference, init),
    await stores.other.createReadWrite('rw', other, init),
  ];
  await stores.session.beginLayer('read-write layer');
  await stores.session.edit(layers.at(-1) ?? [], [await rws[0].mount(), await rws[1].mount()]);
  const changes = await stores.vfs.changes(rws[0]);
  expect(await stores.other.changes(rws[1])).toEqual(changes);
  for (const rw of rws) await rw.unmount();
  expect(await stores.other.changes(rws[1])).toEqual(changes);
  const commits = [await stores.vfs.commit(rws[0]), await stores.other.commit(rws[1])] as const;
  await expectSameTree(
    await stores.other.tree(commits[1]),
    await stores.vfs.tree(commits[0]),
    'tree of the committed layer',
  );
  expect(commits[1].chainId).toBe(commits[0].chainId);
}

for (const factory of OTHERS) {
  const capabilities = [rootPrivilege(), nativeAddon(), await supported(factory)];
  describe(`${factory.name} beside vfs`, () => {
    itWith(...capabilities)(
      'the same random chain gives the same trees, the same chain ids, and its own bytes back',
      () => forRandomLayers(SETTINGS, BOUNDS, (example) => proveEqualChains(factory, example)),
      90_000,
    );

    itWith(...capabilities)(
      'edits of a mounted read-write layer come back in its changes and in the layer committed from it exactly as vfs has them',
      () => forRandomLayers(SETTINGS, BOUNDS, (example) => proveEqualEdits(factory, example)),
      90_000,
    );
  });
}
