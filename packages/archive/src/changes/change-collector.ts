/** Gathers changes by path and adds the directories that hold them. */
import { nameBytes, parentName } from '../root/byte-name.js';
import type { Change, ChangeKind } from './change.js';
import { compareChanges } from './change.js';

/** Paths are latin-1, relative, without a leading slash. */
export class ChangeCollector {
  readonly #kinds: Map<string, ChangeKind> = new Map();

  /** Records the change of a path itself; it wins over "holds a change". */
  record(kind: ChangeKind, path: string): void {
    this.#kinds.set(path, kind);
  }

  /** Lists every directory above the path that is not listed yet as modified. The root is never listed. */
  touchParents(path: string): void {
    for (let parent = parentName(path); parent !== ''; parent = parentName(parent)) {
      // Whoever put it there has done the same for all above it.
      if (this.#kinds.has(parent)) return;
      this.#kinds.set(parent, 'modify');
    }
  }

  has(path: string): boolean {
    return this.#kinds.has(path);
  }

  /** Sorted bytewise by path, every parent before what it holds. */
  list(): Change[] {
    const changes: Change[] = [];
    for (const [path, kind] of this.#kinds) changes.push({ kind, path: nameBytes(`/${path}`) });
    return changes.sort(compareChanges);
  }
}
