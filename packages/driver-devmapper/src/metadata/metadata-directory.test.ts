import { readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { setFailpointHook } from '@x/layer-store/testing';
import { migrateLegacyMetadata } from './legacy-migration.js';
import { MetadataDirectory } from './metadata-directory.js';

const RECORD = { deviceId: 4, size: 1024, transactionId: 2, initialized: false, deleted: false };

let home: string;
let metadata: MetadataDirectory;
let damage: string[];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'dm-metadata-'));
  damage = [];
  metadata = new MetadataDirectory(home, (file) => damage.push(file));
  await metadata.open();
});

afterEach(async () => {
  setFailpointHook(undefined);
  await rm(home, { recursive: true });
});

const put = (name: string, text: string): Promise<void> => writeFile(join(home, 'metadata', name), text);

describe('the metadata directory', () => {
  it('is for root only, and its files too', async () => {
    await metadata.saveDevice('', RECORD);
    expect((await stat(metadata.path)).mode & 0o777).toBe(0o700);
    expect((await stat(join(metadata.path, 'base'))).mode & 0o777).toBe(0o600);
  });

  it('keeps one file per device, the base under its own name', async () => {
    await metadata.saveDevice('', { ...RECORD, deviceId: 1, initialized: true });
    await metadata.saveDevice('ab', RECORD);
    expect((await readdir(metadata.path)).toSorted()).toEqual(['ab', 'base']);
    expect(await metadata.loadDevice('ab')).toEqual(RECORD);
    const { devices } = await metadata.scan();
    expect([...devices.keys()].toSorted()).toEqual(['', 'ab']);
    await metadata.removeDevice('ab');
    await metadata.removeDevice('ab');
    expect(await metadata.loadDevice('ab')).toBeUndefined();
  });

  it('passes over everything that is no device', async () => {
    await put('.tmp12', '{');
    await put('.hidden', '{');
    await put('x.migrated', '{');
    await put('deviceset-metadata', '{"next_device_id":3}');
    await put('transaction-metadata', '{"open_transaction_id":3,"device_hash":"","device_id":3}');
    await mkdir(join(metadata.path, 'directory'));
    expect(await metadata.scan()).toEqual({ devices: new Map(), damaged: false });
    expect(damage).toEqual([]);
  });

  it('clears away what interrupted writes left', async () => {
    await put('.tmp12', '{');
    await metadata.open();
    expect(await readdir(metadata.path)).toEqual([]);
  });

  it('puts a damaged file aside, tells it, and goes on with the others', async () => {
    await metadata.saveDevice('good', RECORD);
    await put('bad', '{"device_id":');
    const { devices, damaged } = await metadata.scan();
    expect([...devices.keys()]).toEqual(['good']);
    expect(damaged).toBe(true);
    expect(damage).toEqual(['bad.corrupt']);
    expect(await readFile(join(metadata.path, 'bad.corrupt'), 'utf8')).toBe('{"device_id":');
    // Its id stays unknown, so later starts have to be as careful.
    expect((await metadata.scan()).damaged).toBe(true);
  });

  it('has the defaults where a home has no record of its pool, or a damaged one', async () => {
    expect(await metadata.loadDeviceSet()).toMatchObject({ nextDeviceId: 0, baseDeviceUuid: '' });
    await put('deviceset-metadata', 'x');
    expect(await metadata.loadDeviceSet()).toMatchObject({ nextDeviceId: 0 });
    expect(damage).toEqual(['deviceset-metadata.corrupt']);
  });

  it('gives a deleted device a hidden name, by way of the mark that Docker sets', async () => {
    await metadata.saveDevice('ab', RECORD);
    const states: string[][] = [];
    setFailpointHook((name, phase) => {
      if (phase === 'after') states.push([name, ...readdirSync(metadata.path)]);
    });
    const tombstone = await metadata.entomb('ab', RECORD);
    expect(tombstone).toBe('.deleted-4');
    expect(states).toEqual([
      ['delete.mark', 'ab'],
      ['delete.entomb', '.deleted-4'],
    ]);
    const { devices } = await metadata.scan();
    expect([...devices]).toEqual([['.deleted-4', { ...RECORD, deleted: true }]]);
  });
});

describe('the migration of the single file', () => {
  const single =
    '{"Devices":{"":{"device_id":0,"size":9,"transaction_id":1,"initialized":true},' +
    '"ab":{"device_id":1,"size":9,"transaction_id":2,"initialized":false}}}';
  const path = (name: string): string => join(home, 'devicemapper', name);

  beforeEach(async () => {
    await mkdir(join(home, 'devicemapper'));
    await writeFile(path('json'), single);
  });

  it('gives every device a file and puts the single one aside', async () => {
    expect(await migrateLegacyMetadata(home, metadata)).toBe(true);
    expect(await readFile(join(metadata.path, 'ab'), 'utf8')).toBe(
      '{"device_id":1,"size":9,"transaction_id":2,"initialized":false,"deleted":false}',
    );
    expect((await readdir(metadata.path)).toSorted()).toEqual(['ab', 'base']);
    expect(await readFile(path('json.migrated'), 'utf8')).toBe(single);
    expect(await migrateLegacyMetadata(home, metadata)).toBe(false);
  });

  it.each([['migration.device'], ['migration.done']])(
    'that ended before or after %s comes to the same result when it is repeated (M1)',
    async (point) => {
      for (const side of ['before', 'after'] as const) {
        setFailpointHook((name, phase) => {
          if (name === point && phase === side) throw new Error('killed');
        });
        await expect(migrateLegacyMetadata(home, metadata)).rejects.toThrow('killed');
        setFailpointHook(undefined);
        await migrateLegacyMetadata(home, metadata);
        expect((await metadata.scan()).devices.size).toBe(2);
        expect(await readdir(join(home, 'devicemapper'))).toEqual(['json.migrated']);
        await writeFile(path('json'), single);
      }
    },
  );

  it('changes nothing when the file is damaged', async () => {
    await writeFile(path('json'), single.slice(0, 50));
    await expect(migrateLegacyMetadata(home, metadata)).rejects.toMatchObject({
      code: 'DRIVER_STATE_DAMAGED',
    });
    expect(await readdir(metadata.path)).toEqual([]);
    expect(await readdir(join(home, 'devicemapper'))).toEqual(['json']);
  });
});
