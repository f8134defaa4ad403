import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { layerSource } from '@x/layer-store';
import { DevmapperDriver } from '../devmapper-driver.js';
import type { DevmapperOptions } from '../options/options.js';
import { assertMutable } from '../pool/pool-usability.js';
import { SMALL_HOME } from './small-home.test-support.js';

const SCRATCH = process.env.LAYER_STORE_SCRATCH ?? '/run/scratch';
const MIB = 1 << 20;
/** Seconds that a full pool makes writers wait; dm-thin's own default is a minute. */
const NO_SPACE_TIMEOUT = '/sys/module/dm_thin_pool/parameters/no_space_timeout';

let base: string;
let home: string;

beforeEach(async () => {
  base = await mkdtemp(join(SCRATCH, 'limits-'));
  home = join(base, 'devicemapper');
});

afterEach(async () => {
  expect(execFileSync('dmsetup', ['ls']).toString()).toContain('No devices found');
  expect(execFileSync('losetup', ['-a']).toString()).toBe('');
  execFileSync('thin_check', ['-q', join(home, 'devicemapper/metadata')]);
  await rm(base, { recursive: true });
});

async function opened(options: DevmapperOptions = {}): Promise<DevmapperDriver> {
  const driver = new DevmapperDriver({ home, ...SMALL_HOME, ...options });
  await driver.open();
  return driver;
}

function layerOf(megabytes: number): ReturnType<typeof layerSource> {
  const tree = join(base, 'tree');
  execFileSync('mkdir', ['-p', tree]);
  // Not zeros: nothing on the way may leave them out.
  writeFileSync(join(tree, 'big'), Buffer.alloc(megabytes * MIB, 'full '));
  const tar = execFileSync('tar', ['-cf', '-', '-C', tree, 'big'], { maxBuffer: 200 * MIB });
  return layerSource(
    (async function* () {
      yield tar;
    })(),
  );
}

describe('a pool that is full', () => {
  for (const errorIfNoSpace of [true, false]) {
    it(`of data ${errorIfNoSpace ? 'at once' : 'after a wait'} refuses the layer with a code, and recovers with a removal`, async () => {
      if (!errorIfNoSpace) writeFileSync(NO_SPACE_TIMEOUT, '2');
      await using driver = await opened({
        loopDataSize: 40 * MIB,
        poolErrorIfNoSpace: errorIfNoSpace,
        blkDiscard: false,
      });
      await driver.create('small');
      await driver.withMount('small', async (path) => writeFileSync(join(path, 'file'), 'small'));
      await driver.create('big');
      await expect(driver.applyDiff('big', undefined, layerOf(36))).rejects.toMatchObject({
        code: 'DRIVER_POOL_FULL',
      });
      expect(new Map(await driver.status()).get('Pool Mode')).toBe('out_of_data_space');
      await driver.remove('big');
      expect(new Map(await driver.status()).get('Pool Mode')).toBe('rw');
      await driver.withMount('small', async (path) => {
        expect(readFileSync(join(path, 'file'), 'utf8')).toBe('small');
      });
      await driver.create('next');
      expect(await driver.applyDiff('next', undefined, layerOf(1))).toBe(MIB);
    });
  }

  it('of metadata makes no layer more, and goes on after removals', async () => {
    const size = { loopMetadataSize: 2 * MIB };
    const first = await opened(size);
    const { used, total } = assertMutable(await first.deviceSet.core.pool.status(), 'pool').metadata;
    await first.close();
    // Room for a few layers, each of which takes some blocks of metadata.
    const minFreeSpace = Math.floor(((total - used - 20) * 100) / total);
    await using driver = await opened({ ...size, minFreeSpace });
    const made: string[] = [];
    const fill = async (): Promise<void> => {
      for (;;) {
        const id = `layer-${made.length}`;
        await driver.create(id);
        made.push(id);
      }
    };
    await expect(fill()).rejects.toMatchObject({
      code: 'DRIVER_POOL_FULL',
      message: expect.stringContaining('metadata'),
    });
    expect(made.length).toBeGreaterThan(3);
    expect(await driver.list()).toHaveLength(made.length);
    for (const id of made) await driver.remove(id);
    await driver.create('again');
  });
});

