import { describeEntry, type TreeEntry, type TreeSnapshot } from './tree-snapshot.js';

/** What differs, one line each: `- ` only expected, `+ ` only found; a changed entry is both. Empty when the trees are equal. */
export function treeDifference(expected: TreeSnapshot, actual: TreeSnapshot): readonly string[] {
  const wanted = new Map(expected.entries.map((entry) => [entry.path, entry]));
  const found = new Map(actual.entries.map((entry) => [entry.path, entry]));
  const paths = [...new Set([...wanted.keys(), ...found.keys()])].sort();
  return paths.flatMap((path) => lines(wanted.get(path), found.get(path)));
}

function lines(expected: TreeEntry | undefined, actual: TreeEntry | undefined): string[] {
  const minus = expected === undefined ? undefined : describeEntry(expected);
  const plus = actual === undefined ? undefined : describeEntry(actual);
  if (minus === plus) return [];
  return [...(minus === undefined ? [] : [`- ${minus}`]), ...(plus === undefined ? [] : [`+ ${plus}`])];
}
