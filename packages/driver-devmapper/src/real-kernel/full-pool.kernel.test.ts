import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DevmapperDriver } from '../devmapper-driver.js';
import { activeDevices, attachedLoops, DriverBench } from './driver-bench.test-support.js';

const MIB = 1024 ** 2;
/** Different in every block, so that a lost or exchanged block shows. */
const block = (seed: string, index: number): Buffer => {
  const line = createHash('sha256').update(`${seed} ${index}`).digest();
  return Buffer.alloc(MIB, line);
};

/** Writes and syncs `mebibytes`; gives the errno that stopped it. */
async function fill(path: string, seed: string, mebibytes: number): Promise<string | undefined> {
  const file = await open(path, 'w');
  let failure: string | undefined;
  try {
    for (let index = 0; index < mebibytes && failure === undefined; index += 1) {
      await file.write(block(seed, index), 0, MIB, index * MIB);
      await file.datasync();
    }
  } catch (error) {
    failure = (error as NodeJS.ErrnoException).code;
  }
  await file.close();
  return failure;
}

function expectContent(path: string, seed: string, mebibytes: number): void {
  const content = readFileSync(path);
  expect(content.length).toBe(mebibytes * MIB);
  for (let index = 0; index < mebibytes; index += 1) {
    expect(content.subarray(index * MIB, (index + 1) * MIB).equals(block(seed, index))).toBe(true);
  }
}

describe('a pool that runs full on a real kernel', () => {
  let bench: DriverBench;

  beforeEach(async () => {
    bench = await DriverBench.open();
  });
  afterEach(async () => {
    await bench[Symbol.asyncDispose]();
    expect(activeDevices()).toEqual([]);
    expect(attachedLoops()).toEqual([]);
  });

  const mode = async (driver: DevmapperDriver): Promise<string | undefined> =>
    new Map(await driver.status()).get('Pool Mode');

  /** thin_check fails on damage. */
  const checkMetadata = (): void => {
    execFileSync('thin_check', [join(bench.home, 'devicemapper', 'metadata')], { stdio: 'pipe' });
  };

  it('of data, failing writes: layers stay whole, nothing is made, deleting helps', async () => {
    const options = {
      'dm.loopdatasize': '80M',
      'dm.basesize': '128M',
      'dm.pool_error_if_no_space': 'true',
      'dm.min_free_space': '10%',
    };
    const driver = await bench.driver(options);
    await driver.create('kept');
    await driver.withMount('kept', async (path) => {
      expect(await fill(join(path, 'file'), 'kept', 16)).toBeUndefined();
    });
    await driver.create('greedy', 'kept');
    const path = await driver.get('greedy');
    expect(await fill(join(path, 'greedy'), 'greedy', 80)).toMatch(/ENOSPC|EIO|EROFS/);
    expect(await mode(driver)).toBe('out_of_data_space');
    await expect(driver.create('next')).rejects.toMatchObject({ code: 'DRIVER_POOL_FULL' });
    await driver.put('greedy').catch(() => undefined);
    await driver.remove('greedy');
    expect(await mode(driver)).toBe('rw');
    await driver.create('next', 'kept');
    await driver.withMount('next', async (mounted) => {
      expectContent(join(mounted, 'file'), 'kept', 16);
      expect(await fill(join(mounted, 'another'), 'next', 4)).toBeUndefined();
    });
    await driver.close();
    checkMetadata();
    const again = await bench.driver(options);
    expect(await again.list()).toEqual(['kept', 'next']);
    await again.withMount('next', async (mounted) => {
      expectContent(join(mounted, 'file'), 'kept', 16);
      expectContent(join(mounted, 'another'), 'next', 4);
    });
  });

  it('of data, queueing writes: who waits goes on when the pool grows', async () => {
    const driver = await bench.driver({ 'dm.loopdatasize': '64M', 'dm.basesize': '64M' });
    await driver.create('a');
    const path = await driver.get('a');
    const writing = fill(join(path, 'file'), 'a', 48);
    const filled = async (): Promise<boolean> => (await mode(driver)) === 'out_of_data_space';
    const others = (async () => {
      while (!(await filled())) {
        const status = new Map(await driver.status());
        if ((await stat(join(path, 'file')).catch(() => undefined))?.size === 48 * MIB) return status;
      }
      return undefined;
    })();
    await others;
    await driver.deviceSet.growPool({ data: 128 * MIB });
    expect(await writing).toBeUndefined();
    expect(await mode(driver)).toBe('rw');
    expectContent(join(path, 'file'), 'a', 48);
    await driver.put('a');
    await driver.close();
    checkMetadata();
  });

  /** A layer with so many blocks that its mapping has several leaves. */
  async function makeKept(driver: DevmapperDriver): Promise<void> {
    await driver.create('kept');
    await driver.withMount('kept', async (path) => {
      expect(await fill(join(path, 'file'), 'kept', 30)).toBeUndefined();
    });
  }

  /** Makes layers until it is refused. Blocks of its own, far apart, cost each one metadata, data hardly. */
  async function makeMany(driver: DevmapperDriver): Promise<{ made: string[]; refused: unknown }> {
    const made: string[] = [];
    for (let index = 0; index < 400; index += 1) {
      const id = `layer-${index}`;
      try {
        await driver.create(id, 'kept');
        made.push(id);
        const record = await driver.deviceSet.find(id);
        if (record === undefined) throw new Error('no record');
        await driver.deviceSet.withActive(id, record, async (path) => {
          await using device = await open(path, 'r+');
          for (const at of [2, 12, 22, 32, 42])
            await device.write(Buffer.alloc(4096, index), 0, 4096, at * MIB);
          await device.sync();
        });
      } catch (refused) {
        return { made, refused };
      }
    }
    return { made, refused: undefined };
  }

  it('of metadata: the gate stops in time, and deleting helps', async () => {
    // The least metadata there can be: 512 blocks.
    const driver = await bench.driver({ 'dm.loopmetadatasize': '2M', 'dm.min_free_space': '15%' });
    await makeKept(driver);
    const { made, refused } = await makeMany(driver);
    expect(refused).toMatchObject({
      code: 'DRIVER_POOL_FULL',
      message: expect.stringContaining('metadata blocks'),
    });
    expect(await mode(driver)).toBe('rw');
    expect(await driver.list()).toEqual(['kept', ...made].toSorted());
    for (const id of made) await driver.remove(id);
    await driver.create('after', 'kept');
    await driver.close();
    checkMetadata();
  });

  it('of metadata, without the gate: read-only, refused with what to do, and writable again when it grows', async () => {
    const driver = await bench.driver({ 'dm.loopmetadatasize': '2M' });
    await makeKept(driver);
    const { refused } = await makeMany(driver);
    expect(refused).toBeDefined();
    await expect(driver.create('another', 'kept')).rejects.toMatchObject({
      code: 'DRIVER_POOL_UNUSABLE',
      message: expect.stringContaining('growPool'),
    });
    expect(await mode(driver)).toBe('ro');
    await driver.deviceSet.growPool({ metadata: 8 * MIB });
    expect(await mode(driver)).toBe('rw');
    await driver.create('after', 'kept');
    await driver.close();
    checkMetadata();
    const again = await bench.driver({ 'dm.loopmetadatasize': '8M' });
    await again.withMount('after', async (path) => expectContent(join(path, 'file'), 'kept', 30));
  });
});
