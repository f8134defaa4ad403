import { lstatSync, readdirSync } from 'node:fs';
import type { AufsBranch } from '../mount/branch.js';

const WHITEOUT_PREFIX = '.wh.';
/** At the top of a branch: aufs's own files. */
const BOOKKEEPING_PREFIX = '.wh..wh.';
export const OPAQUE_MARK = '.wh..wh..opq';

/** What one branch has at one directory. Names are latin-1. */
export interface BranchDirectory {
  readonly path: Buffer;
  readonly names: ReadonlySet<string>;
  /** Names it takes away from the branches below. */
  readonly whiteouts: ReadonlySet<string>;
  /** Takes away everything below. */
  readonly opaque: boolean;
  /** Without `+wh` marks are hidden but do nothing. */
  readonly honoured: boolean;
}

/** `.wh.<name>` */
export function whiteoutOf(name: string): string {
  return WHITEOUT_PREFIX + name;
}

/** Whether a name cannot be seen or made through a union. */
export function isHiddenName(name: string): boolean {
  return name.startsWith(WHITEOUT_PREFIX);
}

/** The tops of a union's branches. */
export function branchTops(branches: readonly AufsBranch[]): BranchDirectory[] {
  return branches.map(({ path, permission }) => readBranch(Buffer.from(path), permission !== 'ro', true));
}

/** The directories that merge at a name, top first: a whiteout, an opaque mark or anything but a directory ends it. */
export function branchesBelow(parents: readonly BranchDirectory[], name: string): BranchDirectory[] {
  const found: BranchDirectory[] = [];
  for (const parent of parents) {
    if (parent.names.has(name)) {
      const path = childOf(parent.path, name);
      if (!lstatSync(path).isDirectory()) break;
      found.push(readBranch(path, parent.honoured, false));
    }
    if (parent.whiteouts.has(name) || parent.opaque) break;
  }
  return found;
}

/** Which of the branches, top first, shows each name. */
export function visibleNames(branches: readonly BranchDirectory[]): Map<string, BranchDirectory> {
  const visible = new Map<string, BranchDirectory>();
  const hidden = new Set<string>();
  for (const branch of branches) {
    for (const name of branch.names) {
      if (!visible.has(name) && !hidden.has(name)) visible.set(name, branch);
    }
    if (branch.opaque) break;
    for (const name of branch.whiteouts) hidden.add(name);
  }
  return visible;
}

/** A path of bytes and a latin-1 name. */
export function childOf(path: Buffer, name: string): Buffer {
  return Buffer.concat([path, Buffer.from(`/${name}`, 'latin1')]);
}

function readBranch(path: Buffer, honoured: boolean, top: boolean): BranchDirectory {
  const names = new Set<string>();
  const whiteouts = new Set<string>();
  let opaque = false;
  for (const entry of readdirSync(path, { encoding: 'buffer' })) {
    const name = entry.toString('latin1');
    if (!isHiddenName(name)) names.add(name);
    else if (name === OPAQUE_MARK) opaque = honoured;
    else if (honoured && !(top && name.startsWith(BOOKKEEPING_PREFIX))) {
      whiteouts.add(name.slice(WHITEOUT_PREFIX.length));
    }
  }
  return { path, names, whiteouts, opaque, honoured };
}
