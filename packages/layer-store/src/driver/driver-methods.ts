import { type Change, type IdMap, LayerStoreError } from '@x/archive';
import type {
  CreateOptions,
  DriverCapabilities,
  DriverId,
  DriverUsage,
  FileSource,
  LayerSource,
} from './contract.js';
import type { CreateKind } from './create-options.js';
import { genericApplyDiff, genericUsage, type MountedTrees } from './generic-diff.js';
import { syncFileSystem } from './sync-file-system.js';

/**
 * The private half of the driver contract: what a driver implements. Ids are clean, options checked, and where the public
 * method takes the layer's lock there is one call per id at a time. Whatever is thrown becomes a coded error.
 */
export abstract class DriverMethods {
  /** Registered name, also the name of the driver's directory in a store. */
  abstract readonly name: string;
  /** Absolute directory that holds everything the driver keeps. */
  readonly home: string;
  readonly capabilities: DriverCapabilities;
  /** How ids in archives map to ids on disk; undefined is the identity. */
  readonly idMap: IdMap | undefined;

  protected constructor(home: string, capabilities: DriverCapabilities, idMap?: IdMap) {
    if (typeof home !== 'string' || !home.startsWith('/') || home.includes('\0')) {
      throw new LayerStoreError(
        'OPTION_INVALID',
        `home must be an absolute path, not ${JSON.stringify(home)}`,
        {
          option: 'home',
        },
      );
    }
    // By what it can do: the caller may have another copy of the class.
    if (idMap !== undefined && typeof idMap?.toHost !== 'function') {
      throw new LayerStoreError('OPTION_INVALID', 'idMap must be an IdMap of @x/archive', {
        option: 'idMap',
      });
    }
    this.home = home;
    this.capabilities = Object.freeze({ ...capabilities });
    this.idMap = idMap;
  }

  /** Makes the home ready and finishes what a dead process began. */
  protected abstract _open(): Promise<void>;
  /** Everything is idle, and unmounted unless `mounts` is `keep`. */
  protected _close(_mounts: 'unmount' | 'keep'): Promise<void> {
    return Promise.resolve();
  }
  /** `id` does not exist, `parent` does. May leave rubbish on failure if `_remove` then clears it away. */
  protected abstract _create(
    id: DriverId,
    parent: DriverId | undefined,
    options: CreateOptions,
    signal: AbortSignal | undefined,
  ): Promise<void>;
  protected _createReadWrite(
    id: DriverId,
    parent: DriverId | undefined,
    options: CreateOptions,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    return this._create(id, parent, options, signal);
  }
  /**
   * Also of an id that does not exist, or only in parts. Ends a mount that a dead process left, but not under somebody
   * who works in it: DRIVER_BUSY.
   */
  protected abstract _remove(id: DriverId): Promise<void>;
  /** Mounts; when it is mounted already (a dead process, a failed unmount) only returns the path. */
  protected abstract _get(id: DriverId, mountLabel: string | undefined): Promise<string>;
  protected abstract _put(id: DriverId): Promise<void>;
  protected abstract _exists(id: DriverId): Promise<boolean>;
  protected abstract _list(): Promise<DriverId[]>;
  protected abstract _status(): Promise<readonly (readonly [string, string])[]>;
  protected _metadata(_id: DriverId): Promise<Readonly<Record<string, string>>> {
    return Promise.resolve({});
  }
  /** Whether the layer is mounted, by this process or another. */
  protected _isMounted(_id: DriverId): Promise<boolean> {
    return Promise.resolve(false);
  }
  /** Every layer that is mounted when the driver opens: mounts of a process that died or that left them. */
  protected _mounted(): Promise<DriverId[]> {
    return Promise.resolve([]);
  }
  /** Undefined: this pair cannot be done natively, compare the trees. */
  protected _diff?(
    id: DriverId,
    parent: DriverId | undefined,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Undefined: as for `_diff`. */
  protected _changes?(
    id: DriverId,
    parent: DriverId | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Change[] | undefined>;
  /** Undefined: as for `_diff`. */
  protected _diffSize?(
    id: DriverId,
    parent: DriverId | undefined,
    signal: AbortSignal | undefined,
  ): Promise<number | undefined>;
  /** Calls `layer.unpack` once, on the directory and with the whiteout format that suit the driver. */
  protected _applyDiff(
    id: DriverId,
    _parent: DriverId | undefined,
    layer: LayerSource,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    return genericApplyDiff(this._trees, id, layer, signal);
  }
  protected async _fileSource(id: DriverId): Promise<FileSource> {
    const path = await this._acquire(id);
    const close = (): Promise<void> => this._giveUp(id);
    return { roots: [path], close, [Symbol.asyncDispose]: close };
  }
  protected _usage(id: DriverId): Promise<DriverUsage> {
    return genericUsage(this._trees, id);
  }
  protected _sync(): Promise<void> {
    return syncFileSystem(this.home);
  }
  protected _cleanup(): Promise<void> {
    return Promise.resolve();
  }
  /**
   * Whether layers are unpacked with owner records (`recordOwners` of `applyLayer`), so that diffs have to look at them. The
   * generic operations do both when this is true.
   */
  protected get _recordsOwners(): boolean {
    return false;
  }
  /** Names in the home that are the driver's own. */
  protected _isReserved(_id: string): boolean {
    return false;
  }
  /** Refuses storage options the driver does not have (`size` without `quota` is refused before this is asked). */
  protected _checkStorageOptions(storageOpt: Readonly<Record<string, string>>, _kind: CreateKind): void {
    const [option] = Object.keys(storageOpt);
    if (option === undefined) return;
    throw new LayerStoreError('OPTION_UNKNOWN', `the ${this.name} driver has no storage option '${option}'`, {
      driver: this.name,
      option,
    });
  }

  /** Mounts and counts, as the public `get`, but also while the driver closes. Balance with {@link _giveUp}. */
  protected abstract _acquire(id: DriverId): Promise<string>;
  protected abstract _giveUp(id: DriverId): Promise<void>;
  /** What the generic diff operations work on. */
  protected abstract get _trees(): MountedTrees;
}
