import { chmod, chown, mkdir, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf, LayerStoreError, parseSize } from '@x/archive';
import {
  type CreateKind,
  type CreateOptions,
  Driver,
  type DriverId,
  type LayerSource,
  type ProbeResult,
} from '@x/layer-store';
import { isMountPoint, mountsBelow, readMountInfo, syncFileSystem, unmount } from '@x/layer-store/driver-kit';
import { type DeviceMapperLog, LOG_LEVEL, loggedDeviceMapper } from './device-mapper/logged-device-mapper.js';
import { DeviceSet } from './device-set/device-set.js';
import type { DeviceSetHost } from './device-set/host.js';
import { mountDirectory } from './device-set/mount-points.js';
import { checkDriverOptions, type DevmapperDriverOptions } from './driver-options.js';
import { deviceSetItems } from './inspection/set-status.js';
import { openKernelHost } from './kernel-host.js';
import { isReservedName } from './metadata/file-names.js';
import { probeDevmapper } from './probe.js';

/** Where a layer's tree lies within its device, beside lost+found and the file `id`. */
const ROOTFS = 'rootfs';
const LAYER_ROOT_MODE = 0o755;
const ID_FILE_MODE = 0o600;
/** More than a store makes: a snapshot of a snapshot costs no more than one of the base, the kernel has no limit. */
const MAX_DEPTH = 1024;

/**
 * Every layer is a thin device with a file system of its own, a snapshot of its parent's: copies of nothing, limits for
 * everything. Layout, names and records are Docker's.
 *
 * @example
 * await using driver = new DevmapperDriver({ home: '/var/lib/layers/devicemapper', fileSystem: 'ext4' });
 * await driver.open();
 * await driver.create('base');
 */
export class DevmapperDriver extends Driver {
  override readonly name = 'devicemapper';
  readonly #options: DevmapperDriverOptions;
  #host: DeviceSetHost | undefined;
  #set: DeviceSet | undefined;

  /** Touches nothing; `open` does. Fails with OPTION_UNKNOWN and OPTION_INVALID. */
  constructor(options: DevmapperDriverOptions) {
    const checked = checkDriverOptions(options);
    super(
      checked.home,
      {
        nativeDiff: false,
        nativeChanges: false,
        quota: true,
        hardlinks: false,
        reproducesExactDiffs: false,
        whiteouts: 'delete',
        mountLabels: true,
        mounts: true,
        maxDepth: MAX_DEPTH,
        rootless: false,
      },
      checked.idMap,
    );
    this.#options = checked;
  }

  /** Whether the driver can run at `home`; see {@link probeDevmapper}. */
  static probe(home: string): Promise<ProbeResult> {
    return probeDevmapper(home);
  }

