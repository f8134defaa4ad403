import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Level } from 'level';
import { setFailpointHook } from '../failpoint/failpoint-set.js';
import { ensureDatabase } from './new-database.js';

let directory: string;
let location: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'database-'));
  location = path.join(directory, 'db');
});
afterEach(async () => {
  setFailpointHook(undefined);
  await rm(directory, { recursive: true });
});

describe('ensureDatabase', () => {
  it.each([true, false])(
    'makes an empty database under its name and leaves nothing beside it (sync %j)',
    async (sync) => {
      await ensureDatabase(location, sync);
      expect(await readdir(directory)).toEqual(['db']);
      const level = new Level(location, { createIfMissing: false });
      await level.open();
      expect(await level.keys().all()).toEqual([]);
      await level.close();
    },
  );

  it('leaves one that is there alone', async () => {
    const level = new Level(location);
    await level.put('key', 'value');
    await level.close();
    const before = await readdir(location);
    await ensureDatabase(location, true);
    expect(await readdir(location)).toEqual(before);
  });

  it('until it is complete nothing has its name; what a dead process began is thrown away', async () => {
    setFailpointHook((name) => {
      if (name === 'open.publish-database') throw new Error('died');
    });
    await expect(ensureDatabase(location, true)).rejects.toThrow('died');
    expect(await readdir(directory)).toEqual(['db.new']);
    setFailpointHook(undefined);
    await writeFile(path.join(directory, 'db.new', 'MANIFEST-000009'), '');
    await mkdir(path.join(directory, 'db.new', 'more'));
    await ensureDatabase(location, true);
    expect(await readdir(directory)).toEqual(['db']);
    expect(await readdir(location)).not.toContain('more');
  });
});
