import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseChainId } from '@x/layer-store';
import { Level } from 'level';
import { chunked, collect, smallLayer } from './small-layer.js';
import { StoreUnderTest } from './store-under-test.js';

/*
 * What is recorded but damaged is never hidden, never makes the store unusable, keeps its name, and can be put in order by
 * registering it again or be discarded.
 */

const BASE = smallLayer({ base: 'base' });
const TOP = smallLayer({ top: 'top' });

let under: StoreUnderTest;
let base: { chainId: string; cacheId: string };
let top: { chainId: string; cacheId: string };

beforeEach(async () => {
  under = await StoreUnderTest.open({ sync: false });
  const first = await under.store.register(chunked(BASE.bytes));
  const second = await under.store.register(chunked(TOP.bytes), first.chainId);
  base = { chainId: first.chainId, cacheId: first.cacheId };
  top = { chainId: second.chainId, cacheId: second.cacheId };
  const rw = await under.store.createRWLayer('web', second.chainId, {
    init: (at) => writeFile(path.join(at, 'init'), 'init'),
  });
  await writeFile(path.join(await rw.mount(), 'edit'), 'edit');
});
afterEach(() => under[Symbol.asyncDispose]());

type Records = (records: Map<string, string>) => void;

async function editRecords(edit: Records): Promise<void> {
  await under.store.close();
  const level = new Level<string, string>(path.join(under.metadataHome, 'db'), { valueEncoding: 'utf8' });
  const records = new Map(await level.iterator().all());
  const before = new Map(records);
  edit(records);
  for (const [key, value] of records) if (before.get(key) !== value) await level.put(key, value);
  for (const key of before.keys()) if (!records.has(key)) await level.del(key);
  await level.close();
  await under.reopen();
}

const damages: [string, () => Promise<void>][] = [
  ['an empty record', () => editRecords((records) => records.set(`layer!${base.chainId}`, ''))],
  ['a torn record', () => editRecords((records) => records.set(`layer!${base.chainId}`, '{"chainId":"sha'))],
  [
    'a record without cache id',
    () =>
      editRecords((records) =>
        records.set(
          `layer!${base.chainId}`,
          JSON.stringify({ ...base, diffId: BASE.diffId, cacheId: undefined }),
        ),
      ),
  ],
  [
    'a foreign cache id',
    () => editRecords((records) => edit(records, `layer!${base.chainId}`, { cacheId: 'f'.repeat(64) })),
  ],
  [
    'no driver data',
    async () => {
      await rm(under.layerDirectory(base.cacheId), { recursive: true });
      await under.reopen();
    },
  ],
  [
    'no tar-split file',
    async () => {
      await rm(under.tarSplit(base.cacheId));
      await under.reopen();
    },
  ],
];

function edit(records: Map<string, string>, key: string, change: object): void {
  records.set(key, JSON.stringify({ ...(JSON.parse(records.get(key) ?? '{}') as object), ...change }));
}

