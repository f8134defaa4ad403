import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { VfsDriver } from '@x/driver-vfs';
import { childChainId, LayerStore, parseChainId, parseDiffId } from '@x/layer-store';
import { chunked, type SmallLayer, smallLayer } from '../store/small-layer.js';

/** The layers that crash tests work with. */
export const BASE: SmallLayer = smallLayer({ 'etc/': '', 'etc/base': 'base' });
export const TOP: SmallLayer = smallLayer({ 'etc/top': 'top', '.wh.nothing': '' });
export const NEXT: SmallLayer = smallLayer({ next: 'n'.repeat(5000), 'etc/base': 'replaced' });

export const BASE_CHAIN: string = BASE.diffId;
export const TOP_CHAIN: string = childChainId(parseChainId(BASE_CHAIN), parseDiffId(TOP.diffId));
export const NEXT_CHAIN: string = childChainId(parseChainId(TOP_CHAIN), parseDiffId(NEXT.diffId));

/** A read-write layer on TOP with an edit, there before. */
export const EDITED = 'edited';
/** A read-write layer that an operation makes. */
export const CREATED = 'created';

/** Opens the store in a scratch directory, made as crash tests make it. */
export function openIn(scratch: string): Promise<LayerStore> {
  const driver = new VfsDriver({ home: path.join(scratch, 'vfs') });
  return LayerStore.open({ root: path.join(scratch, 'store'), driver });
}

/** What every scenario starts from: two layers and a read-write layer with an edit. */
export async function prepare(scratch: string): Promise<void> {
  await using store = await openIn(scratch);
  await store.register(chunked(BASE.bytes));
  await store.register(chunked(TOP.bytes), BASE_CHAIN);
  const rw = await store.createRWLayer(EDITED, TOP_CHAIN, { init: writeInit });
  await writeFile(path.join(await rw.mount(), 'edit'), 'edit');
  await rw.unmount();
}

function writeInit(at: string): Promise<void> {
  return writeFile(path.join(at, 'init'), 'init');
}

/** What a process that is killed was doing. */
export type OperationName =
  | 'open'
  | 'register'
  | 'rebuild'
  | 'registerExisting'
  | 'registerWrongDigest'
  | 'release'
  | 'createRW'
  | 'commitRW'
  | 'releaseRW';

/** The operations, each on a store that {@link prepare} made. */
export const OPERATIONS: Readonly<Record<OperationName, (store: LayerStore) => Promise<void>>> = {
  open: () => Promise.resolve(),
  register: async (store: LayerStore) => {
    await store.register(chunked(NEXT.bytes), TOP_CHAIN);
  },
  rebuild: async (store: LayerStore) => {
    await store.register(chunked(TOP.bytes), BASE_CHAIN, { expectedDiffId: TOP.diffId });
  },
  registerExisting: async (store: LayerStore) => {
    await store.register(chunked(TOP.bytes), BASE_CHAIN);
  },
  registerWrongDigest: async (store: LayerStore) => {
    const register = store.register(chunked(NEXT.bytes), TOP_CHAIN, { expectedDiffId: BASE.diffId });
    await register.catch(() => undefined);
  },
  release: async (store: LayerStore) => {
    await store.release(await store.get(NEXT_CHAIN));
  },
  createRW: async (store: LayerStore) => {
    await store.createRWLayer(CREATED, TOP_CHAIN, { init: writeInit });
  },
  commitRW: async (store: LayerStore) => {
    await store.commit(await store.getRWLayer(EDITED));
  },
  releaseRW: async (store: LayerStore) => {
    await store.releaseRWLayer(await store.getRWLayer(EDITED));
  },
};
