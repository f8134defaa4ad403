import { mkdir } from 'node:fs/promises';
import { describe, expect } from '@jest/globals';
import { overlay2Driver, overlayDriver } from '@x/driver-overlay';
import { VfsDriver, vfsDriver } from '@x/driver-vfs';
import { type ChainId, LayerStore } from '@x/layer-store';
import { itWith, nativeAddon, rootPrivilege } from '../capability/capability.js';
import { EditSession } from '../conformance/edits/edit-session.js';
import { withTrueLinks } from '../conformance/edits/tree-law.js';
import { expectSameTree } from '../conformance/expectation.js';
import { diffsOf, editLayers } from '../conformance/families/random-tree/layer-chain.js';
import { forRandomLayers } from '../conformance/families/random-tree/random-property.js';
import { bytesOf, inChunks } from '../conformance/layer-bytes.js';
import { snapshotTree, type TreeSnapshot } from '../conformance/tree-snapshot.js';
import { scratchDirectory } from '../scratch/scratch-directory.js';

const SETTINGS = { runs: 8, seed: 20_261_121, path: undefined, without: [] } as const;
const BOUNDS = { layers: 4, edits: 20, time: 40_000 } as const;
const MINUTES = 60_000;

/** What a store makes of a chain: the ids it gives, the bytes it gives back, the trees it shows from the bottom up. */
interface StoredChain {
  readonly chainIds: readonly ChainId[];
  readonly exports: readonly Buffer[];
  readonly trees: readonly TreeSnapshot[];
}

async function storeChain(root: string, driver: string, layers: readonly Buffer[]): Promise<StoredChain> {
  await using store = await LayerStore.open({
    root,
    driver,
    drivers: [vfsDriver, overlay2Driver, overlayDriver],
  });
  const chainIds: ChainId[] = [];
  const exports: Buffer[] = [];
  const trees: TreeSnapshot[] = [];
  for (const [number, bytes] of layers.entries()) {
    const layer = await store.register(inChunks(bytes), chainIds.at(-1));
    chainIds.push(layer.chainId);
    const rw = await store.createRWLayer(`rw-${number}`, layer.chainId);
    trees.push(withTrueLinks(await snapshotTree(await rw.mount())));
    await rw.unmount();
    await rw.release();
  }
  for (const chainId of chainIds) exports.push(await bytesOf((await store.get(chainId)).tarStream()));
  return { chainIds, exports, trees };
}

describe('the same random layers', () => {
  itWith(rootPrivilege(), nativeAddon())(
    'give the same ids, the same bytes and the same trees on vfs, overlay and overlay2',
    async () => {
      await using scratch = await scratchDirectory();
      await using maker = new VfsDriver({ home: `${scratch.path}/maker` });
      await maker.open();
      let chains = 0;
      await forRandomLayers(SETTINGS, BOUNDS, async (example) => {
        const place = `${scratch.path}/${example.number}`;
        const model = `${place}/model`;
        await mkdir(model, { recursive: true });
        const session = new EditSession(model, { root: true, native: true, specialModes: true });
        example.log = session.log;
        const made = await editLayers(maker, session, example.layers, `made-${example.number}`, {});
        const layers = await diffsOf(maker, made);
        const reference = await storeChain(`${place}/vfs`, 'vfs', layers);
        expect(
          reference.exports.map((bytes, index) => bytes.equals(layers[index] ?? Buffer.alloc(0))),
        ).toEqual(layers.map(() => true));
        for (const driver of ['overlay', 'overlay2']) {
          const stored = await storeChain(`${place}/${driver}`, driver, layers);
          expect(stored.chainIds).toEqual(reference.chainIds);
          for (const [index, bytes] of stored.exports.entries()) {
            expect(bytes.equals(layers[index] ?? Buffer.alloc(0))).toBe(true);
          }
          for (const [index, tree] of stored.trees.entries()) {
            await expectSameTree(
              tree,
              reference.trees[index] ?? tree,
              `layer ${index} on ${driver}, as on vfs`,
            );
          }
        }
        chains += 1;
      });
      expect(chains).toBeGreaterThan(0);
    },
    5 * MINUTES,
  );
});
