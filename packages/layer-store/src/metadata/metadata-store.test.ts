import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Level } from 'level';
import { type CacheId, childChainId, type DiffId, type MountId, randomId } from '../ids.js';
import { levelMetadata, memoryMetadata, SCHEMA_VERSION } from './level-metadata-store.js';
import type { MetadataStore } from './metadata-store.js';
import type { IntentRecord, LayerRecord, MountRecord, RemovalRecord } from './records.js';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'metadata-'));
});
afterEach(() => rm(directory, { recursive: true }));

const diffId = (digit: string): DiffId => `sha256:${digit.repeat(64)}` as DiffId;

function layer(digit: string, parent?: LayerRecord): LayerRecord {
  return {
    chainId: childChainId(parent?.chainId, diffId(digit)),
    diffId: diffId(digit),
    ...(parent === undefined ? {} : { parent: parent.chainId }),
    cacheId: randomId() as CacheId,
    size: 123,
    archiveSize: 456,
  };
}

function intentOf(id: string): IntentRecord {
  return { id, kind: 'layer', driverIds: [id] };
}

function removalOf(record: LayerRecord): RemovalRecord {
  return { id: record.cacheId, kind: 'layer', driverIds: [record.cacheId], tarSplit: record.cacheId };
}

const backends: [string, () => MetadataStore][] = [
  ['LevelDB', () => levelMetadata({ location: path.join(directory, 'db') })],
  ['memory', memoryMetadata],
];

describe.each(backends)('metadata in %s', (name, make) => {
  let store: MetadataStore;

  beforeEach(async () => {
    store = make();
    await store.open();
  });
  afterEach(() => store.close());

  /** What the next process would see; the memory backend lives in its instance. */
  async function reopen(): Promise<void> {
    await store.close();
    if (name === 'LevelDB') store = make();
    await store.open();
  }

  it('is empty at first, with an identity that stays', async () => {
    const first = await store.load();
    expect(first).toMatchObject({
      schema: SCHEMA_VERSION,
      layers: [],
      mounts: [],
      intents: [],
      removals: [],
    });
    await store.putIntents([intentOf(randomId())]);
    const { storeId, generation } = await store.load();
    expect(storeId).toBe(first.storeId);
    expect(generation).toBe(first.generation + 1);
    await reopen();
    expect(await store.load()).toMatchObject({ storeId, generation });
  });

  it('what may wait is gone when the content is read, and after closing', async () => {
    const intents = Array.from({ length: 100 }, () => intentOf(randomId()));
    await store.putIntents(intents);
    const before = (await store.load()).generation;
    for (const { id } of intents.slice(0, 90)) await store.dropIntents([id]);
    const left = intents.slice(90).map(({ id }) => id);
    const { intents: found, generation } = await store.load();
    expect(new Set(found.map(({ id }) => id))).toEqual(new Set(left));
    expect(generation - before).toBeLessThan(10);
    await store.dropIntents(left);
    await reopen();
    expect((await store.load()).intents).toEqual([]);
  });

  it('a record that waits to be dropped and is written again stays', async () => {
    const intent = intentOf(randomId());
    await store.putIntents([intent]);
    await store.dropIntents([intent.id]);
    await store.putIntents([intent]);
    expect((await store.load()).intents).toEqual([intent]);
  });

  it('a layer appears with its commit and not before; intent and layer change places (AtomicWriteSetCommit)', async () => {
    const base = layer('a');
    await store.putIntents([intentOf(base.cacheId)]);
    expect(await store.load()).toMatchObject({ layers: [], intents: [intentOf(base.cacheId)] });
    await store.commitLayer(base, base.cacheId);
    await reopen();
    expect(await store.load()).toMatchObject({ layers: [base], intents: [] });
  });

  it('a dropped intent leaves nothing (AtomicWriteSetCancel)', async () => {
    await store.putIntents([intentOf(randomId())]);
    await store.load();
    const { intents } = await store.load();
    for (const { id } of intents) await store.dropIntents([id]);
    await reopen();
    expect(await store.load()).toMatchObject({
      layers: [],
      mounts: [],
      intents: [],
      removals: [],
      unreadable: [],
    });
  });

  it('keeps descriptor, labels and every optional field of layers and mounts', async () => {
    const base = {
      ...layer('a'),
      descriptor: {
        digest: diffId('b'),
        size: 5,
        mediaType: 'application/x',
        annotations: { k: 'v' },
        x: [1, null],
      },
      labels: { 'made-by': 'tëst', empty: '' },
    };
    const child = layer('c', base);
    const mountId = randomId() as MountId;
    const mount: MountRecord = {
      name: 'web/1'.replace('/', '!'),
      mountId,
      initId: `${mountId}-init`,
      parent: child.chainId,
      mountLabel: 'system_u:object_r:x',
      labels: { a: 'b' },
    };
    await store.commitLayer(base, 'none');
    await store.commitLayer(child, 'none');
    await store.commitMount(mount, 'none');
    await reopen();
    const { layers, mounts, unreadable } = await store.load();
    expect(unreadable).toEqual([]);
    expect(layers).toEqual(expect.arrayContaining([base, child]));
    expect(mounts).toEqual([mount]);
  });

  it('a removal takes layers and mounts away and notes the work in one step', async () => {
    const base = layer('a');
    const child = layer('b', base);
    const mount: MountRecord = { name: 'm', mountId: randomId() as MountId, parent: child.chainId };
    await store.commitLayer(base, 'none');
    await store.commitLayer(child, 'none');
    await store.commitMount(mount, 'none');
    const removals = [removalOf(child), removalOf(base)];
    await store.remove({ layers: [child.chainId, base.chainId], mounts: ['m'], removals });
    await reopen();
    const after = await store.load();
    expect(after).toMatchObject({ layers: [], mounts: [] });
    expect(after.removals).toEqual(expect.arrayContaining(removals));
    for (const { id } of removals) await store.finishRemoval(id);
    expect((await store.load()).removals).toEqual([]);
  });

  it('a layer that replaces another leaves the removal of the old one', async () => {
    const old = layer('a');
    const fresh = { ...old, cacheId: randomId() as CacheId };
    await store.commitLayer(old, 'none');
    await store.commitLayer(fresh, 'none', [removalOf(old)]);
    expect(await store.load()).toMatchObject({ layers: [fresh], removals: [removalOf(old)] });
  });

  it('operations on a closed store fail with a coded error', async () => {
    await store.close();
    await expect(store.load()).rejects.toMatchObject({ code: 'STORE_METADATA_FAILED' });
    await expect(store.putIntents([intentOf(randomId())])).rejects.toMatchObject({
      code: 'STORE_METADATA_FAILED',
    });
    await store.open();
  });
});

