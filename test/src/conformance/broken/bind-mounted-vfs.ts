import { mkdir, readdir, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf, LayerStoreError } from '@x/archive';
import { VfsDriver } from '@x/driver-vfs';
import type { DriverId } from '@x/layer-store';
import { isMountPoint, unmount, unmountBelow } from '@x/layer-store/driver-kit';
import { loadNative } from '@x/native';
import { claim } from './broken-driver.js';

const MS_BIND = 0x1000;

/**
 * vfs whose layers are used through a bind mount, which makes it a driver with the `mounts` capability that is right in everything:
 * what is made wrong in it is then the only thing that is.
 */
export class BindMountedVfs extends VfsDriver {
  readonly #mounts: string;

  constructor(options: { readonly home: string }) {
    super(options);
    this.#mounts = path.join(options.home, 'mnt');
    claim(this, { mounts: true });
  }

  /** Where a layer is used. */
  mountPoint(id: string): string {
    return path.join(this.#mounts, id);
  }

  protected override async _open(): Promise<void> {
    await super._open();
    await mkdir(this.#mounts, { recursive: true });
  }

  protected override async _get(id: DriverId): Promise<string> {
    const target = this.mountPoint(id);
    if (await isMountPoint(target)) return target;
    await mkdir(target, { recursive: true });
    const native = loadNative();
    if (!native.available) throw new LayerStoreError('NATIVE_UNAVAILABLE', native.reason);
    await native.calls.mount(await super._get(id), target, undefined, MS_BIND);
    return target;
  }

  protected override async _put(id: DriverId): Promise<void> {
    await unmount(this.mountPoint(id), { lazy: true });
    await rmdir(this.mountPoint(id)).catch((error: unknown) => {
      if (errnoOf(error) !== 'ENOENT') throw error;
    });
  }

  protected override async _remove(id: DriverId): Promise<void> {
    await unmount(this.mountPoint(id));
    await rmdir(this.mountPoint(id)).catch(() => undefined);
    await super._remove(id);
  }

  protected override _isMounted(id: DriverId): Promise<boolean> {
    return isMountPoint(this.mountPoint(id));
  }

  protected override async _mounted(): Promise<DriverId[]> {
    const ids: DriverId[] = [];
    for (const id of (await readdir(this.#mounts)) as DriverId[]) {
      if (await isMountPoint(this.mountPoint(id))) ids.push(id);
    }
    return ids;
  }

  protected override _cleanup(): Promise<void> {
    return unmountBelow(this.#mounts);
  }
}
