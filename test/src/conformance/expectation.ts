import { isLayerStoreError } from '@x/archive';
import { isEqual, show } from './structure.js';
import { treeDifference } from './tree-difference.js';
import { describeEntry, type SnapshotOptions, snapshotTree, type TreeSnapshot } from './tree-snapshot.js';

const BRAND: unique symbol = Symbol.for('@x/conformance.expectation');

/** What a failed expectation carries for the report. */
export interface ExpectationDetails {
  readonly expected?: unknown;
  readonly actual?: unknown;
  readonly trees?: { readonly expected: TreeSnapshot; readonly actual: TreeSnapshot };
  readonly cause?: unknown;
}

/** A driver did not do what a check expects. */
export class ExpectationFailed extends Error {
  override readonly name = 'ExpectationFailed';
  declare readonly expected?: unknown;
  declare readonly actual?: unknown;
  /** For reports: the tree that should be there, and the one that is. */
  declare readonly trees?: { readonly expected: TreeSnapshot; readonly actual: TreeSnapshot };

  constructor(message: string, details: ExpectationDetails = {}) {
    const { cause, ...fields } = details;
    super(message, cause === undefined ? undefined : { cause });
    Object.defineProperty(this, BRAND, { value: true });
    Object.assign(this, fields);
  }
}

/** True for an {@link ExpectationFailed} of any copy of the package and any realm. */
export function isExpectationFailed(error: unknown): error is ExpectationFailed {
  return typeof error === 'object' && error !== null && BRAND in error;
}

/** The check found out that this machine lacks something it needs; see `MachineNeed`. */
export class NotApplicable extends Error {
  override readonly name = 'NotApplicable';
}

/** True for a {@link NotApplicable} of any realm. */
export function isNotApplicable(error: unknown): error is NotApplicable {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'NotApplicable';
}

/** Ends a check that cannot be done here, for a reason of the machine (a file system without xattrs, a program that is missing). */
export function notApplicable(reason: string): never {
  throw new NotApplicable(reason);
}

/** Fails the check. */
export function fail(message: string, details: ExpectationDetails = {}): never {
  throw new ExpectationFailed(message, details);
}

/** `what` says what is true when it holds: "the layer exists". */
export function expectTrue(condition: boolean, what: string): void {
  if (!condition) fail(`not so: ${what}`);
}

/** Compares by structure: objects, arrays, byte arrays, bigints. */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (isEqual(actual, expected)) return;
  fail(`${what}: expected ${show(expected)}, found ${show(actual)}`, { expected, actual });
}

/** Compares without regard to order. */
export function expectSameMembers(actual: Iterable<string>, expected: Iterable<string>, what: string): void {
  expectEqual([...actual].sort(), [...expected].sort(), what);
}

/**
 * Compares two trees, given by root or as snapshots, in everything a layer can say about them. The failure carries both.
 */
export async function expectSameTree(
  actual: string | TreeSnapshot,
  expected: string | TreeSnapshot,
  what: string,
  options: SnapshotOptions = {},
): Promise<void> {
  const trees = {
    actual: typeof actual === 'string' ? await snapshotTree(actual, options) : actual,
    expected: typeof expected === 'string' ? await snapshotTree(expected, options) : expected,
  };
  const difference = treeDifference(trees.expected, trees.actual);
  if (difference.length === 0) return;
  fail(
    `${what}: ${difference.length} ${difference.length === 1 ? 'difference' : 'differences'}\n${difference.slice(0, 4).join('\n')}`,
    {
      expected: trees.expected.entries.map(describeEntry),
      actual: trees.actual.entries.map(describeEntry),
      trees,
    },
  );
}

/** The work must fail with a coded error, one of `codes`. Gives the error. */
export async function expectCode(
  codes: string | readonly string[],
  what: string,
  work: () => unknown,
): Promise<{ readonly code: string }> {
  const wanted = typeof codes === 'string' ? [codes] : codes;
  const error = await failureOf(what, work);
  if (!isLayerStoreError(error)) {
    fail(`${what}: expected a LayerStoreError ${wanted.join(' or ')}, was thrown ${show(error)}`, {
      cause: error,
    });
  }
  if (!wanted.includes(error.code)) {
    fail(`${what}: expected ${wanted.join(' or ')}, was refused with ${error.code} (${error.message})`, {
      expected: wanted,
      actual: error.code,
      cause: error,
    });
  }
  return error;
}

/** The work must fail with the error an aborted signal gives. */
export async function expectAborted(what: string, work: () => unknown): Promise<void> {
  const error = await failureOf(what, work);
  if (typeof error === 'object' && error !== null && 'name' in error && error.name === 'AbortError') return;
  fail(`${what}: expected an AbortError, was thrown ${show(error)}`, { cause: error });
}

async function failureOf(what: string, work: () => unknown): Promise<unknown> {
  let result: unknown;
  try {
    result = await work();
  } catch (error) {
    return error;
  }
  return fail(`${what}: expected a failure, but it gave ${show(result)}`);
}
