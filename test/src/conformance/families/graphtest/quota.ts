import { open } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from '@x/archive';
import type { Check } from '../../check.js';
import { expectEqual, fail } from '../../expectation.js';
import { baseTree, edit } from '../../fixtures/layers.js';

const MIB = 1024 * 1024;
const CHUNK = Buffer.alloc(MIB, 0x5a);

/** A limit on what a read-write layer takes. */
export const QUOTA_CHECKS: readonly Check[] = [
  {
    family: 'graphtest',
    name: 'a read-write layer takes what its size allows and no more (SetQuota)',
    timeout: 180_000,
    applicable: ({ capabilities }) => (capabilities.quota ? undefined : 'the driver has no quota'),
    run: async ({ driver, facts }) => {
      await driver.create('basis');
      await edit(driver, 'basis', baseTree(facts));
      await driver.createReadWrite('limited', 'basis', { storageOpt: { size: '50M' } });
      await driver.withMount('limited', async (root) => {
        expectEqual(await write(path.join(root, 'fits'), 25), undefined, 'writing 25 MiB of 50');
        const refused = await write(path.join(root, 'too-much'), 50);
        if (refused === 'EDQUOT' || refused === 'ENOSPC') return;
        fail(`75 MiB went into a layer of 50: expected EDQUOT or ENOSPC, found ${refused ?? 'no error'}`);
      });
    },
  },
];

/** Writes so many MiB through to the disk; gives the errno where that is refused. */
async function write(file: string, mebibytes: number): Promise<string | undefined> {
  const handle = await open(file, 'w');
  try {
    for (let written = 0; written < mebibytes; written++) await handle.write(CHUNK);
    await handle.sync();
    return undefined;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    return errno;
  } finally {
    await handle.close().catch(() => undefined);
  }
}
