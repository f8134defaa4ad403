import { fail } from '../expectation.js';

/** A path below the root of a tree, without a leading slash. Bytes where a name is not UTF-8. */
export type TreePath = string | Uint8Array;

/**
 * A piece of a tree: `apply` makes it, `check` fails when it is not there as `apply` makes it. The same value builds a fixture and
 * asserts it on another tree, so that the two cannot drift apart.
 */
export interface Applier {
  /** For messages: `file etc/passwd`. */
  readonly about: string;
  apply(root: string): Promise<void>;
  check(root: string): Promise<void>;
}

/**
 * One applier of several, in this order. An object is checked only by the last applier that is about it: put `changed` content or a
 * removal after what it replaces.
 */
export function tree(...parts: readonly Applier[]): Applier {
  const last = new Map(parts.map((part) => [part.about, part]));
  return {
    about: `tree of ${parts.length} parts`,
    apply: async (root) => {
      for (const part of parts) await part.apply(root);
    },
    check: async (root) => {
      for (const part of last.values()) await part.check(root);
    },
  };
}

/** The place of a path below a root. */
export function placeOf(root: string, path: TreePath): Buffer {
  const below = typeof path === 'string' ? Buffer.from(path) : Buffer.from(path);
  return Buffer.concat([Buffer.from(`${root}/`), below]);
}

/** A path for messages. */
export function shownPath(path: TreePath): string {
  return typeof path === 'string' ? path : Buffer.from(path).toString('latin1');
}

/** Fails unless both are the same number, text or nothing. */
export function expectAttribute(
  about: string,
  attribute: string,
  actual: bigint | number | string | undefined,
  expected: bigint | number | string | undefined,
): void {
  if (actual === expected) return;
  const shown = (value: typeof actual): string =>
    attribute === 'mode' && typeof value === 'number' ? `0${value.toString(8)}` : String(value);
  fail(`${about}: expected ${attribute} ${shown(expected)}, found ${shown(actual)}`, { expected, actual });
}
