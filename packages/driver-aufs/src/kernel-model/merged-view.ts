import { lstatSync } from 'node:fs';
import type { AufsBranch } from '../mount/branch.js';
import {
  type BranchDirectory,
  branchesBelow,
  branchTops,
  childOf,
  visibleNames,
} from './branch-directory.js';
import { ObjectCopy } from './object-copy.js';

/**
 * Fills an empty directory with what a union of the branches shows: each name from the first branch that has it, unless one
 * above took it away; directories merged; attributes of a directory, the root too, those of its topmost.
 */
export function fillMergedView(target: string, branches: readonly AufsBranch[]): void {
  fill(Buffer.from(target), branchTops(branches), new ObjectCopy());
}

function fill(target: Buffer, branches: readonly BranchDirectory[], copy: ObjectCopy): void {
  for (const [name, branch] of visibleNames(branches)) {
    const source = childOf(branch.path, name);
    const inner = childOf(target, name);
    if (lstatSync(source).isDirectory()) {
      copy.makeDirectory(inner);
      fill(inner, branchesBelow(branches, name), copy);
    } else {
      copy.copy(source, inner);
    }
  }
  const [top] = branches;
  if (top !== undefined) copy.copyAttributes(top.path, target);
}
