import { mkdtemp, realpath } from 'node:fs/promises';
import path from 'node:path';
import { isLayerStoreError } from '@x/archive';
import { removeRobustly } from '@x/layer-store/driver-kit';
import { type Check, DEFAULT_TIMEOUT, type SubjectFacts } from '../check.js';
import { type CallBehind, type DriverCall, DriverCalls } from '../driver-calls.js';
import { ExpectationFailed, isExpectationFailed, isNotApplicable } from '../expectation.js';
import type { CheckedSubject } from '../subject.js';
import { snapshotTree, type TreeSnapshot } from '../tree-snapshot.js';
import { LiveWorkbench } from '../workbench.js';
import { clearLeaks, findLeaks } from './leaks.js';
import type { CheckFailure, CheckOutcome } from './report.js';
import { withinTime } from './within-time.js';

/** Closing what a check left open may take this long. Milliseconds. */
const CLOSE_TIME = 20_000;
/** Entries of the home that a report shows. */
const HOME_ENTRIES = 400;

interface Attempt {
  readonly error: unknown;
  /** Of the moment when it failed; the calls that close everything do not count. */
  readonly behind: CallBehind | undefined;
  readonly recentCalls: readonly string[];
  readonly home: CheckFailure['home'];
}

/**
 * Runs a check on a fresh home with a driver of its own, closes everything, and looks for what is still in use. A failed check is
 * run again to see the home before and after the call that failed.
 */
export async function runCheck(
  check: Check,
  subject: CheckedSubject,
  facts: SubjectFacts,
): Promise<CheckOutcome> {
  const first = await attempt(check, subject, facts, false);
  if (first === undefined) return { outcome: 'pass' };
  if (isNotApplicable(first.error)) return notApplicableHere(first.error.message, subject);
  const second = await attempt(check, subject, facts, true);
  return { outcome: 'fail', failure: failureOf(first, second) };
}

function notApplicableHere(reason: string, subject: CheckedSubject): CheckOutcome {
  if (!subject.require.includes('file-system'))
    return { outcome: 'not-applicable', reason, cause: 'machine' };
  return { outcome: 'fail', failure: { message: `this machine must have it: ${reason}`, recentCalls: [] } };
}

/** undefined: it passed. */
async function attempt(
  check: Check,
  subject: CheckedSubject,
  facts: SubjectFacts,
  looksAtHome: boolean,
): Promise<Attempt | undefined> {
  const directory = await realpath(await mkdtemp(path.join(subject.workDirectory, 'layer-conformance-')));
  const calls = new DriverCalls();
  const homes = new Map<DriverCall, TreeSnapshot>();
  const stop = new AbortController();
  const { timeout = DEFAULT_TIMEOUT } = check;
  let bench: LiveWorkbench | undefined;
  let failure: Attempt | undefined;
  const failed = async (error: unknown): Promise<void> => {
    const behind = calls.behind(error);
    const recentCalls = calls.recent;
    const before = behind === undefined ? undefined : homes.get(behind.call);
    const home =
      before === undefined || bench === undefined ? undefined : { before, after: await lookAt(bench.home) };
    failure ??= { error, behind, recentCalls, home };
  };
  try {
    const live = LiveWorkbench.create({ subject, facts, directory, calls, signal: stop.signal });
    bench = live;
    if (looksAtHome) {
      calls.before = async (call) => {
        homes.set(call, await lookAt(live.home));
      };
    }
    await withinTime(`the check took more than ${timeout} ms`, timeout, stop, async () => {
      await live.driver.open();
      await check.run(live);
    });
  } catch (error) {
    await failed(error);
  }
  try {
    calls.before = undefined;
    await closeEverything(bench, directory);
  } catch (error) {
    await failed(error);
  }
  return failure;
}

async function closeEverything(bench: LiveWorkbench | undefined, directory: string): Promise<void> {
  const stop = new AbortController();
  const problems: unknown[] = [];
  const attemptTo = (work: () => Promise<void>): Promise<void> =>
    work().catch((error: unknown) => {
      problems.push(error);
    });
  await attemptTo(() =>
    withinTime(`closing took more than ${CLOSE_TIME} ms`, CLOSE_TIME, stop, async () => bench?.close()),
  );
  const leaks = await findLeaks(directory);
  if (leaks.length > 0) {
    const list = leaks.map(({ kind, what }) => `${kind} ${what}`);
    problems.push(
      new ExpectationFailed(`still in use after close: ${list.join(', ')}`, { actual: list, expected: [] }),
    );
    await attemptTo(() => clearLeaks(directory));
  }
  await attemptTo(() => removeRobustly(directory));
  if (problems.length > 0) throw problems[0];
}

function failureOf(first: Attempt, second: Attempt | undefined): CheckFailure {
  const { error, behind, recentCalls } = first;
  const isObject = typeof error === 'object' && error !== null;
  return {
    message: isObject && 'message' in error ? String(error.message) : String(error),
    recentCalls,
    ...(isObject && 'stack' in error ? { stack: String(error.stack) } : {}),
    ...(isLayerStoreError(error) ? { code: error.code } : {}),
    ...(behind === undefined ? {} : { call: behind.call.what, callEnded: behind.ended }),
    ...(isExpectationFailed(error) ? expectationFields(error) : {}),
    ...(second === undefined ? { unstable: true } : {}),
    ...(second?.home === undefined ? {} : { home: second.home }),
  };
}

function expectationFields(error: ExpectationFailed): Partial<CheckFailure> {
  return {
    ...('expected' in error ? { expected: error.expected } : {}),
    ...('actual' in error ? { actual: error.actual } : {}),
    ...(error.trees === undefined ? {} : { trees: error.trees }),
  };
}

/** What is there of a home; nothing when there is none, or when it cannot be read to the end. */
async function lookAt(home: string): Promise<TreeSnapshot> {
  const options = { limit: HOME_ENTRIES, content: false, xattrs: false, times: 'none' } as const;
  return snapshotTree(home, options).catch(() => ({ root: home, entries: [], cut: true }));
}