describe.each(damages)('a layer with %s', (_what, damage) => {
  beforeEach(() => damage());

  it('is reported with all that stands on it, and cannot be used', async () => {
    const { store } = under;
    const problems = await store.diagnose();
    expect(problems).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ kind: 'broken-layer', chainId: base.chainId }),
        expect.objectContaining({ kind: 'broken-layer', chainId: top.chainId }),
        expect.objectContaining({ kind: 'broken-mount', name: 'web' }),
      ]),
    );
    expect(store.map().size).toBe(0);
    await expect(store.get(base.chainId)).rejects.toMatchObject({
      code: 'LAYER_BROKEN',
      chainId: base.chainId,
    });
    await expect(store.register(chunked(TOP.bytes), base.chainId)).rejects.toMatchObject({
      code: 'LAYER_BROKEN',
    });
    await expect(store.getRWLayer('web')).rejects.toMatchObject({ code: 'MOUNT_BROKEN' });
    expect(() => store.getMountId('web')).toThrow(expect.objectContaining({ code: 'MOUNT_BROKEN' }));
    await expect(store.createRWLayer('web')).rejects.toMatchObject({ code: 'MOUNT_NAME_CONFLICT' });
  });

  it.each([
    ['announced', { expectedDiffId: BASE.diffId }],
    ['unannounced', {}],
  ])(
    'is whole again after it was registered again (%s), with all that stands on it',
    async (_how, options) => {
      const layer = await under.store.register(chunked(BASE.bytes), undefined, options);
      expect(layer.chainId).toBe(base.chainId);
      expect(await collect(layer.tarStream())).toEqual(BASE.bytes);
      const child = await under.store.get(top.chainId);
      expect(child.parent?.chainId).toBe(base.chainId);
      expect(await collect(child.tarStream())).toEqual(TOP.bytes);
      const rw = await under.store.getRWLayer('web');
      expect(await rw.size()).toBe(4);
      for (const state of ['as it is', 'after reopening']) {
        const problems = (await under.store.diagnose()).filter(({ kind }) => !kind.startsWith('unknown'));
        expect([state, problems]).toEqual([state, []]);
        expect([...under.store.map().keys()].toSorted()).toEqual([base.chainId, top.chainId].toSorted());
        await under.reopen();
      }
    },
  );

  it('a failed attempt to register it again changes nothing for the worse', async () => {
    const options = { expectedDiffId: BASE.diffId };
    await expect(under.store.register(chunked(TOP.bytes), undefined, options)).rejects.toMatchObject({
      code: 'LAYER_DIGEST_MISMATCH',
    });
    await under.reopen();
    await expect(under.store.get(base.chainId)).rejects.toMatchObject({ code: 'LAYER_BROKEN' });
    await under.store.register(chunked(BASE.bytes), undefined, options);
    expect(under.store.map().size).toBe(2);
  });

  it('can be discarded, child first, and then comes in as new', async () => {
    await under.store.discardBroken('mount', 'web');
    await under.store.discardBroken('layer', top.chainId);
    await under.store.discardBroken('layer', base.chainId);
    await expect(under.store.discardBroken('layer', base.chainId)).rejects.toMatchObject({
      code: 'LAYER_NOT_FOUND',
    });
    await under.reopen();
    const leftovers = await under.store.diagnose();
    expect(leftovers.filter(({ kind }) => !kind.startsWith('unknown'))).toEqual([]);
    await under.store.register(chunked(BASE.bytes));
    await under.store.createRWLayer('web', base.chainId);
    expect(under.store.map().size).toBe(1);
  });
});

describe('other damage', () => {
  it('parents in a circle are reported, and the store opens', async () => {
    await editRecords((records) => edit(records, `layer!${base.chainId}`, { parent: top.chainId }));
    const broken = (await under.store.diagnose()).filter(({ kind }) => kind === 'broken-layer');
    expect(broken).toHaveLength(2);
    expect(under.store.map().size).toBe(0);
  });

  it('a layer that is its own parent is reported', async () => {
    await editRecords((records) => edit(records, `layer!${top.chainId}`, { parent: top.chainId }));
    expect(await under.store.diagnose()).toEqual(
      expect.arrayContaining([expect.objectContaining({ kind: 'broken-layer', chainId: top.chainId })]),
    );
    expect([...under.store.map().keys()]).toEqual([base.chainId]);
  });

  it('a missing parent is reported with its name', async () => {
    await editRecords((records) => records.delete(`layer!${base.chainId}`));
    expect(await under.store.diagnose()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ chainId: top.chainId, problems: [expect.stringContaining(base.chainId)] }),
        { kind: 'unknown-driver-data', driverId: base.cacheId },
        { kind: 'unknown-tar-split', cacheId: base.cacheId },
      ]),
    );
  });

  it.each<[string, object | undefined]>([
    ['parent', { parent: `sha256:${'e'.repeat(64)}` }],
    ['init id', { initId: 'short-init' }],
    ['mount id', { mountId: '' }],
    ['record', undefined],
  ])('a read-write layer with a bad %s keeps its name until it is discarded', async (_what, change) => {
    await editRecords((records) => {
      if (change === undefined) records.set('mount!web', '');
      else edit(records, 'mount!web', change);
    });
    await expect(under.store.getRWLayer('web')).rejects.toMatchObject({ code: 'MOUNT_BROKEN' });
    await expect(under.store.createRWLayer('web')).rejects.toMatchObject({ code: 'MOUNT_NAME_CONFLICT' });
    expect(under.store.map().size).toBe(2);
    await under.store.discardBroken('mount', 'web');
    await under.store.createRWLayer('web', parseChainId(top.chainId));
    await under.reopen();
    expect(under.store.mounts()).toHaveLength(1);
  });

  it('driver data that nobody recorded is reported and left alone', async () => {
    await under.driver.create('somebody-elses');
    await under.reopen();
    expect(await under.store.diagnose()).toEqual([
      { kind: 'unknown-driver-data', driverId: 'somebody-elses' },
    ]);
    await under.store.cleanup();
    await under.store.prune();
    expect(await under.driver.exists('somebody-elses')).toBe(true);
  });
});
