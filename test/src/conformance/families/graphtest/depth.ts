import { file, tree } from '../../appliers/index.js';
import type { Check, SubjectFacts } from '../../check.js';
import { expectEqual } from '../../expectation.js';
import { chainLayer, createChain, verify, visibleNames } from '../../fixtures/layers.js';

/** Where a driver's limit is none in practice this many layers say as much as a thousand. */
const ENOUGH = 128;
/** As far as a limit is taken for one. */
const HIGHEST_LIMIT = 512;

function depthOf({ capabilities: { maxDepth } }: SubjectFacts): number {
  return maxDepth > HIGHEST_LIMIT ? ENOUGH : maxDepth;
}

/** Chains of layers, as deep as the driver says it can. */
export const DEPTH_CHECKS: readonly Check[] = [
  {
    family: 'graphtest',
    name: "what the bottom layer has is read through as many layers as the driver's limit (DeepLayerRead)",
    timeout: 300_000,
    run: async ({ driver, facts, signal }) => {
      const depth = depthOf(facts);
      const top = await createChain(driver, depth, signal);
      await driver.withMount(top, async (root) => {
        for (let index = 0; index < depth; index++) await chainLayerBelow(index, depth).check(root);
        expectEqual((await visibleNames(root)).length, depth + 1, 'names in the top layer');
      });
    },
  },
  {
    family: 'graphtest',
    name: 'every layer of a chain is still what it was when the ones above were made',
    run: async ({ driver, signal }) => {
      await createChain(driver, 20, signal);
      for (let index = 0; index < 20; index++) {
        await verify(driver, `chain-${index}`, chainLayer(index));
        await driver.withMount(`chain-${index}`, async (root) => {
          expectEqual((await visibleNames(root)).length, index + 2, `names in layer ${index}`);
        });
      }
    },
  },
];

/** A layer of the chain as it is seen from the top: `top-id` is that of the top. */
function chainLayerBelow(index: number, depth: number) {
  if (index === depth - 1) return chainLayer(index);
  return tree(
    file(`layer-${index}/layer-id`, `chain-${index}`),
    file(`layer-${index}/parent-id`, index === 0 ? '' : `chain-${index - 1}`),
  );
}
