import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DevmapperDriver } from '../devmapper-driver.js';
import type { DevmapperOptions } from '../options/options.js';
import { SMALL_HOME } from './small-home.test-support.js';

const SCRATCH = process.env.LAYER_STORE_SCRATCH ?? '/run/scratch';
const MIB = 1 << 20;

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
