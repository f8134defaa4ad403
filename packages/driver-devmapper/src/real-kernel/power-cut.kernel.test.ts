import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Layer, LayerStore } from '@x/layer-store';
import { devicemapperDriver } from '../factory.js';
import { type LoggedWrite, readWriteLog, replay } from './write-log.test-support.js';

const SCRATCH = process.env.LAYER_STORE_SCRATCH ?? '/run/scratch';
const [DISK = '', LOG = ''] = (process.env.LAYER_STORE_BLOCK_DEVICES ?? '').split(' ');
const MIB = 1 << 20;
const DISK_SIZE = 320 * MIB;
const LOGGED = 'layer-store-power-cut';
/** How often the power goes. */
const CUTS = 50;

let base: string;
let mountPoint: string;

beforeEach(async () => {
  base = await mkdtemp(join(SCRATCH, 'power-'));
  mountPoint = join(base, 'mnt');
  mkdirSync(mountPoint);
});

afterEach(() => rm(base, { recursive: true }));

const run = (program: string, ...args: string[]): string => execFileSync(program, args).toString();
/** The target takes one word. Everything marked before is on the disk of every cut that comes after the mark. */
const mark = (text: string): string => run('dmsetup', 'message', LOGGED, '0', 'mark', text);

const openStore = (): Promise<LayerStore> =>
  LayerStore.open({
    root: join(mountPoint, 'store'),
    driver: 'devicemapper',
    drivers: [devicemapperDriver],
    driverOptions: {
      'dm.fs': 'ext4',
      'dm.basesize': '32M',
      'dm.loopdatasize': '160M',
      'dm.loopmetadatasize': '4M',
      'dm.min_free_space': '0%',
    },
  });

/** A layer of some files, and its digest. */
function tarOf(name: string): { readonly bytes: Buffer; readonly diffId: string } {
  const tree = join(base, name);
  mkdirSync(tree);
  for (let index = 0; index < 10; index++) {
    writeFileSync(join(tree, `${name}-${index}`), `${name} ${index} `.repeat(500));
  }
  const bytes = execFileSync('tar', ['-cf', '-', '-C', tree, '.']);
  return { bytes, diffId: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}

async function digestOf(layer: Layer): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of layer.tarStream()) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}

/** Chains whose registration had returned at the cut and whose deletion had not begun. */
function promisedBy(marks: readonly string[]): ReadonlySet<string> {
  const there = new Set<string>();
  for (const text of marks) {
    const [event, chain = ''] = text.split('=');
    if (event === 'registered') there.add(chain);
    if (event === 'deleting') there.delete(chain);
  }
  return there;
}

/** Registers, commits and deletes on the logged disk; gives digests by chain id. */
async function work(): Promise<ReadonlyMap<string, string>> {
  const digests = new Map<string, string>();
  await using store = await openStore();
  mark('opened');
  let parent: Layer | undefined;
  const layers: Layer[] = [];
  for (const name of ['one', 'two', 'three']) {
    const { bytes, diffId } = tarOf(name);
    const layer: Layer = await store.register(
      (async function* () {
        yield bytes;
      })(),
      parent?.chainId,
    );
    digests.set(layer.chainId, diffId);
    mark(`registered=${layer.chainId}`);
    layers.push(layer);
    parent = layer;
  }
  const rw = await store.createRWLayer('edit', parent?.chainId);
  const path = await rw.mount();
  writeFileSync(join(path, 'edited'), 'edited '.repeat(1000));
  const committed = await store.commit(rw);
  digests.set(committed.chainId, committed.diffId);
  mark(`registered=${committed.chainId}`);
  await rw.unmount();
  await store.releaseRWLayer(rw);
  mark(`deleting=${committed.chainId}`);
  await store.release(committed);
  mark(`deleted=${committed.chainId}`);
  const top = layers.at(-1);
  if (top !== undefined) {
    mark(`deleting=${top.chainId}`);
    await store.release(top);
    mark(`deleted=${top.chainId}`);
  }
  return digests;
}

/** Copies of the disk as a cut leaves it, one per chosen moment, with the marks before it. */
async function* cuts(): AsyncGenerator<{ readonly image: string; readonly marks: readonly string[] }> {
  const writes: LoggedWrite[] = [];
  for await (const write of readWriteLog(LOG)) writes.push(write);
  const opened = writes.findIndex((write) => write.kind === 'mark' && write.text === 'opened');
  expect(opened).toBeGreaterThan(0);
  const moments = writes.flatMap((write, index) =>
    index > opened && (write.kind === 'mark' || write.durable) ? [index] : [],
  );
  expect(moments.length).toBeGreaterThan(CUTS);
  const chosen = new Set(
    Array.from({ length: CUTS }, (_, cut) => moments[Math.floor((cut * (moments.length - 1)) / (CUTS - 1))]),
  );
  const disk = join(base, 'disk.img');
  const image = join(base, 'cut.img');
  const marks: string[] = [];
  await using log = await open(LOG, 'r');
  await using target = await open(disk, 'w+');
  await target.truncate(DISK_SIZE);
  for (const [index, write] of writes.entries()) {
    if (write.kind === 'mark') marks.push(write.text);
    else await replay(log, write, target);
    if (!chosen.has(index)) continue;
    run('cp', '--sparse=always', disk, image);
    yield { image, marks };
  }
}

/** The store as the cut left it, opened: every layer that was promised, and each that is there with its own bytes. */
async function expectWhole(marks: readonly string[], digests: ReadonlyMap<string, string>): Promise<void> {
  {
    await using store = await openStore();
    const found = [...store.map().keys()].map(String);
    expect(found).toEqual(expect.arrayContaining([...promisedBy(marks)]));
    for (const chain of found) {
      // One whose registration was under way may be there, whole; one whose deletion had returned may not.
      expect(marks).not.toContain(`deleted=${chain}`);
      expect(await digestOf(await store.get(chain))).toBe(digests.get(chain));
    }
  }
  run('thin_check', '-q', join(mountPoint, 'store/devicemapper/devicemapper/metadata'));
}

describe('a power cut', () => {
  it('loses no layer whose registration had returned and shows none that was deleted, wherever it comes', async () => {
    run('dmsetup', 'create', LOGGED, '--table', `0 ${DISK_SIZE / 512} log-writes ${DISK} ${LOG}`);
    let digests: ReadonlyMap<string, string>;
    try {
      const device = `/dev/dm-${run('dmsetup', 'info', '-c', '--noheadings', '-o', 'minor', LOGGED).trim()}`;
      run('mkfs.ext4', '-q', device);
      run('mount', device, mountPoint);
      try {
        digests = await work();
      } finally {
        run('umount', mountPoint);
      }
    } finally {
      run('dmsetup', 'remove', LOGGED);
    }
    let count = 0;
    for await (const { image, marks } of cuts()) {
      run('mount', '-o', 'loop', image, mountPoint);
      try {
        await expectWhole(marks, digests);
      } catch (error) {
        throw new Error(`cut ${count}, after ${marks.join(' ')}: ${String(error)}`, { cause: error });
      } finally {
        run('umount', mountPoint);
      }
      count += 1;
    }
    expect(count).toBe(CUTS);
  }, 3_600_000);
});
