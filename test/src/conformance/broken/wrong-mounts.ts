import { open, rm } from 'node:fs/promises';
import path from 'node:path';
import { copyTree } from '@x/archive';
import { VfsDriver } from '@x/driver-vfs';
import type { CreateOptions, DriverId } from '@x/layer-store';
import { BindMountedVfs } from './bind-mounted-vfs.js';
import { type BrokenDriver, factoryOf, layerDirectory } from './broken-driver.js';

/** Uses that are not counted, not kept apart, or never end. */
export const WRONG_MOUNTS: readonly BrokenDriver[] = [
  {
    breaks: 'gives another path with every get',
    factory: factoryOf(
      class extends VfsDriver {
        #gets = 0;
        override async get(id: string): Promise<string> {
          this.#gets += 1;
          return `${await super.get(id)}${'/.'.repeat(this.#gets)}`;
        }
      },
    ),
    check: 'mounts: every get gives the same absolute path',
    reason: /path of get 2: expected '.*\/\.', found '.*\/\.\/\.'/s,
  },
  {
    breaks: 'ends every use of a layer with the first put',
    factory: factoryOf(
      class extends BindMountedVfs {
        override async put(id: string): Promise<void> {
          await super.put(id);
          await this._put(id as DriverId);
        }
      },
    ),
    check: 'mounts: every get gives the same absolute path',
    reason: /file f: cannot be looked up: ENOENT/,
    needs: ['root', 'native'],
  },
  {
    breaks: 'removes layers that are in use',
    factory: factoryOf(
      class extends VfsDriver {
        override remove(id: string): Promise<void> {
          return this._remove(id as DriverId);
        }
      },
    ),
    check: 'mounts: a layer in use cannot be removed',
    reason: /remove of layer with two uses: expected a failure/,
  },
  {
    breaks: 'removes a layer whose diff is read',
    factory: factoryOf(
      class extends VfsDriver {
        override async remove(id: string): Promise<void> {
          await super.remove(id).catch(() => this._remove(id as DriverId));
        }
      },
    ),
    check: 'concurrency: a layer, and the one it is compared with, cannot be removed while its diff is read',
    reason: /remove of a layer whose diff is read: expected a failure/,
  },
  {
    breaks: 'keeps a layer in use when the work in it fails',
    factory: factoryOf(
      class extends VfsDriver {
        override async withMount<T>(id: string, use: (path: string) => Promise<T>): Promise<T> {
          const result = await use(await this.get(id));
          await this.put(id);
          return result;
        }
      },
    ),
    check: 'mounts: withMount gives the layer up when its work fails',
    reason: /in use and cannot be removed/,
  },
  {
    breaks: 'shares the files of a layer with its children, and lets them write to those',
    factory: factoryOf(
      class extends VfsDriver {
        protected override async _create(
          id: DriverId,
          parent: DriverId | undefined,
          options: CreateOptions,
          signal: AbortSignal | undefined,
        ): Promise<void> {
          if (parent === undefined) await super._create(id, parent, options, signal);
          else await copyTree(layerDirectory(this, parent), layerDirectory(this, id), { mode: 'hardlink' });
        }
      },
    ),
    check: 'mounts: appending to a file of the layer below keeps what it had',
    reason: /(has other content|expected size)/,
  },
  {
    breaks: 'deletes layers when it cleans up',
    factory: factoryOf(
      class extends VfsDriver {
        protected override async _cleanup(): Promise<void> {
          for (const id of await this._list()) await this._remove(id);
        }
      },
    ),
    check: 'mounts: cleanup ends every use, more than once, and deletes no layer',
    reason: /has no layer layer|DRIVER_ID_UNKNOWN/,
  },
  {
    breaks: 'loses what was written when the last use ends',
    factory: factoryOf(
      class extends VfsDriver {
        protected override async _put(): Promise<void> {
          for (const id of await this._list()) {
            await rm(path.join(layerDirectory(this, id), 'new'), { recursive: true, force: true });
          }
        }
      },
    ),
    check: 'mounts: what is written lasts over put and get',
    reason: /cannot be looked up: ENOENT/,
  },
  {
    breaks: 'does not find the mounts that were left to it',
    factory: factoryOf(
      class extends BindMountedVfs {
        protected override _mounted(): Promise<DriverId[]> {
          return Promise.resolve([]);
        }
      },
    ),
    check: 'mounts: a mount that was kept is found again',
    reason: /not so: the mount counts as adopted/,
    needs: ['root', 'native'],
  },
  {
    breaks: 'leaves its mounts when it closes',
    factory: factoryOf(
      class extends BindMountedVfs {
        protected override _put(): Promise<void> {
          return Promise.resolve();
        }
      },
    ),
    check: 'graphtest: a copy of a layer has no changes to it',
    reason: /still in use after close: mount .*\/mnt\//,
    needs: ['root', 'native'],
  },
  {
    breaks: 'leaves a descriptor open for every layer that was used',
    factory: factoryOf(
      class extends VfsDriver {
        protected override async _get(id: DriverId): Promise<string> {
          const path = await super._get(id);
          HELD.push(await open(path, 'r'));
          return path;
        }
      },
    ),
    check: 'graphtest: without a parent everything is an addition',
    reason: /still in use after close: descriptor \d+ on .*\/dir\//,
  },
];

/** Descriptors of the leaking driver; a handle that nothing refers to would be closed by the garbage collector. */
const HELD: AsyncDisposable[] = [];
