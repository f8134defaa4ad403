import type { Check, SubjectFacts } from '../../check.js';
import { expectCode, expectEqual, expectSameMembers } from '../../expectation.js';
import { shownChanges } from '../../fixtures/layers.js';
import { bytesOf, sourceOf } from '../../layer-bytes.js';
import { ChainModel } from './chain-model.js';

const FAMILY = 'deep-chain';
/** A chain need not be deeper to go wrong, unless the driver has a limit. */
const DEEP = 128;
/** As far as a limit is looked for; a driver that copies or flattens names a higher one only to have one. */
const HIGHEST_LIMIT = 512;

/** Chains of layers that add, change and delete, as deep as the driver allows, and one deeper. */
export const DEEP_CHAIN_CHECKS: readonly Check[] = [
  {
    family: FAMILY,
    name: 'every layer of a deep chain shows what it should, and its diffs to near and far layers say so',
    timeout: 300_000,
    run: async (bench) => {
      const { driver, facts, signal } = bench;
      const depth = Math.min(facts.capabilities.maxDepth, DEEP);
      const chain = new ChainModel(driver);
      await chain.build(depth, signal);
      const top = depth - 1;
      for (const level of [0, Math.floor(depth / 2), top - 1, top]) await chain.expect(level);
      const reference = await bench.vfs();
      for (const below of [top - 1, Math.floor(depth / 2), 0]) {
        const changes = await driver.changes(chain.id(top), chain.id(below));
        expectEqual(
          shownChanges(changes),
          chain.changes(top, below),
          `changes of layer ${top} to layer ${below}`,
        );
        await reference.create('below');
        await reference.applyDiff('below', undefined, sourceOf(await bytesOf(driver.diff(chain.id(below)))));
        await reference.create(chain.id(top), 'below');
        const diff = await bytesOf(driver.diff(chain.id(top), chain.id(below)));
        await reference.applyDiff(chain.id(top), 'below', sourceOf(diff));
        await new ChainModel(reference).expect(top);
        await reference.remove(chain.id(top));
        await reference.remove('below');
      }
      await chain.remove(depth);
      expectEqual(await driver.list(), [], 'layers after the chain was removed');
    },
  },
  {
    family: FAMILY,
    name: 'a chain as deep as the limit is whole; one layer more is refused, and nothing is left of it',
    timeout: 300_000,
    applicable: ({ capabilities }: SubjectFacts) =>
      capabilities.maxDepth > HIGHEST_LIMIT
        ? `the limit of ${capabilities.maxDepth} layers is none in practice`
        : undefined,
    run: async ({ driver, facts, signal }) => {
      const depth = facts.capabilities.maxDepth;
      const chain = new ChainModel(driver);
      await chain.build(depth, signal);
      await chain.expect(depth - 1);
      const layers = await driver.list();
      const [above, top] = [chain.id(depth), chain.id(depth - 1)];
      await expectCode('LAYER_MAX_DEPTH', 'create above the limit', () => driver.create(above, top));
      await expectCode('LAYER_MAX_DEPTH', 'createReadWrite above the limit', () =>
        driver.createReadWrite(above, top),
      );
      expectEqual(await driver.exists(above), false, 'whether the refused layer exists');
      expectSameMembers(await driver.list(), layers, 'layers after the refusal');
      await chain.expect(depth - 1);
      await chain.remove(depth);
      expectEqual(await driver.list(), [], 'layers after the chain was removed');
    },
  },
];
