import { lstatSync, mkdirSync, realpathSync, rmdirSync } from 'node:fs';
import { chown } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { errnoOf, LayerStoreError } from '@x/archive';
import type { DriverId } from '@x/layer-store';
import { mountsBelow, readMountInfo } from '@x/layer-store/driver-kit';
import type { OverlayMounter } from '../mount/overlay-mounter.js';
import type { LayerFiles } from './layer-files.js';
import type { LowerChains } from './lower-chains.js';
import { LINKS } from './lower-list.js';

/** `merged` exists only while it is mounted, or until the next touch after a crash. */
const MERGED = 'merged';
const MERGED_MODE = 0o700;

/** Owner of directories that the kernel makes and that a mapped root must be able to change. */
interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The merged views of the layers of one home (spec/drivers.md 4.8, 4.9). A layer without a parent is its own directory; one
 * that has children is shown read-only, as it is part of other views. Calls for one id do not overlap.
 */
export class MergedViews {
  readonly #files: LayerFiles;
  readonly #chains: LowerChains;
  readonly #mounter: OverlayMounter;
  readonly #owner: Owner | undefined;
  /** What this instance has handed out, and whether it can be written to. */
  readonly #used = new Map<DriverId, 'read-only' | 'read-write'>();

  constructor(files: LayerFiles, chains: LowerChains, mounter: OverlayMounter, owner: Owner | undefined) {
    this.#files = files;
    this.#chains = chains;
    this.#mounter = mounter;
    this.#owner = owner;
  }

  /** What was handed out is nobody's any more: views that are kept mounted belong to whoever finds them. */
  forget(): void {
    this.#used.clear();
  }

  /** Mounts, or returns what is mounted already. */
  async get(id: DriverId, label: string | undefined): Promise<string> {
    const { links } = await this.#chains.below(id);
    if (links.length === 0) return this.#files.diff(id);
    const target = this.#files.merged(id);
    const kind = this.#files.isCommitted(id) ? 'read-only' : 'read-write';
    if (makeDirectory(target) || !(await this.isMounted(id))) {
      try {
        await this.#mount(id, target, kind, label);
      } catch (error) {
        removeDirectory(target);
        throw error;
      }
    }
    this.#used.set(id, kind);
    return target;
  }

  /** Takes the view away, whoever works in it; its directory goes too, and with it copies in other mount namespaces. */
  async put(id: DriverId): Promise<void> {
    this.#used.delete(id);
    await this.#unmount(id);
  }

  /** Looks at `merged` only: on the way of every mount this has to be quick. */
  async isMounted(id: DriverId): Promise<boolean> {
    const target = this.#files.merged(id);
    try {
      const merged = lstatSync(target, { throwIfNoEntry: false });
      return merged !== undefined && merged.dev !== lstatSync(dirname(target)).dev;
    } catch (error) {
      // The program that served it is dead: there is nothing to use.
      if (errnoOf(error) !== 'ENOTCONN') throw error;
      await this.#mounter.unmount(target);
      return false;
    }
  }

  /** Every layer that is mounted, by this process or a dead one. */
  async mounted(): Promise<DriverId[]> {
    const home = realpathSync(this.#files.home);
    const ids = new Set<DriverId>();
    for (const entry of mountsBelow(await readMountInfo(), home)) {
      const layer = dirname(entry.mountPoint);
      if (basename(entry.mountPoint) !== MERGED || dirname(layer) !== home) continue;
      const id = basename(layer) as DriverId;
      if (this.#mounter.recognizes(entry) && (await this.isMounted(id))) ids.add(id);
    }
    return [...ids];
  }

  /** Unmounts what a dead process left. DRIVER_BUSY while somebody works in it. */
  async evict(id: DriverId): Promise<void> {
    const target = this.#files.merged(id);
    if (await this.isMounted(id)) await this.#mounter.unmountIdle(target);
    else if (lstatSync(target, { throwIfNoEntry: false }) === undefined) return;
    removeDirectory(target);
  }

  /**
   * Makes sure that a layer is not written to while it is a lower of another, which overlay does not define: a container's layer in use
   * is refused (DRIVER_BUSY), an image's is read-only from here on unless somebody is writing to it. What nobody here uses, as an
   * `-init` layer that was given up, is unmounted. True if a view became read-only.
   */
  async freeze(id: DriverId): Promise<boolean> {
    const use = this.#used.get(id);
    if (use === undefined) {
      if (!this.#files.isCommitted(id)) await this.evict(id);
      return false;
    }
    if (use === 'read-only') return false;
    const target = this.#files.merged(id);
    if (!this.#files.isImage(id)) {
      throw new LayerStoreError(
        'DRIVER_BUSY',
        `layer ${id} is mounted read-write and cannot have a child now: unmount it first`,
        { cacheId: id, path: target },
      );
    }
    await this.#mounter.setReadOnly(target, true);
    this.#used.set(id, 'read-only');
    return true;
  }

  /** Undoes {@link freeze} when the child did not come to be. */
  async thaw(id: DriverId): Promise<void> {
    await this.#mounter.setReadOnly(this.#files.merged(id), false);
    this.#used.set(id, 'read-write');
  }

  /** Unmounts every view below the home. Goes on after a failure and throws the last one. */
  async cleanup(): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    for (const id of await this.mounted()) {
      try {
        await this.put(id);
      } catch (error) {
        failure = { error };
      }
    }
    if (failure !== undefined) throw failure.error;
  }

  async #mount(
    id: DriverId,
    target: string,
    kind: 'read-only' | 'read-write',
    label: string | undefined,
  ): Promise<void> {
    try {
      await this.#tryMount(id, target, kind, label);
    } catch (error) {
      // A lost link is not looked for before, which would cost two calls a layer with every mount.
      if (!(await this.#chains.restore(id))) throw error;
      await this.#tryMount(id, target, kind, label);
    }
    if (this.#owner === undefined || kind === 'read-only') return;
    // Made by the kernel as root; moving a directory in the view goes through it.
    const { uid, gid } = this.#owner;
    await chown(this.#files.path(id, 'work', 'work'), uid, gid);
  }

  async #tryMount(
    id: DriverId,
    target: string,
    kind: 'read-only' | 'read-write',
    label: string | undefined,
  ): Promise<void> {
    const { links } = await this.#chains.below(id);
    const lowers = links.map((link) => `${LINKS}/${link}`);
    const own = `${id}/diff`;
    const writable = kind === 'read-write';
    await this.#mounter.mount({
      home: this.#files.home,
      target,
      lowers: writable ? lowers : [own, ...lowers],
      upper: writable ? own : undefined,
      work: writable ? `${id}/work` : undefined,
      label,
    });
  }

  async #unmount(id: DriverId): Promise<void> {
    const target = this.#files.merged(id);
    await this.#mounter.unmount(target);
    removeDirectory(target);
  }
}

/** False if it is there already. */
function makeDirectory(path: string): boolean {
  try {
    mkdirSync(path, MERGED_MODE);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function removeDirectory(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}
