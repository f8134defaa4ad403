import { chmod, chown, lstat, mkdir, open, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, removeTree } from '@x/archive';
import type { DriverId } from '@x/layer-store';

/** Ids begin with a letter or digit, so none of these can be one. */
const STAGED = '.tmp-';
const TRASHED = '.trash-';

/** Who may pass through `home` and `dir`: content of layers is nobody else's business, set-user-id programs least of all. */
export interface HomeAccess {
  readonly mode: number;
  /** The mapped root's group; undefined leaves the group of the process. */
  readonly gid: number | undefined;
}

/**
 * `<home>/dir/<id>`, Docker's layout. A layer appears under its id by one rename, complete, and leaves it by one rename;
 * what a kill leaves behind has another name and goes with the next {@link open}.
 */
export class LayerDirectories {
  readonly #home: string;
  readonly #base: string;
  readonly #access: HomeAccess;

  constructor(home: string, access: HomeAccess) {
    this.#home = home;
    this.#base = join(home, 'dir');
    this.#access = access;
  }

  path(id: DriverId): string {
    return join(this.#base, id);
  }

  /** Makes the directories and deletes what a dead process left half made or half removed. */
  async open(): Promise<void> {
    await this.#make(this.#home);
    await this.#make(this.#base);
    for (const name of await readdir(this.#base)) {
      if (name.startsWith(STAGED) || name.startsWith(TRASHED)) await removeTree(join(this.#base, name));
    }
  }

  /** Fills a directory by `fill`, which is given a path that does not exist, and puts it under `id`. */
  async publish(id: DriverId, fill: (path: string) => Promise<void>): Promise<void> {
    const staged = join(this.#base, STAGED + id);
    await removeTree(staged);
    try {
      await fill(staged);
      await rename(staged, this.path(id));
    } catch (error) {
      // The failure to report is the first one; the next open clears away what could not be removed now.
      await removeTree(staged).catch(() => undefined);
      throw error;
    }
    await this.#sync();
  }

  /** Takes the layer away. Unknown is fine, and so is one whose removal was interrupted. */
  async remove(id: DriverId): Promise<void> {
    const trashed = join(this.#base, TRASHED + id);
    await removeTree(trashed);
    try {
      await rename(this.path(id), trashed);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return;
      throw error;
    }
    await this.#sync();
    await removeTree(trashed);
  }

  async exists(id: DriverId): Promise<boolean> {
    try {
      return (await lstat(this.path(id))).isDirectory();
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false;
      throw error;
    }
  }

  async list(): Promise<DriverId[]> {
    const entries = await readdir(this.#base, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map((entry) => entry.name as DriverId)
      .sort();
  }

  /** What exists keeps the access its owner gave it. */
  async #make(path: string): Promise<void> {
    const { mode, gid } = this.#access;
    if ((await mkdir(path, { recursive: true, mode })) === undefined) return;
    // The mode of mkdir is subject to the umask.
    await chmod(path, mode);
    if (gid !== undefined) await chown(path, process.geteuid?.() ?? 0, gid);
  }

  async #sync(): Promise<void> {
    await using directory = await open(this.#base, 'r');
    await directory.sync();
  }
}
