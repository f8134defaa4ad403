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
  /** The path that it is about, as for messages. */
  readonly at?: string;
  /** Whether what was at a path is something else after it, so that what made it need not be there any more. */
  replaces?(path: string): boolean;
  /** Of a tree. */
  readonly parts?: readonly Applier[];
}

/**
 * One applier of several, in this order. Checked is what stands in the end: a part is left out when a later one replaces it (a file
 * made again, a directory above it removed).
 */
export function tree(...given: readonly Applier[]): Applier {
  const parts = given.flatMap((part) => part.parts ?? [part]);
  const standing = parts.filter(({ at }, index) => {
    return at === undefined || !parts.slice(index + 1).some((later) => later.replaces?.(at) === true);
  });
  return {
    about: `tree of ${parts.length} parts`,
    parts,
    apply: async (root) => {
      for (const part of parts) await part.apply(root);
    },
    check: async (root) => {
      for (const part of standing) await part.check(root);
    },
  };
}

/** What an applier that makes the object at `path` is about: it replaces an object, not what a directory holds. */
export function objectAt(path: TreePath): Required<Pick<Applier, 'at' | 'replaces'>> {
  const at = shownPath(path);
  return { at, replaces: (other) => other === at };
}

/** As {@link objectAt}, of one that takes away everything at and below `path`. */
export function subtreeAt(path: TreePath): Required<Pick<Applier, 'at' | 'replaces'>> {
  const at = shownPath(path);
  return { at, replaces: (other) => other === at || other.startsWith(`${at}/`) };
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
