import { below } from './apply-edit.js';
import { type Edit, type Fill, SHORTEST_FILL } from './edit.js';
import type { EditWish } from './edit-wish.js';
import { ENTRY_NAMES } from './entry-names.js';
import { isLinked, type OutlineEntry, type TreeOutline } from './tree-outline.js';

/** What can be done where the edits will be done. */
export interface EditPowers {
  /** Owners, devices, any mode, file capabilities. */
  readonly root: boolean;
  /** The addon: nodes, xattrs, times with nanoseconds. */
  readonly native: boolean;
  /** Modes may have setuid, setgid and sticky bits. */
  readonly specialModes: boolean;
}

/** What an edit is planned on. */
export interface PlanBase {
  readonly outline: TreeOutline;
  /**
   * Inodes that had several names when the layer was begun. Only removals touch them: a union file system copies one name of a
   * lower group up and leaves the others with the old content, a plain directory does not, and both are right.
   */
  readonly inherited: ReadonlySet<string>;
  readonly powers: EditPowers;
  /** Of new content; every edit has another. */
  readonly seed: number;
}

const DEEPEST = 4;
const SIZES: readonly number[] = [0, SHORTEST_FILL, 100, 4096, 20_000];
const ROOT_MODES: readonly number[] = [
  0o644, 0o755, 0o600, 0o4755, 0o2755, 0o1777, 0o000, 0o6711, 0o7777, 0o222,
];
/** The owner can still read, write and enter. */
const USER_MODES: readonly number[] = [0o644, 0o755, 0o600, 0o700, 0o4755, 0o1777, 0o666];
const USER_DIRECTORY_MODES: readonly number[] = [0o755, 0o700, 0o1777, 0o711];
const OWNERS: readonly (readonly [uid: number, gid: number])[] = [
  [1, 2],
  [0, 0],
  [1000, 1000],
  [65_534, 65_534],
  [100_000, 5],
];
const DEVICES: readonly (readonly [major: number, minor: number])[] = [
  [1, 3],
  [8, 17],
  [200, 70_000],
];
const TARGETS: readonly string[] = ['a', '../lib/b', '/etc/passwd', 'not there', '\xff\xfe', 't'.repeat(160)];
/** No two within a second, even when unpacking has moved the one before the epoch there. One is past 2^31. */
const TIMES: readonly bigint[] = [
  1_234_567_890_123_456_789n,
  1_000_000_000_000_000_000n,
  -1_500_000_000n,
  4_000_000_000_000_000_001n,
];
/** None is empty: a pax record without a value takes the attribute away (POSIX pax, "pax Header Block"). */
const USER_XATTRS: readonly (readonly [name: string, value: string])[] = [
  ['user.note', '6869'],
  ['user.zero', '00'],
  ['user.bytes', '00ff0a3d'],
  ['user.note', '62796521'],
];
/** cap_net_bind_service, permitted and inherited; struct vfs_cap_data of revision 2 (include/uapi/linux/capability.h). */
const CAPABILITY: readonly [name: string, value: string] = [
  'security.capability',
  '0000000200040000000400000000000000000000',
];

/** Makes an edit of a wish; undefined when the tree has nothing for it. */
export function planEdit(wish: EditWish, base: PlanBase): Edit | undefined {
  const plan = new EditPlan(wish, base);
  return plan.edit();
}

class EditPlan {
  readonly #wish: EditWish;
  readonly #base: PlanBase;

  constructor(wish: EditWish, base: PlanBase) {
    this.#wish = wish;
    this.#base = base;
  }

