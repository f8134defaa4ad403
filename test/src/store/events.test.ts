import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { chunked, smallLayer } from './small-layer.js';
import { StoreUnderTest } from './store-under-test.js';

const CHANNELS = [
  'open',
  'register',
  'register-failed',
  'mount-created',
  'mount-removed',
  'removed',
  'close',
];

let seen: [string, unknown][];
const listener = (message: unknown, name: string | symbol): void => {
  seen.push([String(name).slice('layer-store:'.length), message]);
};

beforeEach(() => {
  seen = [];
  for (const name of CHANNELS) subscribe(`layer-store:${name}`, listener);
});
afterEach(() => {
  for (const name of CHANNELS) unsubscribe(`layer-store:${name}`, listener);
});

it('what happens in a store is published, in order, with its root', async () => {
  const { bytes, diffId } = smallLayer({ file: 'content' });
  await using under = await StoreUnderTest.open({ sync: false });
  const layer = await under.store.register(chunked(bytes));
  await under.store.register(chunked(bytes.subarray(0, 515))).catch(() => undefined);
  const rw = await under.store.createRWLayer('web', layer.chainId);
  await under.store.releaseRWLayer(rw);
  await under.store.release(layer);
  await under.store.close();
  expect(seen.map(([name]) => name)).toEqual(CHANNELS);
  for (const [, message] of seen) expect(message).toMatchObject({ root: under.root });
  expect(seen[1]?.[1]).toMatchObject({ chainId: diffId, diffId, bytes: bytes.length, existing: false });
  expect(seen[2]?.[1]).toMatchObject({ error: { code: 'ARCHIVE_TRUNCATED' } });
});
