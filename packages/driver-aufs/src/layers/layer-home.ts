import type { Stats } from 'node:fs';
import { chmod, chown, lstat, mkdir, readdir, readFile, realpath, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, LayerStoreError } from '@x/archive';
import type { DriverId } from '@x/layer-store';
import {
  removeRobustly,
  syncDirectory,
  UNFINISHED_PREFIX,
  writeFileDurably,
} from '@x/layer-store/driver-kit';
import { type AufsFailpoint, step } from '../failpoints.js';
import { lockFile, tryLockFile } from './file-lock.js';
import { formatParents, isLayerName, parseParents, REMOVING_SUFFIX } from './parents-list.js';

/** With an id map the remapped root's group may pass through; nobody else needs to. */
const HOME_MODE = 0o710;
/** Of the root of a layer without parent; a child has its parent's. */
const LAYER_MODE = 0o755;
const LIST_MODE = 0o644;
/** Scratch directories of a process that died. */
export const SCRATCH_PREFIX = '.scratch-';

/** Who owns what is made. */
export interface HomeOwner {
  /** Of layers. */
  readonly root: { readonly uid: number; readonly gid: number };
  /** Of the home's directories; undefined leaves the process's own. */
  readonly gid: number | undefined;
}

/** What {@link LayerHome.open} asks of whoever knows what is mounted. */
export interface HomeSweep {
  /** Ends a mount at a mount point that belongs to no layer; false when it cannot be. */
  release(mountPoint: string): Promise<boolean>;
  /** Something was left where it is, for the next sweep. */
  failed(path: string, error: unknown): void;
}

/**
 * Docker's layout (spec/drivers.md 3.1): `layers/<id>` lists the ancestors, `diff/<id>` holds the layer's own files,
 * `mnt/<id>` is where its union is mounted. The list is written last and deleted first: a layer exists as long as its list
 * does, and directories without one are remnants, which the next {@link open} deletes.
 */
export class LayerHome {
  readonly path: string;
  readonly #owner: HomeOwner;
  #real: string;

  constructor(path: string, owner: HomeOwner) {
    this.path = path;
    this.#real = path;
    this.#owner = owner;
  }