describe('damaged or foreign content', () => {
  const location = (): string => path.join(directory, 'db');

  async function poke(entries: Record<string, string>): Promise<void> {
    const level = new Level<string, string>(location(), { valueEncoding: 'utf8' });
    await level.open();
    await level.batch(Object.entries(entries).map(([key, value]) => ({ type: 'put', key, value })));
    await level.close();
  }

  async function load(): Promise<ReturnType<MetadataStore['load']>> {
    await using store = levelMetadata({ location: location() });
    await store.open();
    return await store.load();
  }

  const meta = JSON.stringify({ schema: SCHEMA_VERSION, storeId: 'x', generation: 1 });
  const base = layer('a');

  it.each<[string, string, string]>([
    ['no JSON', `layer!${base.chainId}`, '{"chainId":'],
    ['empty', `layer!${base.chainId}`, ''],
    ['not an object', `layer!${base.chainId}`, '[]'],
    ['a key that is not its chain', `layer!${diffId('f')}`, JSON.stringify(base)],
    ['a key that is no digest', 'layer!nonsense', JSON.stringify(base)],
    ['an invalid cache id value', `layer!${base.chainId}`, JSON.stringify({ ...base, cacheId: '../x' })],
    ['a negative size', `layer!${base.chainId}`, JSON.stringify({ ...base, size: -1 })],
    ['no diff id', `layer!${base.chainId}`, JSON.stringify({ ...base, diffId: undefined })],
    ['labels that are no texts', `layer!${base.chainId}`, JSON.stringify({ ...base, labels: { a: 1 } })],
    ['a mount with zero-length mount id', 'mount!m', JSON.stringify({ name: 'm', mountId: '' })],
    [
      'an invalid init id value',
      'mount!m',
      JSON.stringify({ name: 'm', mountId: base.cacheId, initId: 'x-init' }),
    ],
    ['a mount name with a slash', 'mount!a/b', JSON.stringify({ name: 'a/b', mountId: base.cacheId })],
    ['an intent without ids', 'intent!i', JSON.stringify({ id: 'i', kind: 'layer' })],
    [
      'a removal of a path',
      'removal!r',
      JSON.stringify({ id: 'r', kind: 'layer', driverIds: ['../../etc'] }),
    ],
  ])('a record with %s is reported, not hidden', async (_what, key, value) => {
    await poke({ meta, [key]: value });
    const { layers, mounts, intents, removals, unreadable } = await load();
    expect([...layers, ...mounts, ...intents, ...removals]).toEqual([]);
    expect(unreadable).toHaveLength(1);
    expect(`${unreadable[0]?.kind}!${unreadable[0]?.key}`).toBe(key);
    expect(unreadable[0]?.problem).not.toBe('');
  });

  it('driver ids of a damaged record are saved from it', async () => {
    await poke({ meta, [`layer!${base.chainId}`]: JSON.stringify({ ...base, size: 'much' }) });
    expect((await load()).unreadable[0]?.driverIds).toEqual([base.cacheId]);
  });

  it('a newer schema is refused', async () => {
    await poke({ meta: JSON.stringify({ schema: SCHEMA_VERSION + 1, storeId: 'x', generation: 1 }) });
    await expect(load()).rejects.toMatchObject({
      code: 'STORE_SCHEMA_NEWER',
      actual: String(SCHEMA_VERSION + 1),
    });
  });

  it.each([
    ['damaged', { meta: '{' }],
    ['missing although there are records', { [`layer!${base.chainId}`]: JSON.stringify(base) }],
  ])('a schema record that is %s is refused', async (_what, entries) => {
    await poke(entries);
    await expect(load()).rejects.toMatchObject({ code: 'STORE_METADATA_FAILED' });
  });

  it('a database whose place is a file cannot be opened (CommitFailure, StartTransactionFailure)', async () => {
    await writeFile(location(), 'not a directory');
    const store = levelMetadata({ location: location() });
    await expect(store.open()).rejects.toMatchObject({ code: 'STORE_METADATA_FAILED' });
    await rm(location());
    await store.open();
    await store.putIntents([intentOf(randomId())]);
    await store.close();
  });

  it('a database with a damaged manifest cannot be opened', async () => {
    await poke({ meta });
    await writeFile(path.join(location(), 'CURRENT'), 'MANIFEST-999999\n');
    await chmod(path.join(location(), 'CURRENT'), 0o644);
    const store = levelMetadata({ location: location() });
    await expect(store.open()).rejects.toMatchObject({ code: 'STORE_METADATA_FAILED' });
  });
});
