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

/** From the environment: LAYER_STORE_CONFORMANCE_RUNS, _SEED and _PATH, as the report of a failure prints them. */
export function randomSettings(environment: NodeJS.ProcessEnv = process.env): RandomSettings {
  const path = environment.LAYER_STORE_CONFORMANCE_PATH;
  return {
    runs: number(environment.LAYER_STORE_CONFORMANCE_RUNS) ?? DEFAULT_RUNS,
    seed: number(environment.LAYER_STORE_CONFORMANCE_SEED) ?? DEFAULT_SEED,
    path: path === '' ? undefined : path,
  };
}

function number(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
