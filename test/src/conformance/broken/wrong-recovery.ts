import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Change } from '@x/archive';
import { errnoOf, isLayerStoreError } from '@x/archive';
import { VfsDriver } from '@x/driver-vfs';
import type { CreateOptions, DriverFactory, DriverId, SignalOptions } from '@x/layer-store';
import type { DriverModule } from '../check.js';
import { BindMountedVfs } from './bind-mounted-vfs.js';
import { type BrokenDriver, factoryOf } from './broken-driver.js';

/** Knows only the layers that were made since it was opened. */
const knowsOnlyItsOwn: DriverFactory = factoryOf(
  class extends VfsDriver {
    readonly #made = new Set<string>();
    protected override async _create(
      id: DriverId,
      parent: DriverId | undefined,
      options: CreateOptions,
      signal: AbortSignal | undefined,
    ): Promise<void> {
      await super._create(id, parent, options, signal);
      this.#made.add(id);
    }
    protected override async _exists(id: DriverId): Promise<boolean> {
      return this.#made.has(id);
    }
  },
);

/** Begins anew unless the driver before it was closed. Exported for the process that is killed. */
export const forgetsUnlessClosed: DriverFactory = factoryOf(
  class extends VfsDriver {
    get #marker(): string {
      return path.join(this.home, 'open');
    }
    protected override async _open(): Promise<void> {
      await super._open();
      try {
        await writeFile(this.#marker, '', { flag: 'wx' });
      } catch (error) {
        if (errnoOf(error) !== 'EEXIST') throw error;
        for (const id of await this._list()) await this._remove(id);
      }
    }
    protected override async _close(mounts: 'unmount' | 'keep'): Promise<void> {
      await rm(this.#marker, { force: true });
      await super._close(mounts);
    }
  },
);

/** Has mounts, and does not look for those of a process that died. */
export const forgetsMounts: DriverFactory = factoryOf(
  class extends BindMountedVfs {
    protected override _mounted(): Promise<DriverId[]> {
      return Promise.resolve([]);
    }
    protected override _isMounted(): Promise<boolean> {
      return Promise.resolve(false);
    }
  },
);

function exportedAs(name: string): DriverModule {
  return { url: import.meta.url, export: name };
}

/** Drivers that do not know what they or others did before, or what they do at the same time. */
export const WRONG_RECOVERY: readonly BrokenDriver[] = [
  {
    breaks: 'does not know its layers after reopening',
    factory: knowsOnlyItsOwn,
    check: 'restart: a driver that is closed and opened again between any two calls',
    reason: /has no layer edited-\d+-\d+/,
  },
  {
    breaks: 'loses all layers when it was not closed',
    factory: forgetsUnlessClosed,
    module: exportedAs('forgetsUnlessClosed'),
    check: 'restart: layers that a killed process held are used on',
    reason: /layers: expected \[ '\w+', 'one', 'three', 'two' \], found \[\]/,
  },
  {
    breaks: 'leaves the mounts of a process that was killed',
    factory: forgetsMounts,
    module: exportedAs('forgetsMounts'),
    check: 'restart: mounts that a killed process held end when the next one closes',
    reason: /mounts after close: expected \[\], found .*\/mnt\/one/s,
    needs: ['root', 'native'],
  },
  {
    breaks: 'tells everybody who makes the same layer at once that he made it',
    factory: factoryOf(
      class extends VfsDriver {
        override async create(id: string, parent?: string): Promise<void> {
          try {
            await super.create(id, parent);
          } catch (error) {
            if (!isLayerStoreError(error, 'DRIVER_ID_EXISTS')) throw error;
          }
        }
      },
    ),
    check: 'concurrency: of many that make the same layer one does',
    reason: /number of calls that were refused: expected 23, found 0/,
  },
  {
    breaks: 'fails without a code when a layer goes while it is compared',
    factory: factoryOf(
      class extends VfsDriver {
        override async changes(id: string, parent?: string, options?: SignalOptions): Promise<Change[]> {
          try {
            return await super.changes(id, parent, options);
          } catch (error) {
            throw new TypeError(`cannot compare ${id}`, { cause: error });
          }
        }
      },
    ),
    check: 'concurrency: a storm of calls for a few layers',
    reason: /changes of (one|two|three) failed: TypeError: cannot compare/,
  },
];
