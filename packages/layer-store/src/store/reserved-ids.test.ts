import { describe, expect, it } from '@jest/globals';
import { memoryMetadata } from '../metadata/level-metadata-store.js';
import { ReservedIds } from './reserved-ids.js';

describe('ReservedIds', () => {
  it('gives no id before its intent is in the metadata, and none twice', async () => {
    await using metadata = memoryMetadata();
    await metadata.open();
    const ids = new ReservedIds(metadata, 'mount');
    const taken = await Promise.all(Array.from({ length: 40 }, () => ids.take()));
    expect(new Set(taken.map(({ id }) => id)).size).toBe(40);
    const { intents, generation } = await metadata.load();
    expect(intents).toEqual(expect.arrayContaining(taken));
    // One transaction for several of them.
    expect(generation).toBeLessThan(10);
    for (const { id, driverIds } of taken) expect(driverIds).toEqual([id, `${id}-init`]);
  });

  it('gives up only what nobody took', async () => {
    await using metadata = memoryMetadata();
    await metadata.open();
    const ids = new ReservedIds(metadata, 'layer');
    const intent = await ids.take();
    await ids.drop();
    expect((await metadata.load()).intents).toEqual([intent]);
    expect((await ids.take()).id).not.toBe(intent.id);
  });

  it('a reservation that fails is the failure of all who wait for it, and the next tries again', async () => {
    const metadata = memoryMetadata();
    await metadata.open();
    await metadata.close();
    const ids = new ReservedIds(metadata, 'layer');
    const waiting = [ids.take(), ids.take()];
    for (const outcome of await Promise.allSettled(waiting)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'STORE_METADATA_FAILED' } });
    }
    await metadata.open();
    expect(await ids.take()).toMatchObject({ kind: 'layer' });
    await metadata.close();
  });
});
