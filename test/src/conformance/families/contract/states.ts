import type { Driver } from '@x/layer-store';
import { file } from '../../appliers/index.js';
import type { Check } from '../../check.js';
import { expectCode, expectEqual, expectSameMembers, expectTrue, fail } from '../../expectation.js';
import { edit, randomContent, verify } from '../../fixtures/layers.js';
import { OPERATIONS } from './operations.js';

const family = 'contract';

/** A driver is new, opening, open, closing or closed, and only one that is open works. */
export const STATE_CHECKS: readonly Check[] = [
  {
    family,
    name: 'a driver that was not opened refuses everything, and can be closed',
    run: async ({ another }) => {
      const driver = await another();
      await expectAllClosed(driver, 'before open');
      await driver.close();
      await expectAllClosed(driver, 'after closing what was never open');
    },
  },
  {
    family,
    name: 'a driver that is opening refuses everything, and works once it is open',
    run: async ({ another }) => {
      const driver = await another();
      const opening = driver.open();
      const early = driver.create('early').then(
        () => undefined,
        (error: unknown) => error,
      );
      await opening;
      await expectCode('DRIVER_CLOSED', 'create while the driver opens', async () => {
        throw await early;
      });
      await driver.create('layer');
      expectEqual(await driver.list(), ['layer'], 'layers');
    },
  },
  {
    family,
    name: 'opening twice, one after the other or at once, is opening once',
    run: async ({ driver, another, home }) => {
      await driver.create('layer');
      await driver.open();
      expectEqual(await driver.list(), ['layer'], 'layers after a second open');
      await driver.close();
      const next = await another(home);
      await Promise.all([next.open(), next.open(), next.open()]);
      expectEqual(await next.list(), ['layer'], 'layers after three opens at once');
    },
  },
  {
    family,
    name: 'a closed driver refuses everything, can be closed again, and opened again',
    run: async ({ driver }) => {
      await driver.create('layer');
      await edit(driver, 'layer', file('f', 'kept'));
      await Promise.all([driver.close(), driver.close()]);
      await driver.close();
      await expectAllClosed(driver, 'after close');
      await driver.open();
      await verify(driver, 'layer', file('f', 'kept'));
    },
  },
  {
    family,
    name: 'a closing driver refuses what is new, and lets go of what is in use',
    run: async ({ driver, reopen }) => {
      await driver.create('layer');
      await edit(driver, 'layer', file('f', randomContent(1_000_000, 1)));
      const diff = driver.diff('layer');
      const chunks = diff[Symbol.asyncIterator]();
      expectTrue((await chunks.next()).done !== true, 'the diff has a first chunk');
      await driver.get('layer');
      const closing = driver.close();
      const refused = await Promise.allSettled(
        OPERATIONS.filter(({ givesUp }) => givesUp !== true).map((operation) =>
          operation.run(driver, operation.name),
        ),
      );
      await driver.put('layer');
      await closing;
      for (const [index, result] of refused.entries()) {
        const { name } = OPERATIONS.filter(({ givesUp }) => givesUp !== true)[index] ?? { name: '' };
        await expectCode('DRIVER_CLOSED', `${name} while the driver closes`, async () => {
          if (result.status === 'rejected') throw result.reason;
        });
      }
      const again = await reopen();
      await again.remove('layer');
      expectEqual(await again.list(), [], 'layers');
    },
  },
  {
    family,
    name: 'close waits for what is under way: a layer is made and there, or refused and absent',
    run: async ({ driver, reopen }) => {
      await driver.create('parent');
      await edit(driver, 'parent', file('f', randomContent(100_000, 2)));
      const ids = Array.from({ length: 8 }, (_, index) => `child-${index}`);
      const creating = ids.map((id) => driver.create(id, 'parent'));
      const closing = driver.close();
      const results = await Promise.allSettled(creating);
      await closing;
      const made = ids.filter((_id, index) => results[index]?.status === 'fulfilled');
      const again = await reopen();
      expectSameMembers(await again.list(), ['parent', ...made], 'layers');
      for (const id of made) await verify(again, id, file('f', randomContent(100_000, 2)));
    },
  },
  {
    family,
    name: 'close gives up every use, so that nothing is mounted and every layer can be removed afterwards',
    run: async ({ driver, reopen }) => {
      await driver.create('basis');
      await edit(driver, 'basis', file('f', 'basis'));
      await driver.createReadWrite('child', 'basis');
      const path = await driver.get('child');
      await driver.get('child');
      await driver.get('basis');
      await file('g', 'child').apply(path);
      const again = await reopen();
      await verify(again, 'child', file('f', 'basis'), file('g', 'child'));
      await again.remove('child');
      await again.remove('basis');
    },
  },
  {
    family,
    name: 'several instances on homes of their own do not see each other',
    run: async ({ driver, another }) => {
      const other = await another();
      await other.open();
      await driver.create('here');
      await other.create('there');
      expectEqual(await driver.list(), ['here'], 'layers of one');
      expectEqual(await other.list(), ['there'], 'layers of the other');
      if (driver.home === other.home) fail('both have the same home');
    },
  },
];

async function expectAllClosed(driver: Driver, when: string): Promise<void> {
  for (const operation of OPERATIONS) {
    await expectCode('DRIVER_CLOSED', `${operation.name} ${when}`, () => operation.run(driver, 'layer'));
  }
}
