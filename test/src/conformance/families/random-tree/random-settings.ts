import type { RandomOptions, SubjectFacts } from '../../check.js';
import type { EditKind } from '../../edits/edit.js';
import { EDIT_KINDS } from '../../edits/edit-wish.js';
import type { EditPowers } from '../../edits/plan-edit.js';
import type { SnapshotOptions } from '../../tree-snapshot.js';

/** How random checks draw their cases. */
export interface RandomSettings {
  readonly runs: number;
  readonly seed: number;
  /** Of a failing case, from the report that found it: only that case is run. */
  readonly path: string | undefined;
  readonly without: readonly EditKind[];
}

/** Beside the kinds of edits: what can be left out of a random check. */
export const ASPECTS: readonly Aspect[] = ['directory-times', 'special-modes'];
export type Aspect = 'directory-times' | 'special-modes';
const DEFAULT_RUNS = 25;
/** The same cases every time, unless asked otherwise: a suite that fails now and then is no help. */
const DEFAULT_SEED = 20_261_121;

/** What was asked for, or the defaults. `share` is the part of all runs that a check takes for itself. */
export function randomSettings(options: RandomOptions, share: number = 1): RandomSettings {
  const { runs = DEFAULT_RUNS, seed = DEFAULT_SEED, path, without = [] } = options;
  return {
    runs: Math.max(1, Math.round(runs * share)),
    seed,
    path: path === '' ? undefined : path,
    without: EDIT_KINDS.filter((kind) => without.includes(kind)),
  };
}

/** What of the trees is compared. */
export function randomLook({ without = [] }: RandomOptions): SnapshotOptions {
  return without.includes('directory-times') ? { times: 'files' } : {};
}

/** What the edits of a random check may do. */
export function editPowers(
  { root, native }: SubjectFacts,
  { asUser = false, without = [] }: RandomOptions,
): EditPowers {
  return { root: root && !asUser, native, specialModes: !without.includes('special-modes') };
}
