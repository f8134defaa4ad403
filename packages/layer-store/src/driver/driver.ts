import { type Change, LayerStoreError } from '@x/archive';
import { KeyedMutex } from '../lock/keyed-mutex.js';
import { checkCloseOptions } from './close-options.js';
import type {
  CloseOptions,
  CreateOptions,
  DiffStream,
  DriverId,
  DriverUsage,
  FileSource,
  GetOptions,
  LayerSource,
  SignalOptions,
} from './contract.js';
import { type CreateKind, checkCreateOptions } from './create-options.js';
import { diffStream } from './diff-stream.js';
import { parseDriverId } from './driver-id.js';
import { DriverMethods } from './driver-methods.js';
import { driverFailure } from './failure.js';
import { genericChanges, genericDiff, genericDiffSize, type MountedTrees } from './generic-diff.js';
import { Lifecycle } from './lifecycle.js';
import { MountCounts, type Mounter } from './mount-counts.js';
import { Pins } from './pins.js';

/**
 * The contract of storage drivers (spec/drivers.md 1). Public methods check ids, options and state, serialise per id,
 * count uses and turn failures into coded errors; a driver implements the underscored methods on clean input and
 * nothing else. All durable state lies under `home`; after a kill at any instant a new instance on the same home opens,
 * with every id whose `create` had returned intact and every other absent or removable.
 */
export abstract class Driver extends DriverMethods implements AsyncDisposable {
  readonly #lifecycle: Lifecycle = new Lifecycle();
  readonly #mutex = new KeyedMutex<DriverId>();
  readonly #counts = new MountCounts();
  readonly #labels = new Map<DriverId, string>();
  readonly #pins = new Pins();
  readonly #mounter: Mounter = {
    isMounted: (id) => this._isMounted(id),
    mount: (id) => this._get(id, this.#labels.get(id)),
    unmount: (id) => this._put(id),
  };

  /** Makes the home ready and recovers what a dead process left in it. Twice is the same as once. */
  open(): Promise<void> {
    return this.#lifecycle.open(() => this.#coded('open', undefined, () => this.#open()));
  }

