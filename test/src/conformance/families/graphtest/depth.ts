import { file, tree } from '../../appliers/index.js';
import type { Check, SubjectFacts } from '../../check.js';
import { expectEqual } from '../../expectation.js';
import { chainLayer, createChain, verify, visibleNames } from '../../fixtures/layers.js';

/** Copies do not become slower to read with depth, only to make: there this many say as much as a thousand. */
const ENOUGH_COPIES = 128;

function depthOf({ capabilities }: SubjectFacts): number {
  return capabilities.mounts ? capabilities.maxDepth : Math.min(capabilities.maxDepth, ENOUGH_COPIES);
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
