import { LayerStoreError } from '@x/archive';

/**
 * `rw`: written to. `ro+wh`: read only, and what it deletes from the branches below stays deleted. `ro`: read only, its
 * deletions are not honoured, which loses them: the driver never asks for it.
 */
export type BranchPermission = 'rw' | 'ro+wh' | 'ro';

/** One directory of a union. */
export interface AufsBranch {
  /** Absolute path. */
  readonly path: string;
  readonly permission: BranchPermission;
}

/** Branches that a kernel takes which was built with its defaults (CONFIG_AUFS_BRANCH_MAX_127). */
export const MAX_BRANCHES = 127;

/** They end a path in the option string, and there is no way to escape them. */
const INEXPRESSIBLE = /[:,=\0]/;

/** Whether aufs can be told of this path. */
export function isExpressible(path: string): boolean {
  return path !== '' && !INEXPRESSIBLE.test(path);
}

/** `<path>=<permission>`, as the options `br:` and `append:` take it. */
export function branchText({ path, permission }: AufsBranch): string {
  return `${path}=${permission}`;
}

/** @throws OPTION_INVALID for a path with one of the characters `:`, `,` and `=` */
export function assertExpressible(what: string, path: string): void {
  if (isExpressible(path)) return;
  throw new LayerStoreError(
    'OPTION_INVALID',
    `${what} ${JSON.stringify(path)} cannot be given to aufs, which has no escape for ':', ',' and '=': choose another home`,
    { option: what, path },
  );
}
