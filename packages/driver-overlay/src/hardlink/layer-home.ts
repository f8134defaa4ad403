import { chmod, chown, mkdir, readdir, realpath, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf, LayerStoreError } from '@x/archive';
import type { DriverId } from '@x/layer-store';
import { removeRobustly } from '@x/layer-store/driver-kit';
import { HARDLINK_FAILPOINTS } from './failpoints.js';
import { isLayerId, LayerDirectory } from './layer-directory.js';

/** Ids begin with a letter or digit, so none of these can be one. */
const STAGED = '.tmp-';
const TRASHED = '.trash-';

/** Who may pass through the home: content of layers is nobody else's business, set-user-id programs least of all. */
export interface HomeAccess {
  readonly mode: number;
  /** The mapped root's group; undefined leaves the group of the process. */
  readonly gid: number | undefined;
}

/**
 * The directories of the layers in a home. A layer appears under its id by one rename, complete, and leaves by one rename;
 * what a kill leaves behind has another name and goes with the next {@link open}.
 *
 * Nothing is flushed here: the store flushes the file system (`sync`) before it records a layer, and takes back what it has
 * not recorded. What a power cut damages shows itself as `damaged`, and can be removed.
 */
export class LayerHome {
  readonly path: string;
  readonly #access: HomeAccess;
  #mountPrefix: string | undefined;

  constructor(path: string, access: HomeAccess) {
    this.path = path;
    this.#access = access;
  }

  layer(id: DriverId): LayerDirectory {
    return new LayerDirectory(join(this.path, id));
  }

  /** Makes the home; deletes what a dead process left half made or half removed, in layers too. */
  async open(): Promise<void> {
    const { mode, gid } = this.#access;
    if ((await mkdir(this.path, { recursive: true, mode })) !== undefined) {
      // The mode of mkdir is subject to the umask.
      await chmod(this.path, mode);
      if (gid !== undefined) await chown(this.path, process.geteuid?.() ?? 0, gid);
    }
    this.#mountPrefix = await realpath(this.path);
    for (const name of await readdir(this.path)) {
      if (name.startsWith(STAGED) || name.startsWith(TRASHED)) await removeRobustly(join(this.path, name));
    }
    for (const id of await this.list()) {
      const layer = this.layer(id);
      for (const leftover of await layer.leftovers(await layer.shape())) await removeRobustly(leftover);
    }
  }

  /** Fills a directory by `fill`, which is given one that exists and is empty, and puts it under `id`. */
  async publish(id: DriverId, fill: (layer: LayerDirectory) => Promise<void>): Promise<void> {
    const staged = new LayerDirectory(join(this.path, STAGED + id));
    await removeRobustly(staged.path);
    try {
      await HARDLINK_FAILPOINTS.step('hardlink.create-fill', async () => {
        // World-searchable: a mapped root is another user. The home keeps everybody else out.
        await mkdir(staged.path);
        await chmod(staged.path, 0o755);
        await fill(staged);
      });
      await HARDLINK_FAILPOINTS.step('hardlink.create-publish', () =>
        rename(staged.path, this.layer(id).path),
      );
    } catch (error) {
      // The failure to report is the first one; the next open clears away what could not be removed now.
      await removeRobustly(staged.path).catch(() => undefined);
      const errno = errnoOf(error);
      if (errno === 'ENOTEMPTY' || errno === 'EEXIST' || errno === 'ENOTDIR') throw this.#foreign(id, error);
      throw error;
    }
  }

  /** Takes the layer away. Nothing is mounted in it; unknown is fine, and so is one whose removal was interrupted. */
  async remove(id: DriverId, beforeDeletion: (path: string) => Promise<void>): Promise<void> {
    const trashed = join(this.path, TRASHED + id);
    await removeRobustly(trashed);
    const there = await HARDLINK_FAILPOINTS.step('hardlink.remove-hide', () => this.#hide(id, trashed));
    if (!there) return;
    await HARDLINK_FAILPOINTS.step('hardlink.remove-delete', async () => {
      await beforeDeletion(trashed);
      await removeRobustly(trashed);
    });
  }

  /** Every directory that is a layer; others have nothing to do with this driver and are left alone. */
  async list(): Promise<DriverId[]> {
    const ids: DriverId[] = [];
    for (const entry of await readdir(this.path, { withFileTypes: true })) {
      if (!entry.isDirectory() || !isLayerId(entry.name)) continue;
      const id = entry.name;
      if ((await this.layer(id).shape()).kind !== 'none') ids.push(id);
    }
    return ids.sort();
  }

  /** The layer whose view is mounted at a mount point, as the mount table spells it. */
  layerAt(mountPoint: string): DriverId | undefined {
    const layer = dirname(mountPoint);
    const id = basename(layer);
    return basename(mountPoint) === 'merged' && dirname(layer) === this.#mountPrefix && isLayerId(id)
      ? id
      : undefined;
  }

  async #hide(id: DriverId, trashed: string): Promise<boolean> {
    const layer = this.layer(id);
    // A directory that is no layer is somebody else's: not ours to delete.
    if ((await layer.shape()).kind === 'none') return false;
    await rename(layer.path, trashed);
    return true;
  }

  #foreign(id: DriverId, cause: unknown): LayerStoreError {
    const { path } = this.layer(id);
    return new LayerStoreError(
      'DRIVER_STATE_FOREIGN',
      `"${path}" is in the way of a new layer and is none itself: move it elsewhere`,
      { driver: 'overlay', cacheId: id, path, cause },
    );
  }
}
