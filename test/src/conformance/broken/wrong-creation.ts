import { chmod, mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { isLayerStoreError } from '@x/archive';
import { VfsDriver } from '@x/driver-vfs';
import type { CreateOptions, DriverId } from '@x/layer-store';
import { type BrokenDriver, factoryOf, layerDirectory, type VfsConstructor } from './broken-driver.js';

/** Layers that are made or removed in another way than the contract says. */
export const WRONG_CREATION: readonly BrokenDriver[] = [
  {
    breaks: 'leaves a directory behind when create fails',
    factory: factoryOf(
      class extends VfsDriver {
        override async create(
          id: string,
          parent?: string,
          options?: CreateOptions,
          signal?: AbortSignal,
        ): Promise<void> {
          try {
            await super.create(id, parent, options, signal);
          } catch (error) {
            if (isLayerStoreError(error, 'DRIVER_ID_UNKNOWN')) await mkdir(layerDirectory(this, id));
            throw error;
          }
        }
      },
    ),
    check: 'contract: ids that are not known are refused',
    reason: /create with an unknown parent|DRIVER_ID_EXISTS|found \[ 'fresh', 'layer' \]/,
  },
  {
    breaks: 'replaces a layer whose id is taken',
    factory: factoryOf(
      class extends VfsDriver {
        override async create(id: string, parent?: string): Promise<void> {
          if (parent !== id) await super.remove(id);
          await super.create(id, parent);
        }
      },
    ),
    check: 'contract: an id that is taken is refused',
    reason: /create on undefined: expected a failure/,
  },
  {
    breaks: 'gives a new layer what the removed one of its name had',
    factory: factoryOf(withAttic()),
    check: 'contract: an id can be used again after a removal',
    reason: /changes of a layer made on other: expected \[\], found/,
  },
  {
    breaks: 'leaves remnants of removed layers in its home',
    factory: factoryOf(
      class extends VfsDriver {
        protected override async _remove(id: DriverId): Promise<void> {
          await super._remove(id);
          await mkdir(path.join(this.home, `.removed-${id}`), { recursive: true });
        }
      },
    ),
    check: 'contract: nothing is left in the home of layers that were removed',
    reason: /names in the home: expected .* found .*\.removed-/s,
  },
  {
    breaks: 'takes what is foreign in its home for a layer',
    factory: factoryOf(
      class extends VfsDriver {
        protected override async _list(): Promise<DriverId[]> {
          const names = await readdir(this.home);
          const foreign = names.filter((name) => name === 'lost+found');
          return [...(await super._list()), ...(foreign as DriverId[])];
        }
      },
    ),
    check: 'contract: what is foreign in the home is no layer',
    reason: /layers: expected \[ 'layer' \], found \[ 'layer', 'lost\+found' \]/,
  },
  {
    breaks: 'misses a layer in its list',
    factory: factoryOf(
      class extends VfsDriver {
        protected override async _list(): Promise<DriverId[]> {
          return (await super._list()).slice(0, 2);
        }
      },
    ),
    check: 'graphtest: lists the layers it has and nothing else',
    reason: /layers: expected \[ '1', '2', '3' \], found \[ '1', '2' \]/,
  },
  {
    breaks: 'makes empty layers that only root can enter',
    factory: factoryOf(
      class extends VfsDriver {
        protected override async _create(
          id: DriverId,
          parent: DriverId | undefined,
          options: CreateOptions,
          signal: AbortSignal | undefined,
        ): Promise<void> {
          await super._create(id, parent, options, signal);
          if (parent === undefined) await chmod(layerDirectory(this, id), 0o700);
        }
      },
    ),
    check: 'graphtest: an empty layer is an empty directory of mode 0755',
    reason: /expected mode 0755, found 0700/,
  },
  {
    breaks: "forgets the mode of a parent's root",
    factory: factoryOf(
      class extends VfsDriver {
        protected override async _create(
          id: DriverId,
          parent: DriverId | undefined,
          options: CreateOptions,
          signal: AbortSignal | undefined,
        ): Promise<void> {
          await super._create(id, parent, options, signal);
          await chmod(layerDirectory(this, id), 0o755);
        }
      },
    ),
    check: "graphtest: the mode and owner of a parent's root",
    reason: /expected mode 01711, found 0755/,
  },
];

/** A vfs that keeps what is removed, and finds it again. */
function withAttic(): VfsConstructor {
  return class extends VfsDriver {
    protected override async _remove(id: DriverId): Promise<void> {
      const attic = path.join(this.home, 'attic');
      await mkdir(attic, { recursive: true });
      await rm(path.join(attic, id), { recursive: true, force: true });
      await rename(layerDirectory(this, id), path.join(attic, id)).catch(() => undefined);
    }

    protected override async _create(
      id: DriverId,
      parent: DriverId | undefined,
      options: CreateOptions,
      signal: AbortSignal | undefined,
    ): Promise<void> {
      try {
        await rename(path.join(this.home, 'attic', id), layerDirectory(this, id));
      } catch {
        await super._create(id, parent, options, signal);
      }
    }
  };
}
