import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { native } from '@x/native';
import { lockFile, tryLockFile } from './file-lock.js';

const withAddon = native.available ? it : it.skip;

describe('locks between processes', () => {
  let directory: string;
  let file: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'aufs-lock-'));
    file = join(directory, 'lock');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  withAddon('shared ones go together, an exclusive one with none', async () => {
    const one = await lockFile(file, 'shared');
    const two = await lockFile(file, 'shared');
    expect(await tryLockFile(file)).toBeUndefined();
    await one.close();
    expect(await tryLockFile(file)).toBeUndefined();
    await two.close();
    const alone = await tryLockFile(file);
    expect(alone).toBeDefined();
    await alone?.close();
  });

  withAddon('who waits gets it when it is free', async () => {
    const first = await lockFile(file, 'exclusive');
    let got = false;
    const second = lockFile(file, 'exclusive').then((lock) => {
      got = true;
      return lock;
    });
    const third = await tryLockFile(file);
    expect([third, got]).toEqual([undefined, false]);
    await first.close();
    await (await second).close();
    expect(got).toBe(true);
  });

  it('a directory that is not there is an error, not a lock', async () => {
    await expect(lockFile(join(directory, 'no/lock'), 'shared')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