  /** The layer's own files, by a path without links: the kernel shows branches and mount points so. */
  branch(id: DriverId): string {
    return join(this.#real, 'diff', id);
  }

  mountPoint(id: DriverId): string {
    return join(this.#real, 'mnt', id);
  }

  /** The layer whose mount point that is. */
  layerAt(mountPoint: string): DriverId | undefined {
    const name = mountPoint.slice(mountPoint.lastIndexOf('/') + 1);
    return isLayerName(name) && this.mountPoint(name) === mountPoint ? name : undefined;
  }

  /** Where everything is mounted. */
  get mounts(): string {
    return join(this.#real, 'mnt');
  }

  /** Makes the directories and deletes what is left of layers that are gone or never were. */
  async open(sweep: HomeSweep): Promise<void> {
    await this.#makeDirectory(this.path);
    this.#real = await realpath(this.path);
    await this.#requireLists();
    for (const name of ['layers', 'diff', 'mnt']) await this.#makeDirectory(this.#at(name));
    await this.#sweepRemoving(sweep);
    // Between its first directory and its list a new layer looks like a remnant: not while somebody makes one.
    await using lock = await tryLockFile(this.#lock);
    if (lock !== undefined) await this.#sweepOrphans(sweep);
  }

  /** @throws LAYER_MAX_DEPTH before anything is made */
  async create(id: DriverId, parents: readonly DriverId[]): Promise<void> {
    await using _lock = await lockFile(this.#lock, 'shared');
    const [parent] = parents;
    const like = parent === undefined ? undefined : await this.#rootOf(parent);
    // What an unfinished removal of the same id left is in the way.
    for (const directory of [this.branch(id), this.mountPoint(id)]) {
      const aside = await this.#setAside(directory);
      if (aside !== undefined) await removeRobustly(aside);
    }
    await step('aufs-create.mount-point', () => this.#makeLayerRoot(this.mountPoint(id), undefined));
    await step('aufs-create.branch', () => this.#makeLayerRoot(this.branch(id), like));
    await syncDirectory(this.#at('mnt'));
    await syncDirectory(this.#at('diff'));
    await step('aufs-create.parents', () =>
      writeFileDurably(this.#list(id), formatParents(parents), LIST_MODE),
    );
  }

  /** The layer must not be mounted. Also of one that does not exist, or only in parts. */
  async remove(id: DriverId): Promise<void> {
    await step('aufs-remove.parents', async () => {
      await rm(this.#list(id), { force: true });
      await syncDirectory(this.#at('layers'));
    });
    const branch = await step('aufs-remove.set-aside-branch', () => this.#setAside(this.branch(id)));
    const mountPoint = await step('aufs-remove.set-aside-mount-point', () =>
      this.#setAside(this.mountPoint(id)),
    );
    await this.#delete('aufs-remove.delete-branch', branch);
    await this.#delete('aufs-remove.delete-mount-point', mountPoint);
  }

  async exists(id: DriverId): Promise<boolean> {
    return (await statIfThere(this.#list(id)))?.isFile() ?? false;
  }

  async list(): Promise<DriverId[]> {
    const entries = await readdir(this.#at('layers'), { withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && isLayerName(entry.name))
      .map(({ name }) => name as DriverId)
      .sort();
  }

  /** Ancestors, the nearest first. @throws DRIVER_STATE_DAMAGED */
  async parents(id: DriverId): Promise<DriverId[]> {
    const path = this.#list(id);
    return parseParents(await readFile(path, 'utf8'), path);
  }

  /** Makes the mount point again where it was lost. */
  async prepareMountPoint(id: DriverId): Promise<string> {
    const path = this.mountPoint(id);
    if ((await statIfThere(path)) === undefined) await this.#makeLayerRoot(path, undefined);
    return path;
  }

  get #lock(): string {
    return this.#at('.lock');
  }

  #at(name: string): string {
    return join(this.#real, name);
  }

  #list(id: DriverId): string {
    return join(this.#real, 'layers', id);
  }

  /** What exists keeps the access its owner gave it. */
  async #makeDirectory(path: string): Promise<void> {
    if ((await mkdir(path, { recursive: true, mode: HOME_MODE })) === undefined) return;
    // The mode of mkdir is subject to the umask.
    await chmod(path, HOME_MODE);
    if (this.#owner.gid !== undefined) await chown(path, process.geteuid?.() ?? 0, this.#owner.gid);
  }

  /** The root of a union looks like that of its top branch: a child's is like its parent's. */
  async #makeLayerRoot(path: string, like: LayerRoot | undefined): Promise<void> {
    const { uid, gid } = like ?? this.#owner.root;
    await mkdir(path);
    await chown(path, uid, gid);
    await chmod(path, like === undefined ? LAYER_MODE : like.mode & 0o7777);
  }

  async #rootOf(id: DriverId): Promise<LayerRoot> {
    return await requireBranch(this.branch(id), id);
  }

  /**
   * Lists that are lost while the layers are there would make a sweep delete them all.
   * @throws DRIVER_STATE_DAMAGED
   */
  async #requireLists(): Promise<void> {
    if ((await statIfThere(this.#at('layers'))) !== undefined) return;
    const branches = (await namesIn(this.#at('diff'))).filter(isLayerName);
    if (branches.length === 0) return;
    throw new LayerStoreError(
      'DRIVER_STATE_DAMAGED',
      `${this.path} has ${branches.length} layers in diff, but no directory layers: restore it, or move diff away`,
      { driver: 'aufs', path: this.#at('layers') },
    );
  }

  async #sweepRemoving(sweep: HomeSweep): Promise<void> {
    for (const name of await namesIn(this.#real)) {
      if (name.startsWith(SCRATCH_PREFIX)) await this.#sweep(sweep, 'aufs-sweep.delete', this.#at(name));
    }
    for (const parent of ['diff', 'mnt']) {
      for (const name of await namesIn(this.#at(parent))) {
        if (!name.endsWith(REMOVING_SUFFIX)) continue;
        await this.#sweep(sweep, 'aufs-sweep.delete', join(this.#at(parent), name));
      }
    }
  }

  async #sweepOrphans(sweep: HomeSweep): Promise<void> {
    for (const name of await namesIn(this.#at('layers'))) {
      if (name.startsWith(UNFINISHED_PREFIX)) await rm(join(this.#at('layers'), name), { force: true });
    }
    for (const parent of ['diff', 'mnt']) {
      for (const entry of await readdir(this.#at(parent), { withFileTypes: true })) {
        // Whatever has a name that no layer can have is somebody else's.
        if (!entry.isDirectory() || !isLayerName(entry.name) || (await this.exists(entry.name))) continue;
        const path = join(this.#at(parent), entry.name);
        try {
          if (parent === 'mnt' && !(await sweep.release(path))) continue;
          const aside = await step('aufs-sweep.set-aside-orphan', () => this.#setAside(path));
          await this.#delete('aufs-sweep.delete-orphan', aside);
        } catch (error) {
          sweep.failed(path, error);
        }
      }
    }
  }

  async #sweep(sweep: HomeSweep, name: AufsFailpoint, path: string): Promise<void> {
    try {
      await this.#delete(name, path);
    } catch (error) {
      sweep.failed(path, error);
    }
  }

  #delete(name: AufsFailpoint, path: string | undefined): Promise<void> {
    return step(name, async () => {
      if (path !== undefined) await removeRobustly(path);
    });
  }

  /** Renames to a name that is doomed, which needs no space on a full disk. Undefined: there is nothing. */
  async #setAside(path: string): Promise<string | undefined> {
    for (let attempt = 0; ; attempt++) {
      const aside = `${path}${attempt === 0 ? '' : `-${attempt}`}${REMOVING_SUFFIX}`;
      try {
        await rename(path, aside);
        return aside;
      } catch (error) {
        const errno = errnoOf(error);
        if (errno === 'ENOENT') return undefined;
        // A directory that is not empty is in the way: an earlier removal that was interrupted.
        if (errno !== 'EEXIST' && errno !== 'ENOTEMPTY' && errno !== 'ENOTDIR') throw error;
      }
    }
  }
}

interface LayerRoot {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** @throws DRIVER_STATE_DAMAGED when the directory has vanished */
export async function requireBranch(path: string, id: string): Promise<LayerRoot> {
  const stats = await statIfThere(path);
  if (stats?.isDirectory() === true) return stats;
  throw new LayerStoreError(
    'DRIVER_STATE_DAMAGED',
    `the files of layer ${id} are gone, ${path} is no directory: restore it, or remove the layer and those on it`,
    { driver: 'aufs', cacheId: id, path },
  );
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
