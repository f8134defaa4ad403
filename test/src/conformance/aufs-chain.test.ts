import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AufsKernelModel, aufsDriverOn } from '@x/driver-aufs/testing';
import { overlay2Driver } from '@x/driver-overlay';
import { vfsDriver } from '@x/driver-vfs';
import { type DriverFactory, LayerStore } from '@x/layer-store';
import { nativeAddon, rootPrivilege } from '../capability/capability.js';
import { chunked, type SmallLayer, sha256, smallLayer } from '../store/small-layer.js';
import { treeListing } from '../tree/tree-listing.js';
import { WORK_DIRECTORY } from './machine.test-support.js';

/*
 * The longest chain a store takes, on three drivers: the same ids, the same trees, the same bytes. aufs needs several mount calls
 * for it, on a model that fails when one of them would lose a branch.
 */

const DEPTH = 125;
const TIMEOUT = 300_000;
const EDIT_TIME = 1_000_000_000;

/** Adds, replaces and deletes: what is seen at the end depends on every layer and on their order. */
function layer(index: number): SmallLayer {
  return smallLayer({
    'd/': '',
    [`d/file-${index}`]: `${index}`,
    'd/last': `layer ${index}`,
    ...(index % 7 === 3 ? { [`d/.wh.file-${index - 2}`]: '' } : {}),
    ...(index % 40 === 39 ? { 'hidden/': '', 'hidden/.wh..wh..opq': '' } : { 'hidden/': '' }),
    [`hidden/${index}`]: 'x',
    ...(index === 60 ? { '.wh..wh.aufs': '', '.wh..wh.plnk/': '', '.wh..wh.orph/': '' } : {}),
  });
}

const LAYERS = Array.from({ length: DEPTH }, (_, index) => layer(index));

interface Outcome {
  readonly chainIds: readonly string[];
  /** Digests of the streams that come back. */
  readonly streams: readonly string[];
  /** Digest of the topmost layers, made anew from the files. */
  readonly diff: string;
  /** Of everything, made anew. */
  readonly whole: string;
  readonly mounted: readonly string[];
  /** Digest of an edit made through the mount. */
  readonly edit: string;
}

async function digestOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return sha256(Buffer.concat(chunks));
}

async function run(factory: DriverFactory, scratch: string): Promise<Outcome> {
  const driver = factory.create({ home: path.join(scratch, factory.name) });
  await using store = await LayerStore.open({ root: path.join(scratch, `${factory.name}-store`), driver });
  const chainIds: string[] = [];
  const streams: string[] = [];
  for (const { bytes } of LAYERS) {
    const registered = await store.register(chunked(bytes), chainIds.at(-1));
    chainIds.push(registered.chainId);
  }
  for (const chainId of chainIds) {
    const view = await store.get(chainId);
    streams.push(await digestOf(view.tarStream()));
  }
  const topChain = chainIds.at(-1) ?? '';
  const top = await store.get(topChain);
  const diff = await digestOf(top.tarStreamFrom(chainIds.at(-2)));
  const whole = await digestOf(top.tarStreamFrom());
  const rw = await store.createRWLayer('work', topChain);
  const root = await rw.mount();
  const mounted = await treeListing(root, { times: false });
  await editAt(root);
  await rw.unmount();
  const edit = await digestOf(rw.tarStream());
  return { chainIds, streams, diff, whole, mounted, edit };
}

/** Times are set: they would be the only thing that differs from one run to the next. */
async function editAt(root: string): Promise<void> {
  const directory = path.join(root, 'd');
  const file = path.join(directory, 'edit');
  await rm(path.join(directory, 'last'));
  await writeFile(file, 'edited');
  for (const each of [file, directory]) await utimes(each, EDIT_TIME, EDIT_TIME);
}

const missing = [rootPrivilege(), nativeAddon()].flatMap((capability) => capability.missing ?? []);
const test = missing.length === 0 || process.env.CI === 'true' ? it : it.skip;

describe(`a chain of ${DEPTH} layers`, () => {
  const kernel = new AufsKernelModel();
  const outcomes = new Map<string, Outcome>();
  let scratch: string;

  beforeAll(async () => {
    if (test === it.skip) return;
    scratch = await mkdtemp(path.join(WORK_DIRECTORY, 'chain-'));
    for (const factory of [vfsDriver, overlay2Driver, aufsDriverOn(() => kernel)]) {
      outcomes.set(factory.name, await run(factory, scratch));
    }
  }, TIMEOUT);
  afterAll(async () => {
    if (scratch !== undefined) await rm(scratch, { recursive: true, force: true });
  });

  const of = (name: string): Outcome => {
    const outcome = outcomes.get(name);
    if (outcome === undefined) throw new Error(`${name} did not run`);
    return outcome;
  };

  test('comes back byte for byte from aufs', () => {
    expect(of('aufs').streams).toEqual(LAYERS.map(({ diffId }) => diffId));
  });

  for (const other of ['vfs', 'overlay2']) {
    test(`has the ids, the trees and the bytes on aufs that it has on ${other}`, () => {
      expect(of('aufs').mounted.length).toBeGreaterThan(100);
      expect(of('aufs')).toEqual(of(other));
    });
  }

  test('is mounted in several calls, none of which the kernel could cut or choke on', async () => {
    expect(kernel.violations).toEqual([]);
    const mounts = kernel.calls.filter((call) => call.startsWith('mount '));
    const remounts = kernel.calls.filter((call) => call.startsWith('remount '));
    expect(mounts.length).toBeGreaterThan(0);
    expect(remounts.length).toBeGreaterThan(0);
    expect(await kernel.mounted()).toEqual([]);
  });
});
