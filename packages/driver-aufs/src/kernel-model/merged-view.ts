import { applyLayer, createArchive } from '@x/archive';
import type { AufsBranch, BranchPermission } from '../mount/branch.js';

/** aufs's own files at the top of a branch never show; the mark of an opaque root does its work. */
const BOOKKEEPING = ['.wh..wh.*', '!.wh..wh..opq'];
/** Without `+wh` marks are hidden, but do nothing. */
const ALL_MARKS = ['**/.wh.*'];

const EXCLUDED: Readonly<Record<BranchPermission, readonly string[]>> = {
  rw: BOOKKEEPING,
  'ro+wh': BOOKKEEPING,
  ro: ALL_MARKS,
};

/**
 * Fills an empty directory with what a union of the branches shows: from the bottom up each branch is laid over what is
 * there, its whiteouts and opaque marks carried out. The root gets the attributes of the top branch's.
 */
export async function fillMergedView(target: string, branches: readonly AufsBranch[]): Promise<void> {
  for (const { path, permission } of branches.toReversed()) {
    const layer = createArchive(path, {
      includeSourceDir: true,
      subSecondTimes: true,
      excludePatterns: EXCLUDED[permission],
    });
    await applyLayer(layer, target, { whiteouts: 'delete' });
  }
}
