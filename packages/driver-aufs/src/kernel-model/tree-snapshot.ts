import { RootDirectory } from '@x/archive';

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;

/** An object at one moment. Any write to it, or change of its metadata, changes `state`. */
export interface ObjectState {
  readonly directory: boolean;
  /** Another inode at the same path is another object. */
  readonly inode: string;
  readonly state: string;
}

/** Objects by latin-1 path from the root; the root itself is `''`. */
export type TreeSnapshot = ReadonlyMap<string, ObjectState>;

/**
 * Looks at every object below `root`. The change time tells edits: on kernels since 6.13 one that was looked at moves with the
 * very next change, before that it stands still for some milliseconds.
 */
export async function snapshotTree(root: string): Promise<TreeSnapshot> {
  await using tree = RootDirectory.open(root);
  const objects = new Map<string, ObjectState>([['', stateOf(tree.top.stat())]]);
  const pending = [''];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    using directory = tree.directory(Buffer.from(path, 'latin1'));
    for (const { name } of directory.list()) {
      const inner = path === '' ? name : `${path}/${name}`;
      const state = stateOf(directory.lstat(name));
      objects.set(inner, state);
      if (state.directory) pending.push(inner);
    }
  }
  return objects;
}

function stateOf(stat: ReturnType<RootDirectory['lstat']>): ObjectState {
  const { mode, uid, gid, size, mtimeNs, ctimeNs, ino } = stat;
  const directory = (mode & S_IFMT) === S_IFDIR;
  return {
    directory,
    inode: String(ino),
    // How large a directory is says nothing, and differs from one file system to the next.
    state: `${mode}:${uid}:${gid}:${directory ? 0 : size}:${mtimeNs}:${ctimeNs}`,
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
