/** Runs a synchronous walk without keeping the rest of the process waiting. */
import { setImmediate } from 'node:timers/promises';

/** Steps of a walk (an entry, a compared block) between two turns of the event loop: a few milliseconds. */
const STEPS_PER_TURN = 256;

/** Runs the generator to its end; a stop by the signal or a failure closes what it holds open. */
export async function runInTurns<T>(
  walk: Generator<void, T, undefined>,
  signal: AbortSignal | undefined,
): Promise<T> {
  try {
    for (let steps = 1; ; steps++) {
      const step = walk.next();
      if (step.done === true) return step.value;
      if (steps % STEPS_PER_TURN !== 0) continue;
      await setImmediate();
      signal?.throwIfAborted();
    }
  } finally {
    // A generator that has ended takes this calmly; one that was stopped runs its finally blocks.
    walk.return(undefined as never);
  }
}
