import type { ProbeResult } from '@x/layer-store';
import { type Check, DEFAULT_TIMEOUT } from './check.js';
import { CHECKS } from './checks.js';
import { failureText } from './report/failure-text.js';
import type { CheckOutcome } from './runner/report.js';
import { runCheck } from './runner/run-check.js';
import { outcomeWithoutRunning, planChecks } from './runner/run-conformance.js';
import type { CheckedSubject, ConformanceSubject } from './subject.js';

/** A {@link ConformanceSubject} for a test framework. */
export interface DriverConformance extends ConformanceSubject {
  /**
   * What the driver's `probe` said. Where it says that the driver cannot run, the suite is skipped with its reason, and fails in CI
   * (CI=true). Without it the suite fails on such a machine.
   */
  readonly probe?: ProbeResult;
}

/** What is used of Jest, or of a framework with the same globals. */
interface TestGlobals {
  readonly describe: (name: string, define: () => void) => void;
  it: DeclareTest & { readonly skip: DeclareTest };
}
type DeclareTest = (name: string, run: () => Promise<void>, timeout?: number) => void;

/** A check is run twice when it fails, and closing takes a while. */
const timeLimit = (check: Check): number => 2 * ((check.timeout ?? DEFAULT_TIMEOUT) + 30_000);

/**
 * Declares one test per check with the `describe` and `it` of the test framework that is running (Jest, Vitest with globals): a
 * `describe` per family. A check that does not apply is declared as skipped, with the reason in its name. In CI (CI=true) the machine
 * must have root and the addon unless `require` says otherwise. Throws OPTION_UNKNOWN and OPTION_INVALID.
 *
 * @example
 * runDriverConformance({ factory: vfsDriver });
 */
export function runDriverConformance(conformance: DriverConformance): void {
  const { describe, it } = testGlobals();
  const { probe, ...given } = conformance;
  const inCi = process.env.CI === 'true';
  const subject: ConformanceSubject = {
    ...given,
    require: given.require ?? (inCi ? ['root', 'native', 'file-system'] : []),
  };
  const { checked, facts, selected } = planChecks(subject, CHECKS);
  const families = [...new Set(selected.map(({ family }) => family))];
  describe(`conformance of ${checked.factory.name}`, () => {
    if (probe?.supported === false && !inCi) {
      it.skip(`cannot run here: ${probe.reason}; ${probe.remedy}`, async () => {});
      return;
    }
    for (const family of families) {
      describe(family, () => {
        for (const check of selected.filter((candidate) => candidate.family === family)) {
          const known = outcomeWithoutRunning(check, checked, facts);
          if (known?.outcome === 'not-applicable') it.skip(`${check.name} — ${known.reason}`, async () => {});
          else {
            const run = async (): Promise<void> => {
              await requireSupport(checked);
              report(check, known ?? (await runCheck(check, checked, facts)));
            };
            it(check.name, run, timeLimit(check));
          }
        }
      });
    }
  });
}

async function requireSupport(subject: CheckedSubject): Promise<void> {
  const probed = await subject.factory.probe(`${subject.workDirectory}/${subject.factory.name}`);
  if (probed.supported) return;
  throw new Error(
    `${subject.factory.name} cannot run here: ${probed.reason}; ${probed.remedy} (pass the result of probe() as \`probe\` to skip the suite on such machines)`,
  );
}

function report(check: Check, outcome: CheckOutcome): void {
  if (outcome.outcome === 'not-applicable') console.warn(`not applicable: ${check.name}: ${outcome.reason}`);
  if (outcome.outcome !== 'fail') return;
  const error = new Error(failureText(outcome.failure));
  error.stack = `${error.message}\n${outcome.failure.stack ?? ''}`;
  throw error;
}

function testGlobals(): TestGlobals {
  const globals = globalThis as Partial<TestGlobals>;
  if (globals.describe === undefined || globals.it === undefined) {
    throw new Error(
      'runDriverConformance needs describe and it as globals: run it under Jest, or use runConformance without a test framework',
    );
  }
  return { describe: globals.describe, it: globals.it };
}
