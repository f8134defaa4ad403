import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from '@x/archive';
import type { DriverCapabilities } from '@x/layer-store';
import { mountsBelow, readMountInfo } from '@x/layer-store/driver-kit';
import { file, removed } from '../../appliers/index.js';
import type { Check } from '../../check.js';
import { expectCode, expectEqual, expectTrue, fail } from '../../expectation.js';
import { edit, randomContent } from '../../fixtures/layers.js';

const family = 'contract';

const FLAGS: readonly (keyof DriverCapabilities)[] = [
  'nativeDiff',
  'nativeChanges',
  'quota',
  'hardlinks',
  'reproducesExactDiffs',
  'mounts',
  'mountLabels',
  'rootless',
];

/** The manifest is whole and does not change, and what a driver says about itself and its layers is so. */
export const CAPABILITY_CHECKS: readonly Check[] = [
  {
    family,
    name: 'the manifest of capabilities is whole, frozen, and the same before and after open and close',
    run: async ({ driver, another, reopen }) => {
      const { capabilities } = driver;
      expectTrue(Object.isFrozen(capabilities), 'capabilities are frozen');
      for (const flag of FLAGS)
        expectEqual(typeof capabilities[flag], 'boolean', `type of capability ${flag}`);
      expectEqual(capabilities.reproducesExactDiffs, false, 'reproducesExactDiffs');
      expectTrue(
        ['delete', 'overlay', 'aufs'].includes(capabilities.whiteouts),
        `${capabilities.whiteouts} is a whiteout format`,
      );
      expectTrue(
        Number.isSafeInteger(capabilities.maxDepth) && capabilities.maxDepth >= 3,
        'maxDepth is an integer of at least 3: a layer, an init and a read-write layer',
      );
      const seen = { ...capabilities };
      const fresh = await another();
      expectEqual({ ...fresh.capabilities }, seen, 'capabilities before open');
      await fresh.open();
      expectEqual({ ...fresh.capabilities }, seen, 'capabilities after open');
      await fresh.close();
      expectEqual({ ...fresh.capabilities }, seen, 'capabilities after close');
      expectEqual({ ...(await reopen()).capabilities }, seen, 'capabilities of another instance');
    },
  },
  {
    family,
    name: 'the driver is called what its factory is called',
    run: async ({ driver, facts, home }) => {
      expectEqual(driver.name, facts.driverName, 'name');
      expectEqual(driver.home, home, 'home');
    },
  },
  {
    family,
    name: 'with the mounts capability a read-write layer in use is a mount, without it nothing is ever mounted',
    run: async ({ driver, facts, home }) => {
      await driver.create('basis');
      await edit(driver, 'basis', file('f', 'x'));
      await driver.createReadWrite('layer', 'basis');
      await driver.withMount('layer', async (root) => {
        const mounts = mountsBelow(await readMountInfo(), home).map(({ mountPoint }) => mountPoint);
        const holder = mounts.find((mount) => root === mount || root.startsWith(`${mount}/`));
        if (facts.capabilities.mounts)
          expectTrue(holder !== undefined, `${root} is on one of the mounts [${mounts.join(', ')}]`);
        else expectEqual(mounts, [], 'mounts below the home');
      });
      const left = mountsBelow(await readMountInfo(), home).map(({ mountPoint }) => mountPoint);
      const held = left.filter((mount) => mount !== home);
      if (!facts.capabilities.mounts) expectEqual(held, [], 'mounts below the home afterwards');
    },
  },
  {
    family,
    name: 'a driver that shares files by hard links never shows a change of one layer in another',
    applicable: ({ capabilities }) => (capabilities.hardlinks ? undefined : 'the driver shares no files'),
    run: async ({ driver }) => {
      await driver.create('basis');
      await edit(driver, 'basis', file('f', 'basis'), file('g', 'basis'));
      await driver.create('child', 'basis');
      await driver.createReadWrite('container', 'child');
      await edit(driver, 'container', file('f', 'container', { mode: 0o600 }), removed('g'));
      for (const id of ['basis', 'child']) {
        await driver.withMount(id, async (root) => {
          await file('f', 'basis').check(root);
          await file('g', 'basis').check(root);
        });
      }
    },
  },
  {
    family,
    name: 'without root only a driver that claims rootless runs at all',
    applicable: ({ root }) => (root ? 'running as root' : undefined),
    run: async ({ facts }) => {
      expectTrue(facts.capabilities.rootless, 'the driver claims rootless, since its probe lets it run here');
    },
  },
  {
    family,
    name: 'status is an ordered list of pairs of text, and the same when nothing has happened',
    run: async ({ driver }) => {
      await driver.create('layer');
      const status = await driver.status();
      for (const pair of status) {
        expectEqual(
          pair.map((field) => typeof field),
          ['string', 'string'],
          'types of a pair',
        );
        expectTrue(pair[0] !== '', 'a key is not empty');
      }
      const keys = (await driver.status()).map(([key]) => key);
      expectEqual(
        keys,
        status.map(([key]) => key),
        'keys of a second status',
      );
    },
  },
  {
    family,
    name: 'metadata is a record of text',
    run: async ({ driver }) => {
      await driver.create('layer');
      for (const [key, value] of Object.entries(await driver.metadata('layer'))) {
        expectEqual(typeof value, 'string', `type of metadata ${key}`);
      }
    },
  },
  {
    family,
    name: 'usage counts the bytes of a layer',
    run: async ({ driver }) => {
      await driver.create('layer');
      const before = await driver.usage('layer');
      await edit(driver, 'layer', file('f', randomContent(1_000_000, 5)));
      await driver.sync();
      const { bytes, inodes } = await driver.usage('layer');
      const grown = bytes - before.bytes;
      if (!(grown >= 1_000_000 && grown < 2_000_000))
        fail(`a file of 1 000 000 bytes added ${grown} bytes to the usage`);
      if (inodes !== undefined)
        expectTrue(Number.isSafeInteger(inodes) && inodes > 0, 'inodes is a number of inodes');
    },
  },
  {
    family,
    name: 'a file source has every file of a layer in the first of its roots that has the path, and keeps the layer until it is closed',
    run: async ({ driver }) => {
      await driver.create('basis');
      await edit(driver, 'basis', file('d/lower', 'lower'), file('d/both', 'old'));
      await driver.create('layer', 'basis');
      await edit(driver, 'layer', file('d/both', 'new'), file('d/upper', 'upper'));
      const source = await driver.fileSource('layer');
      for (const [name, content] of [
        ['d/both', 'new'],
        ['d/upper', 'upper'],
        ['d/lower', 'lower'],
      ] as const) {
        expectEqual(await firstFile(source.roots, name), content, `content of ${name}`);
      }
      await expectCode('DRIVER_BUSY', 'remove while a file source is open', () => driver.remove('layer'));
      await source.close();
      await source.close();
      await driver.remove('layer');
      await driver.remove('basis');
    },
  },
];

async function firstFile(roots: readonly string[], name: string): Promise<string | undefined> {
  for (const root of roots) {
    const content = await readFile(path.join(root, name), 'utf8').catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (content !== undefined) return content;
  }
  return undefined;
}
