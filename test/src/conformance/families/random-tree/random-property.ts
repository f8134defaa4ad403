import fc from 'fast-check';
import type { EditWish } from '../../edits/edit-wish.js';
import { layersOfWishes } from '../../edits/edit-wish.js';
import { fail, isExpectationFailed } from '../../expectation.js';
import { show } from '../../structure.js';
import type { RandomSettings } from './random-settings.js';

/** One random case: its layers of wishes, and where the edits they become are written down. */
export interface RandomCase {
  /** For ids: no two cases of a property have the same. */
  readonly number: number;
  readonly layers: readonly (readonly EditWish[])[];
  /** The case's edits; shown when it fails. */
  log: readonly string[];
}

/** How large cases are, and when to stop. */
export interface RandomBounds {
  readonly layers: number;
  /** Of one layer. */
  readonly edits: number;
  /** Milliseconds after which no further case is begun, nor a failing one made smaller. */
  readonly time: number;
}

/**
 * Runs `prove` on random cases. A failing one is made smaller as long as it fails; the failure then says how to run it again, and
 * which edits are left.
 */
export async function forRandomLayers(
  settings: RandomSettings,
  bounds: RandomBounds,
  prove: (example: RandomCase) => Promise<void>,
): Promise<void> {
  let number = 0;
  const deadline = performance.now() + bounds.time;
  let failed: { readonly example: RandomCase; readonly error: unknown } | undefined;
  const property = fc.asyncProperty(layersOfWishes(bounds, settings.without), async (layers) => {
    // Passing is what ends the search: fast-check's own time limit leaves a case running behind the check's back.
    if (performance.now() > deadline) return;
    const example: RandomCase = { number: number++, layers, log: [] };
    try {
      await prove(example);
    } catch (error) {
      // Shrinking goes on from the latest failure: the last one is the smallest.
      failed = { example, error };
      throw error;
    }
  });
  const details = await fc.check(property, {
    numRuns: settings.runs,
    seed: settings.seed,
    ...(settings.path === undefined ? {} : { path: settings.path }),
  });
  if (failed === undefined) return;
  report(failed, details);
}

function report(
  { example, error }: { readonly example: RandomCase; readonly error: unknown },
  details: { readonly seed: number; readonly counterexamplePath: string | null; readonly numShrinks: number },
): never {
  const message = [
    show(error),
    `after these edits (made fewer ${details.numShrinks} times):`,
    ...example.log,
    `again with --seed ${details.seed} --path ${details.counterexamplePath ?? ''} (random: { seed, path })`,
  ].join('\n');
  if (!isExpectationFailed(error)) fail(message, { cause: error });
  const { expected, actual, trees } = error;
  fail(message, { expected, actual, cause: error, ...(trees === undefined ? {} : { trees }) });
}