  /**
   * Stops open streams, waits for running operations, and unmounts what is mounted, also what `open` found mounted,
   * unless `mounts` is `keep`. Idempotent.
   */
  close(options: CloseOptions = {}): Promise<void> {
    const mounts = checkCloseOptions(options);
    return this.#lifecycle.close(() => this.#close(mounts));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * A layer with the content of its parent. DRIVER_ID_EXISTS, DRIVER_ID_UNKNOWN (the parent), and on any failure no
   * trace remains.
   */
  create(id: string, parent?: string, options: CreateOptions = {}, signal?: AbortSignal): Promise<void> {
    return this.#create('read-only', id, parent, options, signal);
  }

  /** As {@link create}, for a layer that will be written to; drivers with `quota` take a size here. */
  createReadWrite(
    id: string,
    parent?: string,
    options: CreateOptions = {},
    signal?: AbortSignal,
  ): Promise<void> {
    return this.#create('read-write', id, parent, options, signal);
  }

  /**
   * Deletes a layer; an id that does not exist is a success. DRIVER_BUSY while it is used through this instance. A mount
   * of a dead process is no use: it is ended, unless somebody works in it (DRIVER_BUSY).
   */
  remove(id: string): Promise<void> {
    return this.#locked('remove', id, async (driverId) => {
      const adopted = this.#counts.isAdopted(driverId) ? 1 : 0;
      if (this.#counts.count(driverId) > adopted || this.#pins.has(driverId)) {
        throw new LayerStoreError(
          'DRIVER_BUSY',
          `layer ${id} is in use and cannot be removed: give it up first`,
          {
            driver: this.name,
            cacheId: id,
          },
        );
      }
      await this._remove(driverId);
      this.#counts.forget(driverId);
    });
  }

  /** The merged view of a layer as an absolute directory, mounted with the first use. Balance with {@link put}. */
  async get(id: string, options: GetOptions = {}): Promise<string> {
    const { mountLabel } = checkCreateOptions(
      options.mountLabel === undefined ? {} : { mountLabel: options.mountLabel },
      this,
    );
    return this.#locked('get', id, (driverId) => this.#acquire(driverId, mountLabel), options.signal);
  }

  /** Gives up one use, unmounts after the last. Without a use it only unmounts what a dead process left mounted. */
  async put(id: string): Promise<void> {
    const driverId = this.#parse(id);
    this.#lifecycle.require(true);
    return this.#lifecycle.track(() => this._giveUp(driverId));
  }

  /** Whether the layer was found mounted, by an earlier process, and still counts as used for that. */
  isAdopted(id: string): boolean {
    return this.#counts.isAdopted(this.#parse(id));
  }

  /** Gives up the use that a mount found at `open` counts as; unmounts if it is the last. False if there is none. */
  async disown(id: string): Promise<boolean> {
    const driverId = this.#parse(id);
    this.#lifecycle.require(true);
    return this.#lifecycle.track(() =>
      this.#mutex.run(driverId, () =>
        this.#coded('put', driverId, () => this.#counts.disown(driverId, this.#mounter)),
      ),
    );
  }

  /** Runs `use` on the layer's directory and gives it up whatever happens. */
  async withMount<T>(id: string, use: (path: string) => Promise<T>, options: GetOptions = {}): Promise<T> {
    const path = await this.get(id, options);
    let result: T;
    try {
      result = await use(path);
    } catch (error) {
      // The failure of `use` is the one to report; a failed unmount is met again by the next touch of the id.
      await this.put(id).catch(() => undefined);
      throw error;
    }
    await this.put(id);
    return result;
  }

  /** No side effects, no mount. */
  async exists(id: string): Promise<boolean> {
    const driverId = this.#parse(id);
    return this.#run('exists', id, () => this._exists(driverId));
  }

  /** Every layer the driver has. */
  list(): Promise<DriverId[]> {
    return this.#run('list', undefined, () => this._list());
  }

  /** Ordered pairs for people; the order is part of the contract. */
  status(): Promise<readonly (readonly [string, string])[]> {
    return this.#run('status', undefined, () => this._status());
  }

  /** What the driver says about a layer; empty when it has nothing to say. */
  async metadata(id: string): Promise<Readonly<Record<string, string>>> {
    const driverId = this.#parse(id);
    return this.#run('metadata', id, async () => {
      await this.#requireKnown(driverId);
      return this._metadata(driverId);
    });
  }

  /**
   * The layer's difference to `parent` (not necessarily its direct one), or without one the whole tree, as an
   * uncompressed tar stream.
   */
  diff(id: string, parent?: string, options: SignalOptions = {}): DiffStream {
    const driverId = this.#parse(id);
    const parentId = parent === undefined ? undefined : this.#parse(parent);
    this.#lifecycle.require();
    const stream = diffStream((signal) => this.#pinnedDiff(driverId, parentId, signal), {
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      onClosed: () => this.#lifecycle.dropStream(stream),
    });
    this.#lifecycle.addStream(stream);
    return stream;
  }

  /** Changed paths relative to `parent`; without a parent everything is an addition. */
  changes(id: string, parent?: string, options: SignalOptions = {}): Promise<Change[]> {
    return this.#compare('changes', id, parent, async (driverId, parentId) => {
      const native = await this._changes?.(driverId, parentId, options.signal);
      return native ?? genericChanges(this._trees, driverId, parentId, options.signal);
    });
  }

  /** Bytes of the files that differ from `parent`, hard links once. */
  diffSize(id: string, parent?: string, options: SignalOptions = {}): Promise<number> {
    return this.#compare('diffSize', id, parent, async (driverId, parentId) => {
      const native = await this._diffSize?.(driverId, parentId, options.signal);
      return native ?? genericDiffSize(this._trees, driverId, parentId, options.signal);
    });
  }

  /** Unpacks a layer into `id`, which was created on `parent`. Resolves to the size the unpacker counted, in bytes. */
  applyDiff(
    id: string,
    parent: string | undefined,
    layer: LayerSource,
    options: SignalOptions = {},
  ): Promise<number> {
    return this.#compare('applyDiff', id, parent, (driverId, parentId) =>
      this._applyDiff(driverId, parentId, layer, options.signal),
    );
  }

  /** The layer's files, without a mount where the driver can. Close it. */
  async fileSource(id: string): Promise<FileSource> {
    const driverId = this.#parse(id);
    const source = await this.#run('fileSource', id, async () => {
      await this.#requireKnown(driverId);
      this.#pins.add(driverId);
      try {
        return await this._fileSource(driverId);
      } catch (error) {
        this.#pins.drop(driverId);
        throw error;
      }
    });
    let closing: Promise<void> | undefined;
    const close = (): Promise<void> => {
      closing ??= source.close().finally(() => this.#pins.drop(driverId));
      return closing;
    };
    return { roots: source.roots, close, [Symbol.asyncDispose]: close };
  }

  /** What the layer takes on disk. */
  usage(id: string): Promise<DriverUsage> {
    return this.#compare('usage', id, undefined, (driverId) => this._usage(driverId));
  }

  /** Returns when everything the driver has written is on stable storage (`syncfs` of the home). */
  sync(): Promise<void> {
    return this.#run('sync', undefined, () => this._sync());
  }

  /** Unmounts everything below the home that this driver could have mounted. Deletes no layer. */
  cleanup(): Promise<void> {
    return this.#run('cleanup', undefined, async () => {
      await this._cleanup();
      this.#counts.clear();
    });
  }

  /** As {@link get} and {@link put} for the driver's own use: ids are clean, and they work while the driver closes. */
  protected override _acquire(id: DriverId): Promise<string> {
    return this.#mutex.run(id, () => this.#acquire(id, undefined));
  }
  protected override _giveUp(id: DriverId): Promise<void> {
    return this.#mutex.run(id, () => this.#coded('put', id, () => this.#counts.put(id, this.#mounter)));
  }
  /** What the generic diff operations work on. */
  protected override get _trees(): MountedTrees {
    return {
      get: (id) => this._acquire(id),
      put: (id) => this._giveUp(id),
      idMap: this.idMap,
      recordsOwners: this._recordsOwners,
    };
  }

  // --- the machinery ------------------------------------------------------------------------------------------------

  async #open(): Promise<void> {
    await this._open();
    for (const id of await this._mounted()) this.#counts.adopt(id);
  }

  async #close(mounts: 'unmount' | 'keep'): Promise<void> {
    const failures: unknown[] = [];
    const attempt = (work: () => Promise<void>): Promise<void> =>
      work().catch((error: unknown) => {
        failures.push(error);
      });
    if (mounts === 'unmount') {
      for (const id of this.#counts.ids()) await attempt(() => this._put(id));
    }
    this.#counts.clear();
    await attempt(() => this._close(mounts));
    if (failures.length === 0) return;
    throw new LayerStoreError('DRIVER_FAILED', `the ${this.name} driver did not close cleanly`, {
      driver: this.name,
      cause: failures.length === 1 ? failures[0] : new AggregateError(failures),
    });
  }

  async #acquire(id: DriverId, mountLabel: string | undefined): Promise<string> {
    await this.#requireKnown(id);
    if (this.#counts.count(id) === 0) {
      if (mountLabel === undefined) this.#labels.delete(id);
      else this.#labels.set(id, mountLabel);
    }
    return this.#counts.get(id, this.#mounter);
  }

  async #create(
    kind: CreateKind,
    id: string,
    parent: string | undefined,
    options: CreateOptions,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const parentId = parent === undefined ? undefined : this.#parse(parent);
    const checked = checkCreateOptions(options, this);
    if (checked.storageOpt !== undefined) this._checkStorageOptions(checked.storageOpt, kind);
    const work = async (driverId: DriverId): Promise<void> => {
      if (await this._exists(driverId)) {
        throw new LayerStoreError('DRIVER_ID_EXISTS', `the ${this.name} driver has a layer ${id} already`, {
          driver: this.name,
          cacheId: id,
        });
      }
      await this.#requireKnown(parentId);
      try {
        if (kind === 'read-only') await this._create(driverId, parentId, checked, signal);
        else await this._createReadWrite(driverId, parentId, checked, signal);
      } catch (error) {
        await this._remove(driverId).catch(() => undefined);
        throw error;
      }
    };
    const operation = kind === 'read-only' ? 'create' : 'createReadWrite';
    return this.#locked(
      operation,
      id,
      (driverId) => this.#pins.during([parentId], () => work(driverId)),
      signal,
    );
  }

  async *#pinnedDiff(
    id: DriverId,
    parent: DriverId | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    this.#pins.add(id);
    this.#pins.add(parent);
    try {
      await this.#requireKnown(id);
      await this.#requireKnown(parent);
      yield* (await this._diff?.(id, parent, signal)) ?? genericDiff(this._trees, id, parent, signal);
    } catch (error) {
      throw driverFailure(this, 'diff', id, error);
    } finally {
      this.#pins.drop(id);
      this.#pins.drop(parent);
    }
  }

  /** Runs an operation that works on one or two layers for long, without their locks: neither can be removed meanwhile. */
  async #compare<T>(
    operation: string,
    id: string,
    parent: string | undefined,
    work: (id: DriverId, parent: DriverId | undefined) => Promise<T>,
  ): Promise<T> {
    const driverId = this.#parse(id);
    const parentId = parent === undefined ? undefined : this.#parse(parent);
    return this.#run(operation, id, () =>
      this.#pins.during([driverId, parentId], async () => {
        await this.#requireKnown(driverId);
        await this.#requireKnown(parentId);
        return work(driverId, parentId);
      }),
    );
  }

  async #locked<T>(
    operation: string,
    id: string,
    work: (id: DriverId) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const driverId = this.#parse(id);
    return this.#run(operation, id, () => this.#mutex.run(driverId, () => work(driverId), signal));
  }

  async #run<T>(operation: string, id: string | undefined, work: () => Promise<T>): Promise<T> {
    this.#lifecycle.require();
    return this.#lifecycle.track(() => this.#coded(operation, id, work));
  }

  async #coded<T>(operation: string, id: string | undefined, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw driverFailure(this, operation, id, error);
    }
  }

  #parse(id: string): DriverId {
    return parseDriverId(id, this.name, (candidate) => this._isReserved(candidate));
  }

  async #requireKnown(id: DriverId | undefined): Promise<void> {
    if (id === undefined || (await this._exists(id))) return;
    throw new LayerStoreError('DRIVER_ID_UNKNOWN', `the ${this.name} driver has no layer ${id}`, {
      driver: this.name,
      cacheId: id,
    });
  }
}
