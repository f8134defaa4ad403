/** One difference between two trees, and how it is shown. */

/** `modify` is also what a directory is that merely contains a change. */
export type ChangeKind = 'modify' | 'add' | 'delete';

/**
 * A changed path. `path` is bytes, begins with `/` and has no trailing slash; `/` itself never occurs. An added
 * directory is followed by all it holds; a deletion names the topmost path only.
 */
export interface Change {
  readonly kind: ChangeKind;
  readonly path: Uint8Array;
}

/** The letter Docker prints for a kind (`docker diff`). */
export const CHANGE_LETTER: Readonly<Record<ChangeKind, 'A' | 'C' | 'D'>> = {
  modify: 'C',
  add: 'A',
  delete: 'D',
};

/** The number Docker's API uses for a kind. */
export const CHANGE_NUMBER: Readonly<Record<ChangeKind, 0 | 1 | 2>> = { modify: 0, add: 1, delete: 2 };

/** `C /path`, `A /path` or `D /path`; bytes that are not UTF-8 are shown as latin-1. */
export function formatChange(change: Change): string {
  return `${CHANGE_LETTER[change.kind]} ${displayPath(change.path)}`;
}

/** A path for people: UTF-8 where it is valid, latin-1 otherwise. Not for use as a key or in a system call. */
export function displayPath(path: Uint8Array): string {
  const bytes = Buffer.from(path.buffer, path.byteOffset, path.byteLength);
  const text = bytes.toString('utf8');
  return text.includes('\ufffd') ? bytes.toString('latin1') : text;
}

/** Bytewise by path: the order of `docker diff` and of an exported layer (`/a.txt` comes before `/a/b`). */
export function compareChanges(a: Change, b: Change): number {
  return Buffer.compare(a.path, b.path);
}
