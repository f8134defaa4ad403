import { type BigIntStats, lstatSync, readdirSync } from 'node:fs';
import { childOf } from './branch-directory.js';

/** An object at one moment. Any write to it, or change of its metadata, changes `state`. */
export interface ObjectState {
  readonly directory: boolean;
  /** Another one at the same path is another object: inode numbers come again, times of birth do not. */
  readonly inode: string;
  readonly state: string;
}

/** Objects by latin-1 path from the root, a parent before what is in it; the root itself is `''`. */
export type TreeSnapshot = ReadonlyMap<string, ObjectState>;

/**
 * Looks at every object below `root`. The change time tells edits: on kernels since 6.13 one that was looked at moves with the
 * very next change, before that it stands still for some milliseconds.
 */
export function snapshotTree(root: string): TreeSnapshot {
  const objects = new Map<string, ObjectState>();
  const look = (path: Buffer, name: string): void => {
    const state = stateOf(lstatSync(path, { bigint: true }));
    objects.set(name, state);
    if (!state.directory) return;
    for (const entry of readdirSync(path, { encoding: 'buffer' })) {
      const inner = entry.toString('latin1');
      look(childOf(path, inner), name === '' ? inner : `${name}/${inner}`);
    }
  };
  look(Buffer.from(root), '');
  return objects;
}

function stateOf(stats: BigIntStats): ObjectState {
  const directory = stats.isDirectory();
  // How large a directory is says nothing, and differs from one file system to the next.
  const size = directory ? 0n : stats.size;
  return {
    directory,
    inode: `${stats.ino}:${stats.birthtimeNs}`,
    state: `${stats.mode}:${stats.uid}:${stats.gid}:${size}:${stats.mtimeNs}:${stats.ctimeNs}`,
  };
}

/** Whether nothing was changed between two looks. */
export function sameTree(a: TreeSnapshot, b: TreeSnapshot): boolean {
  if (a.size !== b.size) return false;
  for (const [path, object] of a) {
    const other = b.get(path);
    if (other?.inode !== object.inode || other.state !== object.state) return false;
  }
  return true;
}
