import type { RandomOptions } from '../../check.js';

/** How random checks draw their cases. */
export interface RandomSettings {
  readonly runs: number;
  readonly seed: number;
  /** Of a failing case, from the report that found it: only that case is run. */
  readonly path: string | undefined;
}

const DEFAULT_RUNS = 25;
/** The same cases every time, unless asked otherwise: a suite that fails now and then is no help. */
const DEFAULT_SEED = 20_261_121;

/** What was asked for, or the defaults. `share` is the part of all runs that a check takes for itself. */
export function randomSettings(options: RandomOptions, share: number = 1): RandomSettings {
  const { runs = DEFAULT_RUNS, seed = DEFAULT_SEED, path } = options;
  return { runs: Math.max(1, Math.round(runs * share)), seed, path: path === '' ? undefined : path };
}
