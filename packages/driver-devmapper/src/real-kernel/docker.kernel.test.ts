import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DevmapperDriver } from '../devmapper-driver.js';
import type { DevmapperOptions } from '../options/options.js';
import { SMALL_HOME } from './small-home.test-support.js';

/** Docker's own layer store as a command, see test/kernel. */
const DOCKER = '/usr/local/bin/moby-layer';
const SCRATCH = process.env.LAYER_STORE_SCRATCH ?? '/run/scratch';
const DOCKER_OPTIONS =
  'dm.override_udev_sync_check=true dm.loopdatasize=256M dm.loopmetadatasize=8M dm.basesize=48M dm.fs=ext4 dm.min_free_space=0%';

interface DockerResult {
  readonly op: string;
  readonly chainID?: string;
  readonly diffID?: string;
  readonly digest?: string;
}

let root: string;
let home: string;

beforeEach(async () => {
  root = await mkdtemp(join(SCRATCH, 'docker-'));
  home = join(root, 'devicemapper');
});

afterEach(() => rm(root, { recursive: true }));

function docker(...args: string[]): DockerResult[] {
  const all = ['-root', root, '-driver', 'devicemapper', '-opts', DOCKER_OPTIONS, ...args];
  const output = execFileSync(DOCKER, all, {
    env: { ...process.env, DM_DISABLE_UDEV: '1' },
    // It complains about udev, which is the option's point.
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  expect(activeDevices()).toBe('');
  return output
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as DockerResult);
}

const activeDevices = (): string =>
  execFileSync('dmsetup', ['ls']).toString().replace('No devices found\n', '');

function makeTar(name: string, files: Readonly<Record<string, string>>): string {
  const tree = join(root, `tree-${name}`);
  mkdirSync(tree);
  for (const [file, content] of Object.entries(files)) writeFileSync(join(tree, file), content);
  const tar = join(root, `${name}.tar`);
  execFileSync('tar', ['-cf', tar, '-C', tree, ...Object.keys(files)]);
  return tar;
}

const sha256 = (file: string): string =>
  `sha256:${createHash('sha256').update(readFileSync(file)).digest('hex')}`;

const ours = (options: DevmapperOptions = {}): DevmapperDriver =>
  new DevmapperDriver({ home, ...SMALL_HOME, ...options });

const record = (name: string): string => readFileSync(join(home, 'metadata', name), 'utf8');

/** Ids that Docker gave its layers, the one with `file` first. */
async function layerWith(driver: DevmapperDriver, file: string): Promise<string> {
  for (const id of await driver.list()) {
    const found = await driver.withMount(id, async (path) => existsSync(join(path, file)));
    if (found) return id;
  }
  throw new Error(`no layer has ${file}`);
}

describe('a home of Docker', () => {
  it('is opened, continued and thinned out here, and Docker goes on with it', async () => {
    const lower = makeTar('lower', { one: 'first', two: 'second' });
    const upper = makeTar('upper', { one: 'changed' });
    const [, first, second] = docker('register', lower, upper);
    const docker1 = record('base');
    expect(docker1).toMatch(
      /^\{"device_id":1,"size":50331648,"transaction_id":1,"initialized":true,"deleted":false\}/,
    );
    {
      await using driver = ours();
      await driver.open();
      expect(await driver.list()).toHaveLength(2);
      const bottom = await layerWith(driver, 'two');
      const top = (await driver.list()).find((id) => id !== bottom) ?? '';
      const read = (id: string): Promise<string> =>
        driver.withMount(id, async (path) => readFileSync(join(path, 'one'), 'utf8'));
      expect([await read(bottom), await read(top)].toSorted()).toEqual(['changed', 'first']);
      expect(record('base')).toBe(docker1);

      await driver.createReadWrite('edited', top);
      await driver.withMount('edited', async (path) => writeFileSync(join(path, 'three'), 'ours'));
      expect(record('edited')).toMatch(
        /^\{"device_id":\d+,"size":50331648,"transaction_id":\d+,"initialized":false,"deleted":false\}$/,
      );
    }
    // Both layers come out of Docker byte for byte, and it makes and removes read-write layers on them.
    for (const [tar, layer] of [
      [lower, first],
      [upper, second],
    ] as const) {
      const exported = docker('export', layer?.chainID ?? '').at(-1);
      expect(exported?.digest).toBe(sha256(tar));
    }
    docker('-n', '2', 'rw', second?.chainID ?? '');
    {
      await using driver = ours();
      await driver.open();
      expect(await driver.list()).toHaveLength(3);
      await driver.withMount('edited', async (path) => {
        expect(readdirSync(path).toSorted()).toEqual(['one', 'three', 'two']);
      });
      for (const id of await driver.list()) await driver.remove(id);
    }
    expect(readdirSync(join(home, 'metadata')).toSorted()).toEqual([
      'base',
      'deviceset-metadata',
      'transaction-metadata',
    ]);
    docker('register', makeTar('again', { four: 'later' }));
  });

  it('that died in a transaction is put right here', async () => {
    docker('register', makeTar('layer', { one: 'first' }));
    const { open_transaction_id: last } = JSON.parse(record('transaction-metadata')) as {
      open_transaction_id: number;
    };
    // As Docker leaves it when it dies between the announcement and the pool.
    writeFileSync(
      join(home, 'metadata/transaction-metadata'),
      JSON.stringify({ open_transaction_id: last + 1, device_hash: 'f'.repeat(64), device_id: 77 }),
    );
    await using driver = ours();
    await driver.open();
    expect(await driver.list()).toHaveLength(1);
    expect(existsSync(join(home, 'metadata/transaction-metadata'))).toBe(false);
  });
});

describe('a home made here', () => {
  it('is opened by Docker, which registers, exports, makes and removes layers in it', async () => {
    {
      await using driver = ours();
      await driver.open();
      await driver.create('bottom');
      await driver.withMount('bottom', async (path) => writeFileSync(join(path, 'file'), 'ours'));
      await driver.create('top', 'bottom');
      await driver.create('gone', 'top');
      await driver.remove('gone');
    }
    docker('open');
    const tar = makeTar('layer', { one: 'of Docker' });
    const layer = docker('register', tar).at(-1);
    expect(docker('export', layer?.chainID ?? '').at(-1)?.digest).toBe(sha256(tar));
    docker('-n', '2', 'rw', layer?.chainID ?? '');
    // What we add to its file is gone when Docker has written it, and comes back with us.
    expect(JSON.parse(record('deviceset-metadata'))).not.toHaveProperty('prefix');
    {
      await using driver = ours();
      await driver.open();
      expect(await driver.list()).toEqual(expect.arrayContaining(['bottom', 'top']));
      expect(await driver.list()).toHaveLength(3);
      await driver.withMount('top', async (path) => {
        expect(readFileSync(join(path, 'file'), 'utf8')).toBe('ours');
      });
      const theirs = (await driver.list()).find((id) => id !== 'bottom' && id !== 'top') ?? '';
      await driver.withMount(theirs, async (path) => {
        expect(readFileSync(join(path, 'one'), 'utf8')).toBe('of Docker');
      });
      await driver.remove('top');
    }
    docker('open');
    execFileSync('thin_check', ['-q', join(home, 'devicemapper/metadata')]);
  });
});
