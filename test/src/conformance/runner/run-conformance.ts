import path from 'node:path';
import { LayerStoreError } from '@x/archive';
import type { Check, SubjectFacts } from '../check.js';
import { CHECKS } from '../checks.js';
import {
  type CheckedSubject,
  type ConformanceSubject,
  checkSubject,
  createDriver,
  factsOf,
} from '../subject.js';
import { type CheckOutcome, type CheckResult, type ConformanceReport, reportOf } from './report.js';
import { runCheck } from './run-check.js';

/** Options of {@link runConformance}. */
export interface RunOptions {
  /** Other checks than all of them; for tests of checks. */
  readonly checks?: readonly Check[];
  /** Told of every result as it comes. */
  readonly onResult?: (result: CheckResult) => void;
  /** Stops after the check that is under way. */
  readonly signal?: AbortSignal;
}

/**
 * Holds a driver to the contract: every check that applies, each on a fresh home. Needs no test framework, and does not throw for a
 * driver that fails. Throws OPTION_UNKNOWN and OPTION_INVALID.
 *
 * @example
 * const report = await runConformance({ factory: vfsDriver });
 * process.exitCode = report.ok ? 0 : 1;
 */
export async function runConformance(
  subject: ConformanceSubject,
  options: RunOptions = {},
): Promise<ConformanceReport> {
  const { checks = CHECKS, onResult, signal } = options;
  const { checked, facts, selected } = planChecks(subject, checks);
  const probed = await checked.factory.probe(path.join(checked.workDirectory, checked.factory.name));
  const driver = checked.factory.name;
  if (!probed.supported) return reportOf({ driver, facts, unsupported: probed, warnings: [], results: [] });
  const results: CheckResult[] = [];
  for (const check of selected) {
    signal?.throwIfAborted();
    const started = performance.now();
    const outcome = outcomeWithoutRunning(check, checked, facts) ?? (await runCheck(check, checked, facts));
    const milliseconds = Math.round(performance.now() - started);
    const result = { ...outcome, family: check.family, name: check.name, milliseconds };
    results.push(result);
    onResult?.(result);
  }
  return reportOf({ driver, facts, warnings: probed.warnings, results });
}

/** What is to be run, and what is known beforehand. Throws OPTION_UNKNOWN and OPTION_INVALID. */
export function planChecks(
  subject: ConformanceSubject,
  checks: readonly Check[],
): { readonly checked: CheckedSubject; readonly facts: SubjectFacts; readonly selected: readonly Check[] } {
  const checked = checkSubject(subject);
  const families = new Set(checks.map(({ family }) => family));
  for (const family of Object.keys(checked.skip)) {
    if (families.has(family)) continue;
    const known = [...families].join(', ');
    throw new LayerStoreError('OPTION_INVALID', `skip: there is no family "${family}"; there are ${known}`, {
      option: 'skip',
    });
  }
  const wanted = checked.grep.toLowerCase();
  const selected = checks.filter(({ family, name }) => `${family}: ${name}`.toLowerCase().includes(wanted));
  // Constructors touch nothing, so a home that is never made will do.
  const facts = factsOf(checked, createDriver(checked, path.join(checked.workDirectory, 'never-made')));
  return { checked, facts, selected };
}

/** What is clear before a check is run: it does not apply, or it needs what this machine must have and has not. */
export function outcomeWithoutRunning(
  check: Check,
  subject: CheckedSubject,
  facts: SubjectFacts,
): CheckOutcome | undefined {
  const left = subject.skip[check.family];
  if (left !== undefined) return { outcome: 'not-applicable', reason: left, cause: 'skipped' };
  const reason = check.applicable?.(facts);
  if (reason !== undefined) return { outcome: 'not-applicable', reason, cause: 'driver' };
  for (const need of check.needs ?? []) {
    if (need === 'file-system' || facts[need]) continue;
    const missing = need === 'root' ? 'not running as root' : 'the native addon is not loaded';
    if (!subject.require.includes(need))
      return { outcome: 'not-applicable', reason: missing, cause: 'machine' };
    return {
      outcome: 'fail',
      failure: { message: `this machine must have it: ${missing}`, recentCalls: [] },
    };
  }
  return undefined;
}
