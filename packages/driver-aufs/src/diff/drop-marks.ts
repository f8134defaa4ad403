import { rm } from 'node:fs/promises';
import { RootDirectory } from '@x/archive';

const MARK_PREFIX = '.wh.';
const S_IFDIR = 0o040000;

/**
 * Removes whiteouts and opaque marks from the branch of a layer without parent: there is nothing they could hide, and
 * such a branch is shown as it is, without a union that would hide them.
 */
export async function dropMarks(branch: string): Promise<void> {
  await using root = RootDirectory.open(branch);
  const base = Buffer.from(`${branch}/`);
  const pending = [''];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    using directory = root.directory(Buffer.from(path, 'latin1'));
    for (const { name, type } of directory.list()) {
      const inner = path === '' ? name : `${path}/${name}`;
      if (name.startsWith(MARK_PREFIX)) {
        await rm(Buffer.concat([base, Buffer.from(inner, 'latin1')]), { recursive: true, force: true });
      } else if (type === S_IFDIR) {
        pending.push(inner);
      }
    }
  }
}