  /** The devices themselves, while the driver is open: for tools. Throws DRIVER_CLOSED. */
  get deviceSet(): DeviceSet {
    if (this.#set !== undefined) return this.#set;
    throw new LayerStoreError('DRIVER_CLOSED', 'the devicemapper driver is not open', { driver: this.name });
  }

  protected override async _open(): Promise<void> {
    const { home, idMap: _, host, onWarning, onLog, ...options } = this.#options;
    this.#host = host ?? (await openKernelHost());
    try {
      this.#set = await DeviceSet.open({
        home,
        host: onLog === undefined ? this.#host : logged(this.#host, options.logLevel, onLog),
        options,
        warn: (message) => onWarning?.(message),
      });
    } catch (error) {
      await this.#closeHost();
      throw error;
    }
  }

  protected override async _close(mounts: 'unmount' | 'keep'): Promise<void> {
    const set = this.#set;
    this.#set = undefined;
    try {
      await set?.close(mounts);
    } finally {
      await this.#closeHost();
    }
  }

  protected override _create(
    id: DriverId,
    parent: DriverId | undefined,
    { storageOpt }: CreateOptions,
  ): Promise<void> {
    const size = storageOpt?.size;
    return this.deviceSet.addDevice(id, parent ?? '', size === undefined ? {} : { size: parseSize(size) });
  }

  protected override async _remove(id: DriverId): Promise<void> {
    const mountPoint = this.#mountPoint(id);
    // What a dead process left mounted; not under somebody who works in it.
    if (await isMountPoint(mountPoint)) await unmount(mountPoint);
    await this.deviceSet.deleteDevice(id, { sync: false });
    await rmdir(mountPoint).catch((error: unknown) => {
      if (errnoOf(error) !== 'ENOENT') this.#options.onWarning?.(`${mountPoint} stays: ${String(error)}`);
    });
  }

  protected override async _get(id: DriverId, mountLabel: string | undefined): Promise<string> {
    const mountPoint = this.#mountPoint(id);
    if (!(await isMountPoint(mountPoint))) {
      const options = mountLabel === undefined ? {} : { mountLabel };
      await this.deviceSet.mountDevice(id, mountPoint, options);
    }
    try {
      return await this.#prepare(id, mountPoint);
    } catch (error) {
      await this.deviceSet.unmountDevice(id, mountPoint).catch(() => undefined);
      throw error;
    }
  }

  protected override async _put(id: DriverId): Promise<void> {
    const mountPoint = this.#mountPoint(id);
    let failure: { readonly error: unknown } | undefined;
    try {
      // A detached mount tells nobody that its writes failed, and a pool that is full makes them fail late.
      if (await isMountPoint(mountPoint)) await syncFileSystem(mountPoint);
    } catch (error) {
      failure = { error: await this.#explained(id, error) };
    }
    await this.deviceSet.unmountDevice(id, mountPoint);
    if (failure !== undefined) throw failure.error;
  }

  protected override _exists(id: DriverId): Promise<boolean> {
    return this.deviceSet.hasDevice(id);
  }

  protected override _list(): Promise<DriverId[]> {
    return Promise.resolve((this.deviceSet.layers() as DriverId[]).toSorted());
  }

  protected override _status(): Promise<readonly (readonly [string, string])[]> {
    return deviceSetItems(this.deviceSet);
  }

  protected override async _metadata(id: DriverId): Promise<Readonly<Record<string, string>>> {
    const record = await this.deviceSet.find(id);
    if (record === undefined) return {};
    return {
      DeviceId: String(record.deviceId),
      DeviceSize: String(record.size),
      DeviceName: this.deviceSet.core.names.of(id),
    };
  }

  protected override _isMounted(id: DriverId): Promise<boolean> {
    return isMountPoint(this.#mountPoint(id));
  }

  protected override async _mounted(): Promise<DriverId[]> {
    const directory = mountDirectory(this.home);
    const layers = new Set(this.deviceSet.layers());
    const names = mountsBelow(await readMountInfo(), directory)
      .filter(({ mountPoint }) => dirname(mountPoint) === directory)
      .map(({ mountPoint }) => basename(mountPoint));
    return [...new Set(names)].filter((name): name is DriverId => layers.has(name));
  }

  protected override async _applyDiff(
    id: DriverId,
    _parent: DriverId | undefined,
    layer: LayerSource,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const path = await this._acquire(id);
    try {
      const result = await layer.unpack(path, {
        whiteouts: 'delete',
        ...(signal === undefined ? {} : { signal }),
      });
      // Data that finds no room in the pool is refused when it is written back, not when it is written.
      await syncFileSystem(path);
      return result.size;
    } catch (error) {
      throw await this.#explained(id, error);
    } finally {
      await this._giveUp(id);
    }
  }

  /** The home's file system, and those of the layers that are mounted. */
  protected override async _sync(): Promise<void> {
    for (const id of await this._mounted()) {
      await syncFileSystem(this.#mountPoint(id)).catch((error: unknown) => {
        // Given up meanwhile, and that has synced it.
        if (errnoOf(error) !== 'ENOENT') throw error;
      });
    }
    await super._sync();
  }

  protected override _cleanup(): Promise<void> {
    return this.deviceSet.cleanUp();
  }

  protected override _isReserved(id: string): boolean {
    return isReservedName(id);
  }

  protected override _checkStorageOptions(
    storageOpt: Readonly<Record<string, string>>,
    kind: CreateKind,
  ): void {
    const { size, ...others } = storageOpt;
    super._checkStorageOptions(others, kind);
    if (size !== undefined) parseSize(size);
  }

  #mountPoint(id: DriverId): string {
    return join(mountDirectory(this.home), id);
  }

  async #prepare(id: DriverId, mountPoint: string): Promise<string> {
    const root = join(mountPoint, ROOTFS);
    if ((await mkdir(root, { recursive: true, mode: LAYER_ROOT_MODE })) !== undefined) {
      // The mode of mkdir is subject to the umask.
      await chmod(root, LAYER_ROOT_MODE);
      const { uid, gid } = this.idMap?.rootPair ?? { uid: 0, gid: 0 };
      await chown(root, uid, gid);
    }
    // So that a person who has only the device left can tell whose it is.
    await writeFile(join(mountPoint, 'id'), id, { flag: 'wx', mode: ID_FILE_MODE }).catch(
      (error: unknown) => {
        if (errnoOf(error) !== 'EEXIST') throw error;
      },
    );
    return root;
  }

  /** ENOSPC and EIO have the same cause when the pool is full: then that is the error. */
  async #explained(id: DriverId, error: unknown): Promise<unknown> {
    const errno = errnoOf(error);
    if (errno !== 'ENOSPC' && errno !== 'EIO') return error;
    const { pool } = this.deviceSet.core;
    const status = await pool.status().catch(() => undefined);
    if (status?.state !== 'active' || status.mode === 'rw') return error;
    return new LayerStoreError(
      'DRIVER_POOL_FULL',
      `the pool ${pool.name} has no ${status.mode === 'ro' ? 'room for metadata' : 'free data blocks'} left while layer ${id} ` +
        'was written: remove layers or grow the pool, then write it again',
      { driver: this.name, cacheId: id, errno, cause: error },
    );
  }

  async #closeHost(): Promise<void> {
    const host = this.#host;
    this.#host = undefined;
    // One that was given belongs to whoever gave it.
    if (host !== undefined && host !== this.#options.host) await host.deviceMapper.close();
  }
}

/** The default level tells nothing; see {@link loggedDeviceMapper}. */
function logged(host: DeviceSetHost, level: number | undefined, onLog: DeviceMapperLog): DeviceSetHost {
  const deviceMapper = loggedDeviceMapper(host.deviceMapper, level ?? LOG_LEVEL.fatal, onLog);
  return { ...host, deviceMapper };
}
