import { createHash } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { EMPTY_LAYER, EMPTY_LAYER_DIFF_ID, type Layer, MAX_DEPTH } from '@x/layer-store';
import { file as contentOf, tree } from '../../appliers/index.js';
import type { Check } from '../../check.js';
import { expectCode, expectEqual, expectTrue } from '../../expectation.js';
import { bytesOf, inChunks, layerBytes, layerEntry } from '../../layer-bytes.js';
import { StoreSession } from './store-session.js';

const family = 'store';
const { directory, file, hardLink, symbolicLink, whiteout } = layerEntry;
const MANY = 20;
/** The init layer and the read-write layer. */
const RW_LAYERS = 2;

/** Layers of a store on the driver: registered, streamed back, released. */
export const REGISTERING_CHECKS: readonly Check[] = [
  {
    family,
    name: 'the empty layer is registered like any other (EmptyLayer)',
    run: async (bench) => {
      await using session = await StoreSession.open(bench);
      const layer = await session.store.register(EMPTY_LAYER.tarStream());
      expectEqual(layer.chainId, EMPTY_LAYER.chainId, 'chain id');
      expectEqual(digest(await bytesOf(layer.tarStream())), EMPTY_LAYER_DIFF_ID, 'digest of the stream');
      expectEqual([layer.size(), layer.diffSize()], [0, 0], 'sizes');
      await session.expectTidy();
    },
  },
  {
    family,
    name: 'layers stream back byte for byte, also after a child was made, after others went, and after reopening (TarStreamStability)',
    run: async (bench) => {
      await using session = await StoreSession.open(bench);
      const [one, two] = [await layerBytes(...FIRST), await layerBytes(...SECOND)];
      const first = await session.store.register(inChunks(one));
      const second = await session.store.register(inChunks(two), first.chainId);
      const other = await session.register(first, file('other', 'other'));
      await session.store.release(other);
      await session.store.release(first);
      for (const [layer, bytes] of [
        [first, one],
        [second, two],
      ] as const) {
        expectTrue((await bytesOf(layer.tarStream())).equals(bytes), `${layer.chainId} streams back`);
      }
      const store = await session.reopen();
      for (const bytes of [one, two]) {
        const layer = [...store.map().values()].find(({ diffId }) => diffId === digest(bytes));
        expectTrue(
          layer !== undefined && (await bytesOf(layer.tarStream())).equals(bytes),
          'it streams back after reopening',
        );
      }
      await session.expectTidy();
    },
  },
  {
    family,
    name: 'a file that was changed behind the store is found when its layer is streamed (TarStreamVerification)',
    run: async (bench) => {
      await using session = await StoreSession.open(bench);
      const layer = await session.register(undefined, file('file', 'content'));
      await session.driver.withMount(layer.cacheId, (root) => writeFile(path.join(root, 'file'), 'CONTENT'));
      const codes = ['ARCHIVE_FILE_CORRUPT', 'LAYER_UNVERIFIED'];
      await expectCode(codes, 'the stream of a changed layer', () => bytesOf(layer.tarStream()));
    },
  },
  {
    family,
    name: 'the same layer twice is one layer of the driver (RegisterExistingLayer)',
    run: async (bench) => {
      await using session = await StoreSession.open(bench);
      const base = await session.register(undefined, file('basis', ''));
      const registers = Array.from({ length: MANY }, () => session.register(base, file('file', 'content')));
      const handles = await Promise.all(registers);
      expectEqual(new Set(handles.map(({ cacheId }) => cacheId)).size, 1, 'number of driver layers');
      await session.expectTidy();
      for (const handle of handles) await session.store.release(handle);
      await session.expectTidy();
      expectEqual((await session.driver.list()).length, 1, 'layers of the driver, the base');
    },
  },
  {
    family,
    name: 'layers go when nothing refers to them, child first (LayerRelease)',
    run: async (bench) => {
      await using session = await StoreSession.open(bench);
      const { store } = session;
      const first = await session.register(undefined, file('one', '1'));
      const second = await session.register(first, file('two', '2'));
      const left = await session.register(second, file('left', '3'));
      const right = await session.register(second, file('right', '3'));
      expectEqual((await store.release(first)).length, 0, 'layers gone with the first');
      expectEqual((await store.release(second)).length, 0, 'layers gone with the second');
      expectEqual(chains(await store.release(right)), chains([right]), 'layers gone with a branch');
      expectEqual(
        chains(await store.release(left)),
        chains([left, second, first]),
        'layers gone with the last',
      );
      expectEqual(await session.driver.list(), [], 'layers of the driver');
      await session.expectTidy();
    },
  },
  {
    family,
    name: 'sizes are those of the content, and add up along the chain (LayerSize)',
    run: async (bench) => {
      await using session = await StoreSession.open(bench);
      const base = await session.register(undefined, directory('d'), file('d/a', 'four'));
      const top = await session.register(base, file('b', 'three'), whiteout('d/a'));
      expectEqual([base.diffSize(), base.size(), top.diffSize(), top.size()], [4, 4, 5, 9], 'sizes');
    },
  },
  {
    family,
    name: 'a register that fails leaves nothing in the driver (CommitFailure)',
    run: async (bench) => {
      await using session = await StoreSession.open(bench);
      const { store } = session;
      const base = await session.register(undefined, file('basis', 'basis'));
      const bytes = await layerBytes(...FIRST);
      const broken = bytes.subarray(0, bytes.length / 2);
      await expectCode('ARCHIVE_TRUNCATED', 'a layer that ends early', () =>
        store.register(inChunks(broken), base.chainId),
      );
      await expectCode('LAYER_DIGEST_MISMATCH', 'a layer with another digest', () =>
        store.register(inChunks(bytes), base.chainId, { expectedDiffId: base.diffId }),
      );
      await expectCode('ARCHIVE_BREAKOUT', 'a layer that leaves its root', async () =>
        store.register(inChunks(await layerBytes(file('../out', 'out'))), base.chainId),
      );
      expectEqual(await session.driver.list(), [base.cacheId], 'layers of the driver');
      await session.expectTidy();
    },
  },
  {
    family,
    name: 'a chain as deep as a store allows is registered, mounted above an init layer, and streams back',
    timeout: 180_000,
    applicable: ({ capabilities }) =>
      capabilities.maxDepth < MAX_DEPTH + RW_LAYERS
        ? `the driver stops at ${capabilities.maxDepth} layers`
        : undefined,
    run: async (bench) => {
      await using session = await StoreSession.open(bench);
      let top: Layer | undefined;
      const tars: Buffer[] = [];
      for (let depth = 1; depth <= MAX_DEPTH; depth++) {
        bench.signal.throwIfAborted();
        const bytes = await layerBytes(file(`f${depth}`, String(depth)));
        tars.push(bytes);
        top = await session.store.register(inChunks(bytes), top?.chainId);
      }
      await expectCode('LAYER_MAX_DEPTH', 'one layer more', () => session.register(top, file('more', '')));
      const rw = await session.store.createRWLayer('top', top?.chainId, {
        init: (root) => writeFile(path.join(root, 'init'), 'init'),
      });
      const root = await rw.mount();
      expectEqual((await readdir(root)).length, MAX_DEPTH + 1, 'names on top');
      await tree(
        contentOf('f1', '1'),
        contentOf(`f${MAX_DEPTH}`, String(MAX_DEPTH)),
        contentOf('init', 'init'),
      ).check(root);
      await rw.unmount();
      for (const number of [0, 60, MAX_DEPTH - 1]) {
        const wanted = tars[number] ?? Buffer.alloc(0);
        const layer = [...session.store.map().values()].find(({ diffId }) => diffId === digest(wanted));
        expectTrue(
          layer !== undefined && (await bytesOf(layer.tarStream())).equals(wanted),
          `layer ${number} streams back`,
        );
      }
      await session.expectTidy();
    },
  },
];

const FIRST = [
  directory('a'),
  file('a/file', 'x'.repeat(3000), { mode: 0o4755 }),
  hardLink('a/same', 'a/file'),
  symbolicLink('link', 'a/file'),
  file('gone', 'gone'),
];
const SECOND = [file('a/other', 'y'), whiteout('gone'), file('link', 'a file now')];

function digest(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function chains(layers: readonly { readonly chainId: string }[]): readonly string[] {
  return layers.map(({ chainId }) => chainId);
}