  edit(): Edit | undefined {
    const { kind, other, value } = this.#wish;
    const { root, native } = this.#base.powers;
    switch (kind) {
      case 'create':
        return this.#new((path) => ({
          kind,
          path,
          mode: this.#mode(),
          fill: this.#fill(pick(SIZES, other)),
        }));
      case 'directory':
        return this.#new((path) => ({ kind, path, mode: this.#directoryMode() }));
      case 'symlink':
        return this.#new((path) => ({ kind, path, target: pick(TARGETS, value) }));
      case 'fifo':
        return native ? this.#new((path) => ({ kind, path, mode: this.#mode() })) : undefined;
      case 'device': {
        const [major, minor] = pick(DEVICES, value);
        if (!(native && root)) return undefined;
        return this.#new((path) => ({ kind, path, block: other % 2 === 1, mode: 0o620, major, minor }));
      }
      case 'link':
        return this.#on(this.#own('file', 'symlink', 'node'), other, (existing) =>
          this.#new((path) => ({ kind, path, existing: existing.path })),
        );
      case 'overwrite':
        return this.#on(
          this.#own('file').filter(({ size }) => size >= SHORTEST_FILL),
          this.#wish.place,
          ({ path, size }) => ({ kind, path, fill: this.#fill(size) }),
        );
      case 'append':
        return this.#on(this.#own('file'), this.#wish.place, ({ path }) => ({
          kind,
          path,
          fill: this.#fill(SHORTEST_FILL + (value % 5000)),
        }));
      case 'truncate':
        return this.#on(this.#own('file'), this.#wish.place, ({ path, size }) => ({
          kind,
          path,
          size: size === 0 ? 5000 : value % 2 === 0 ? 0 : Math.floor(size / 2),
        }));
      case 'rename':
      case 'rename-directory':
        return this.#rename(kind);
      case 'replace':
        return this.#replace();
      case 'remove':
        return this.#on(this.#all(), this.#wish.place, ({ path }) => ({ kind, path }));
      case 'recreate':
        return this.#on(this.#all('directory'), this.#wish.place, ({ path }) => ({
          kind,
          path,
          ...this.#child(),
        }));
      case 'directory-to-file':
        return this.#on(this.#all('directory'), this.#wish.place, ({ path }) => ({
          kind,
          path,
          mode: this.#mode(),
          fill: this.#fill(100),
        }));
      case 'file-to-directory':
        return this.#on(
          this.#all('file', 'symlink', 'node').filter(isShallow),
          this.#wish.place,
          ({ path }) => ({
            kind,
            path,
            mode: this.#directoryMode(),
            ...this.#child(),
          }),
        );
      case 'mode':
        return this.#on(this.#own('file', 'directory', 'node'), this.#wish.place, (entry) => ({
          kind,
          path: entry.path,
          mode: entry.kind === 'directory' ? this.#directoryMode() : this.#mode(),
        }));
      case 'owner': {
        const [uid, gid] = pick(OWNERS, value);
        if (!root) return undefined;
        return this.#on(this.#own(), this.#wish.place, ({ path }) => ({ kind, path, uid, gid }));
      }
      case 'set-xattr':
        return native
          ? this.#on(this.#own('file', 'directory'), this.#wish.place, (entry) => this.#xattr(entry))
          : undefined;
      case 'remove-xattr':
        return native
          ? this.#on(this.#own('file', 'directory'), this.#wish.place, ({ path }) => ({
              kind,
              path,
              name: pick(USER_XATTRS, value)[0],
            }))
          : undefined;
      case 'times': {
        const mtimeNs = pick(TIMES, value);
        const exact = native ? mtimeNs : mtimeNs - (mtimeNs % 1_000_000_000n);
        return this.#on(this.#own(), this.#wish.place, ({ path }) => ({ kind, path, mtimeNs: exact }));
      }
    }
  }

  #rename(kind: 'rename' | 'rename-directory'): Edit | undefined {
    const wanted = this.#movable().filter(
      (entry) => (entry.kind === 'directory') === (kind === 'rename-directory'),
    );
    return this.#on(wanted, this.#wish.place, (from) =>
      this.#new(
        (to) => (isWithin(to, from.path) ? undefined : { kind, from: from.path, to }),
        this.#wish.other,
      ),
    );
  }

  #replace(): Edit | undefined {
    return this.#on(this.#movable(), this.#wish.place, (from) =>
      this.#on(this.#replaceable(from), this.#wish.other, (to) => ({
        kind: 'replace',
        from: from.path,
        to: to.path,
      })),
    );
  }

  #movable(): readonly OutlineEntry[] {
    return this.#own().filter((entry) => this.#isMovable(entry));
  }

  /** A directory is copied where it cannot be renamed, and then no link may lead out of it. */
  #isMovable(entry: OutlineEntry): boolean {
    if (entry.kind !== 'directory') return true;
    const inside = this.#base.outline.within(entry.path).filter(isLinked);
    return inside.every(
      ({ inode, links }) =>
        !this.#base.inherited.has(inode) && inside.filter((other) => other.inode === inode).length === links,
    );
  }

  /** What `from` may be renamed onto; the other name of one file is not among them, since that does nothing (rename(2)). */
  #replaceable(from: OutlineEntry): readonly OutlineEntry[] {
    const { outline } = this.#base;
    if (from.kind !== 'directory') {
      return this.#all('file', 'symlink', 'node').filter(({ inode }) => inode !== from.inode);
    }
    return this.#all('directory').filter(
      ({ path }) =>
        !isWithin(path, from.path) && !isWithin(from.path, path) && outline.within(path).length === 1,
    );
  }

  #xattr(entry: OutlineEntry): Edit {
    const capable = this.#base.powers.root && entry.kind === 'file' && this.#wish.other % 3 === 0;
    const [name, value] = capable ? CAPABILITY : pick(USER_XATTRS, this.#wish.value);
    return { kind: 'set-xattr', path: entry.path, name, value };
  }

  /** An edit that makes a name that is not there yet. */
  #new(make: (path: string) => Edit | undefined, place: number = this.#wish.place): Edit | undefined {
    const directories = this.#base.outline.entries.filter(
      (entry) => entry.kind === 'directory' && (entry.path === '' || isShallow(entry)),
    );
    const directory = pick(directories, place).path;
    for (let tries = 0; tries < ENTRY_NAMES.length; tries++) {
      const path = below(directory, pick(ENTRY_NAMES, this.#wish.name + tries));
      if (!this.#base.outline.has(path)) return make(path);
    }
    return undefined;
  }

  #on(
    candidates: readonly OutlineEntry[],
    choice: number,
    make: (entry: OutlineEntry) => Edit | undefined,
  ): Edit | undefined {
    return candidates.length === 0 ? undefined : make(pick(candidates, choice));
  }

  /** Everything below the root, of these kinds if any are named. */
  #all(...kinds: readonly OutlineEntry['kind'][]): readonly OutlineEntry[] {
    return this.#base.outline.entries.filter(
      ({ path, kind }) => path !== '' && (kinds.length === 0 || kinds.includes(kind)),
    );
  }

  /** Of these, what may be changed in place. */
  #own(...kinds: readonly OutlineEntry['kind'][]): readonly OutlineEntry[] {
    return this.#all(...kinds).filter(({ inode }) => !this.#base.inherited.has(inode));
  }

  #mode(): number {
    return this.#allowed(this.#base.powers.root ? ROOT_MODES : USER_MODES, this.#wish.value);
  }

  #directoryMode(): number {
    return this.#allowed(this.#base.powers.root ? ROOT_MODES : USER_DIRECTORY_MODES, this.#wish.value + 1);
  }

  #allowed(modes: readonly number[], choice: number): number {
    return pick(modes, choice) & (this.#base.powers.specialModes ? 0o7777 : 0o777);
  }

  #fill(size: number): Fill {
    return { seed: this.#base.seed, size };
  }

  #child(): { readonly child: string; readonly fill: Fill } {
    return { child: pick(ENTRY_NAMES, this.#wish.name), fill: this.#fill(SHORTEST_FILL) };
  }
}

function isShallow({ path }: OutlineEntry): boolean {
  return path.split('/').length < DEEPEST;
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}

function pick<T>(choices: readonly T[], number: number): T {
  const chosen = choices[number % choices.length];
  if (chosen === undefined) throw new RangeError('there is nothing to choose from');
  return chosen;
}
