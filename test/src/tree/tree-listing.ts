import { describeEntry, snapshotTree } from '../conformance/tree-snapshot.js';

/**
 * Everything a layer can say about a tree, one line an object, the root first; `times: false` leaves modification times out. Two
 * trees are equal when their listings are.
 */
export async function treeListing(
  root: string,
  options: { readonly times?: boolean } = {},
): Promise<readonly string[]> {
  const { times = true } = options;
  const { entries } = await snapshotTree(root, { times: times ? 'all' : 'none' });
  return entries.map(describeEntry);
}
