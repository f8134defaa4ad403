import type { ProbeResult } from '@x/layer-store';
import type { SubjectFacts } from '../check.js';
import type { TreeSnapshot } from '../tree-snapshot.js';

/** What is known of a check that failed. */
export interface CheckFailure {
  readonly message: string;
  readonly stack?: string;
  /** The error's code, if it is a coded one. */
  readonly code?: string;
  /** The driver call that it comes from. */
  readonly call?: string;
  /** That call had ended well: what is wrong showed afterwards. */
  readonly callEnded?: boolean;
  /** The latest driver calls, oldest first. */
  readonly recentCalls: readonly string[];
  readonly expected?: unknown;
  readonly actual?: unknown;
  /** When the check compared trees: the one that should be, and the one that is. */
  readonly trees?: { readonly expected: TreeSnapshot; readonly actual: TreeSnapshot };
  /** The driver's home before the call that failed, and afterwards; from a second run of the check. */
  readonly home?: { readonly before: TreeSnapshot; readonly after: TreeSnapshot };
  /** The second run did not fail. */
  readonly unstable?: boolean;
}

/** Why a check was not run: the driver does not claim it, the machine lacks something, or the caller left it out. */
export type NotApplicableCause = 'driver' | 'machine' | 'skipped';

/** What came of a check. */
export type CheckOutcome =
  | { readonly outcome: 'pass' }
  | { readonly outcome: 'fail'; readonly failure: CheckFailure }
  | { readonly outcome: 'not-applicable'; readonly reason: string; readonly cause: NotApplicableCause };

export type CheckResult = CheckOutcome & {
  readonly family: string;
  readonly name: string;
  readonly milliseconds: number;
};

/** What came of a run. */
export interface ConformanceReport {
  readonly driver: string;
  readonly facts: SubjectFacts;
  /** Why the driver cannot run here; then there are no results. */
  readonly unsupported?: Extract<ProbeResult, { readonly supported: false }>;
  /** What the driver's probe warned of. */
  readonly warnings: readonly string[];
  readonly results: readonly CheckResult[];
  readonly totals: { readonly passed: number; readonly failed: number; readonly notApplicable: number };
  /** Something was checked, and nothing failed. */
  readonly ok: boolean;
}

/** Counts, and says whether the driver conforms. */
export function reportOf(parts: Omit<ConformanceReport, 'totals' | 'ok'>): ConformanceReport {
  const count = (outcome: CheckOutcome['outcome']): number =>
    parts.results.filter((result) => result.outcome === outcome).length;
  const totals = { passed: count('pass'), failed: count('fail'), notApplicable: count('not-applicable') };
  return { ...parts, totals, ok: totals.failed === 0 && totals.passed > 0 };
}
