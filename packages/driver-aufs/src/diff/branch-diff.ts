import {
  type Change,
  changesFromUpper,
  changesSize,
  createArchive,
  exportChanges,
  type IdMap,
} from '@x/archive';

/** Marks have no place in a tree without lower layers, and aufs's own files in none (seed 000, moby #…metadata). */
const ALL_MARKS = ['**/.wh.*'];

/** A layer's own files and the branches below them, top first. */
export interface BranchStack {
  readonly branch: string;
  readonly lower: readonly string[];
}

export interface BranchDiffOptions {
  readonly signal?: AbortSignal;
  readonly idMap?: IdMap;
}

/**
 * What the branch changes in the layers below it: exactly what comparing the two merged trees would give, found by
 * walking the branch alone. aufs's bookkeeping at its top is left out.
 */
export function branchChanges(stack: BranchStack, signal: AbortSignal | undefined): Promise<Change[]> {
  return changesFromUpper(stack.lower, stack.branch, {
    whiteoutFormat: 'aufs',
    semantics: 'tree',
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Those changes as a layer. Byte for byte what the generic diff gives, so that digests do not depend on the driver. */
export async function* branchDiff(
  stack: BranchStack,
  options: BranchDiffOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* exportChanges(stack.branch, await branchChanges(stack, options.signal), options);
}

/** A layer without parent is its branch. */
export function wholeBranch(branch: string, options: BranchDiffOptions): AsyncIterable<Uint8Array> {
  return createArchive(branch, { ...options, excludePatterns: ALL_MARKS });
}

/** Bytes of added and modified files. */
export async function branchDiffSize(stack: BranchStack, signal: AbortSignal | undefined): Promise<number> {
  const changes = await branchChanges(stack, signal);
  return await changesSize(stack.branch, changes, signal === undefined ? {} : { signal });
}
