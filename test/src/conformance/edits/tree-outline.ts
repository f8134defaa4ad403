import type { BigIntStats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { at, below } from './apply-edit.js';

/** An object of a tree, as much as is needed to plan an edit of it. */
export interface OutlineEntry {
  /** As in an edit; `''` is the root. */
  readonly path: string;
  readonly kind: 'directory' | 'file' | 'symlink' | 'node';
  readonly size: number;
  /** Identity of the object: equal for the names of one hard-link group. */
  readonly inode: string;
  readonly links: number;
  readonly mode: number;
}

/** What is where in a tree; in the same order whenever it is the same. */
export class TreeOutline {
  readonly entries: readonly OutlineEntry[];
  readonly #paths: ReadonlySet<string>;

  private constructor(entries: readonly OutlineEntry[]) {
    this.entries = entries;
    this.#paths = new Set(entries.map(({ path }) => path));
  }

  static async of(root: string): Promise<TreeOutline> {
    const entries: OutlineEntry[] = [];
    const visit = async (path: string): Promise<void> => {
      const entry = outlineEntry(path, await lstat(at(root, path), { bigint: true }));
      entries.push(entry);
      if (entry.kind !== 'directory') return;
      const names = await readdir(at(root, path), { encoding: 'latin1' });
      for (const name of names.sort()) await visit(below(path, name));
    };
    await visit('');
    return new TreeOutline(entries);
  }

  has(path: string): boolean {
    return this.#paths.has(path);
  }

  /** Of a directory: itself and all below it. */
  within(path: string): readonly OutlineEntry[] {
    return this.entries.filter((entry) => entry.path === path || entry.path.startsWith(`${path}/`));
  }

  /** Inodes with more than one name. */
  linkedInodes(): ReadonlySet<string> {
    return new Set(this.entries.filter(isLinked).map(({ inode }) => inode));
  }
}

/** The object has further names. */
export function isLinked(entry: OutlineEntry): boolean {
  return entry.kind !== 'directory' && entry.links > 1;
}

function outlineEntry(path: string, stat: BigIntStats): OutlineEntry {
  return {
    path,
    kind: stat.isDirectory()
      ? 'directory'
      : stat.isFile()
        ? 'file'
        : stat.isSymbolicLink()
          ? 'symlink'
          : 'node',
    size: Number(stat.size),
    inode: `${stat.dev}:${stat.ino}`,
    links: Number(stat.nlink),
    mode: Number(stat.mode & 0o7777n),
  };
}
