import { lstat, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { formatChange, LayerStoreError } from '@x/archive';
import { attributes, file as contentOf, removed, tree } from '../../appliers/index.js';
import type { Check } from '../../check.js';
import { expectCode, expectEqual, expectTrue } from '../../expectation.js';
import { bytesOf, layerEntry } from '../../layer-bytes.js';
import { StoreSession } from './store-session.js';

const family = 'store';
const { directory, file } = layerEntry;
const MANY = 20;

/** Read-write layers of a store on the driver. */
export const READ_WRITE_CHECKS: readonly Check[] = [
  {
    family,
    name: 'a layer made of a read-write layer shows its content when mounted (MountAndRegister)',
    run: async (bench) => {
      await using session = await StoreSession.open(bench);
      const { store } = session;
      const base = await session.register(undefined, directory('etc'), file('etc/base', 'from the base'));
      const rw = await store.createRWLayer('edit', base.chainId);
      await writeFile(path.join(await rw.mount(), 'added'), 'hello');
      await rw.unmount();
      const layer = await store.commit(rw);
      expectEqual(layer.parent?.chainId, base.chainId, 'parent of the commit');
      const look = await store.createRWLayer('look', layer.chainId);
      await tree(contentOf('added', 'hello'), contentOf('etc/base', 'from the base')).check(
        await look.mount(),
      );
      await look.unmount();
      await store.releaseRWLayer(look);
      await store.releaseRWLayer(rw);
      await session.expectTidy();
    },
  },
  {
    family,
    name: 'what init writes is there, over the base, with its mode (MountInit)',
    run: async (bench) => {
      await using session = await StoreSession.open(bench);
      const base = await session.register(undefined, file('file', 'basis'));
      const rw = await session.store.createRWLayer('init', base.chainId, {
        init: (root) => contentOf('file', 'init', { mode: 0o777 }).apply(root),
      });
      await contentOf('file', 'init', { mode: 0o777 }).check(await rw.mount());
      await rw.unmount();
    },
  },
  {
    family,
    name: 'only what was written after init counts (MountSize)',
    run: async (bench) => {
      await using session = await StoreSession.open(bench);
      const base = await session.register(undefined, file('file', 'base content'));
      const rw = await session.store.createRWLayer('size', base.chainId, {
        init: (root) => writeFile(path.join(root, 'init'), 'init content'),
      });
      await writeFile(path.join(await rw.mount(), 'new'), 'new');
      expectEqual(await rw.size(), 3, 'size of the read-write layer');
      await rw.unmount();
    },
  },
  {
    family,
    name: 'changes are modify, delete, modify, add; init content is none (MountChanges)',
    run: async (bench) => {
      await using session = await StoreSession.open(bench);
      const base = await session.register(
        undefined,
        file('f1', 'hello'),
        file('f2', 'hello'),
        file('f3', 'hello'),
      );
      const rw = await session.store.createRWLayer('changes', base.chainId, {
        init: (root) => writeFile(path.join(root, 'f4'), 'init'),
      });
      const edits = tree(
        contentOf('f1', 'mount data!', { mode: 0o755 }),
        removed('f2'),
        attributes('f3', { mode: 0o600 }),
        contentOf('f5', 'new'),
      );
      await edits.apply(await rw.mount());
      const wanted = ['C /f1', 'D /f2', 'C /f3', 'A /f5'];
      expectEqual((await rw.changes()).map(formatChange), wanted, 'changes while mounted');
      await rw.unmount();
      expectEqual((await rw.changes()).map(formatChange), wanted, 'changes when unmounted');
    },
  },
  {
    family,
    name: 'a layer can be unpacked onto a read-write layer, mounted or not (MountApply)',
    run: async (bench) => {
      await using session = await StoreSession.open(bench);
      const base = await session.register(undefined, file('basis', ''));
      const other = await session.register(undefined, file('file', 'applied'));
      const rw = await session.store.createRWLayer('apply', base.chainId);
      expectEqual(await rw.applyDiff(other.tarStream()), 7, 'size of what was unpacked');
      const root = await rw.mount();
      await contentOf('file', 'applied').check(root);
      const more = await session.register(undefined, file('more', 'more'));
      await rw.applyDiff(more.tarStream());
      await rw.unmount();
      await contentOf('more', 'more').check(await rw.mount());
      await rw.unmount();
    },
  },
  {
    family,
    name: 'a chain and a read-write layer are as before after reopening (StoreRestore)',
    run: async (bench) => {
      await using session = await StoreSession.open(bench);
      const base = await session.register(undefined, file('basis', 'basis'));
      const top = await session.register(base, file('top', 'top'));
      const rw = await session.store.createRWLayer('kept', top.chainId, {
        init: (root) => writeFile(path.join(root, 'init'), 'i'),
      });
      await writeFile(path.join(await rw.mount(), 'written'), 'written');
      // Closing ends the mount.
      const store = await session.reopen();
      const again = await store.getRWLayer('kept');
      const root = await again.mount();
      expectEqual(await again.mount(), root, 'path of a second mount');
      await tree(contentOf('written', 'written'), contentOf('init', 'i'), contentOf('top', 'top')).check(
        root,
      );
      expectEqual((await again.changes()).map(formatChange), ['A /written'], 'changes');
      await again.unmount();
      await again.unmount();
      const handle = await store.get(top.chainId);
      await store.releaseRWLayer(again);
      expectEqual((await store.release(handle)).length, 2, 'layers that went with the last handle');
      expectEqual(await session.driver.list(), [], 'layers of the driver');
      await session.expectTidy();
    },
  },
  {
    family,
    name: 'many read-write layers on one layer come, are written, committed and go at once',
    run: async (bench) => {
      await using session = await StoreSession.open(bench);
      const { store } = session;
      const base = await session.register(undefined, file('basis', 'basis'));
      const commits = Array.from({ length: MANY }, async (_, number) => {
        const rw = await store.createRWLayer(`rw-${number}`, base.chainId);
        await writeFile(path.join(await rw.mount(), `file-${number}`), String(number));
        await rw.unmount();
        const layer = await store.commit(rw);
        await store.releaseRWLayer(rw);
        return layer;
      });
      const layers = await Promise.all(commits);
      for (const [number, layer] of layers.entries()) {
        await session.driver.withMount(layer.cacheId, async (root) => {
          expectEqual(await readFile(path.join(root, `file-${number}`), 'latin1'), String(number), 'content');
        });
      }
      await session.expectTidy();
      for (const layer of layers) await store.release(layer);
      await session.expectTidy();
    },
  },
  {
    family,
    name: 'an init that fails, and a size without quota, leave nothing in the driver',
    run: async (bench) => {
      await using session = await StoreSession.open(bench);
      const base = await session.register(undefined, file('basis', ''));
      const init = (): never => {
        throw new LayerStoreError('LAYER_BROKEN', 'thrown by init');
      };
      await expectCode('LAYER_BROKEN', 'an init that fails', () =>
        session.store.createRWLayer('m', base.chainId, { init }),
      );
      if (!bench.facts.capabilities.quota) {
        await expectCode('DRIVER_QUOTA_NOT_SUPPORTED', 'a size', () =>
          session.store.createRWLayer('m', base.chainId, { storageOpt: { size: '1G' } }),
        );
      }
      expectEqual(await session.driver.list(), [base.cacheId], 'layers of the driver');
      const rw = await session.store.createRWLayer('m', base.chainId);
      expectTrue((await lstat(await rw.mount())).isDirectory(), 'the name can be used');
      await rw.unmount();
    },
  },
  {
    family,
    name: 'the stream of a read-write layer is the same every time',
    run: async (bench) => {
      await using session = await StoreSession.open(bench);
      const base = await session.register(undefined, file('a', 'a'), file('b', 'b'));
      const rw = await session.store.createRWLayer('rw', base.chainId);
      await tree(contentOf('c', 'c'), removed('a')).apply(await rw.mount());
      const mounted = await bytesOf(rw.tarStream());
      await rw.unmount();
      expectTrue(
        (await bytesOf(rw.tarStream())).equals(mounted),
        'the stream of the unmounted layer is that of the mounted',
      );
      const first = await session.store.commit(rw);
      expectEqual((await session.store.commit(rw)).chainId, first.chainId, 'chain id of a second commit');
    },
  },
];