describe('device ids', () => {
  it('wrap at 24 bits and pass over what is taken', async () => {
    await (await opened()).close();
    const file = join(home, 'metadata/deviceset-metadata');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace(/"next_device_id":\d+/, '"next_device_id":16777214'));
    await using driver = await opened();
    for (const id of ['a', 'b', 'c']) await driver.create(id);
    const ids = await Promise.all(['a', 'b', 'c'].map(async (id) => (await driver.metadata(id)).DeviceId));
    // 1 is the base device's.
    expect(ids).toEqual(['16777215', '0', '2']);
  });

  it('that the pool has without a record of it are passed over', async () => {
    await using driver = await opened();
    await driver.create('a');
    const { pool, ids } = driver.deviceSet.core;
    await pool.createThin(ids.last + 1);
    await driver.create('b', 'a');
    expect(await driver.metadata('b')).toMatchObject({ DeviceId: String(ids.last) });
    await pool.deleteThin(ids.last - 1);
  });
});

describe('another mount namespace', () => {
  let child: ChildProcess | undefined;

  afterEach(() => {
    child?.kill('SIGKILL');
  });

  /** A process with a copy of every mount, in `directory`; its first line of output comes when it is there. */
  async function inNamespace(directory: string): Promise<ChildProcess> {
    const args = [
      '--mount',
      '--propagation',
      'private',
      'sh',
      '-c',
      'cd "$0" && echo there && exec sleep 1000',
      directory,
    ];
    child = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    if (child.stdout !== null) await once(child.stdout, 'data');
    return child;
  }

  it('with a copy of a mount does not keep its device (MountLeaks)', async () => {
    await using driver = await opened({ deferredRemoval: false, deferredDeletion: false });
    await driver.create('a');
    await driver.get('a');
    await inNamespace('/');
    await driver.put('a');
    expect(await driver.deviceSet.hasActivatedDevice('a')).toBe(false);
    await driver.remove('a');
  });

  it('where somebody works in a layer does not keep it from being removed; the worker finishes that later', async () => {
    await using driver = await opened();
    await driver.create('a');
    const holder = await inNamespace(await driver.get('a'));
    await driver.put('a');
    await driver.remove('a');
    expect(await driver.exists('a')).toBe(false);
    expect(readdirSync(join(home, 'metadata')).some((name) => name.startsWith('.deleted-'))).toBe(true);
    expect(new Map(await driver.status()).get('Deferred Deleted Device Count')).toBe('1');
    await driver.create('a');
    await driver.withMount('a', async (path) => writeFileSync(join(path, 'new'), ''));

    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await driver.deviceSet.deleteTombstones();
    expect(new Map(await driver.status()).get('Deferred Deleted Device Count')).toBe('0');
    expect(await driver.list()).toEqual(['a']);
  });
});

describe('many', () => {
  it('layers at once are made, mounted, unmounted and removed without a leak', async () => {
    await using driver = await opened({ loopMetadataSize: 16 * MIB });
    await driver.create('parent');
    await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const id = `layer-${index}`;
        await driver.createReadWrite(id, 'parent');
        await driver.withMount(id, async (path) => writeFileSync(join(path, id), id));
        await driver.remove(id);
      }),
    );
    expect(await driver.list()).toEqual(['parent']);
    expect(execFileSync('dmsetup', ['ls']).toString().trim().split('\n')).toHaveLength(1);
  });

  it('layers, two hundred of them, are found again', async () => {
    const ids = Array.from({ length: 200 }, (_, index) => `layer-${String(index).padStart(3, '0')}`);
    {
      await using driver = await opened({ loopMetadataSize: 16 * MIB });
      let parent: string | undefined;
      for (const id of ids) {
        await driver.create(id, parent);
        parent = id;
      }
    }
    await using driver = await opened();
    expect(await driver.list()).toEqual(ids);
    const top = ids.at(-1) ?? '';
    await driver.withMount(top, async (path) => expect(readdirSync(path)).toEqual([]));
    for (const id of ids) await driver.remove(id);
  });
});
