/**
 * What the driver asks of the kernel's device mapper. One implementation sends raw ioctls
 * ({@link ./ioctl-device-mapper.ts}), one is a simulator in memory for tests. Devices are named by their dm name
 * (`docker-8:1-1234-pool`), never by a path below /dev/mapper: those exist only where udev makes them.
 *
 * A refused call fails with a coded error that also carries the name the seeds give it
 * ({@link ./device-mapper-error.ts}): `Enxio` no such device, `Busy`, `DeviceIDExists`, `NoData` no such thin id, `TaskRun`
 * for the rest.
 */

/** A version of three numbers, such as that of the kernel's device mapper. */
export interface DeviceMapperVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/** A target type the kernel has loaded (`thin-pool` 1.22.0). */
export interface TargetVersion extends DeviceMapperVersion {
  readonly type: string;
}

/** A block device by number. */
export interface DeviceNumber {
  readonly major: number;
  readonly minor: number;
}

/** One line of a table or of its status. Sectors are 512 bytes. */
export interface DeviceTarget {
  /** First sector on the mapped device. */
  readonly start: number;
  /** Sectors. */
  readonly length: number;
  /** `thin-pool`, `thin`, `linear`… */
  readonly type: string;
  /** What `dmsetup table` or `dmsetup status` prints after the type. */
  readonly params: string;
}

/** State of a device that exists. */
export interface DeviceInfo extends DeviceNumber {
  readonly name: string;
  readonly uuid: string;
  readonly suspended: boolean;
  readonly liveTable: boolean;
  readonly inactiveTable: boolean;
  /** Openers: mounts, other devices on top, processes. */
  readonly openCount: number;
  readonly eventNumber: number;
  readonly readOnly: boolean;
  readonly targetCount: number;
  /** The kernel removes it when its last opener closes. */
  readonly deferredRemove: boolean;
  readonly internalSuspend: boolean;
}

/** A line of {@link DeviceMapper.list}. */
export interface ListedDevice extends DeviceNumber {
  readonly name: string;
}

/** Options of {@link DeviceMapper.suspend}. */
export interface SuspendOptions {
  /** Do not wait for I/O in flight. */
  readonly noFlush?: boolean;
  /** Do not freeze the file system on top: a snapshot taken then is not consistent. */
  readonly skipLockFs?: boolean;
}

/** For programs that still ask for cylinders. */
export interface DeviceGeometry {
  readonly cylinders: number;
  readonly heads: number;
  readonly sectorsPerTrack: number;
  /** First sector. */
  readonly start: number;
}

/** Removed now, or as soon as the last opener closes. */
export type RemovalOutcome = 'removed' | 'deferred';

/** The calls, each one ioctl, in no thread-safe order of their own: the caller serialises what belongs together. */
export interface DeviceMapper extends AsyncDisposable {
  /** The kernel's device mapper. Deferred removal needs 4.27. */
  driverVersion(): Promise<DeviceMapperVersion>;
  /** Target types the kernel knows right now. */
  listVersions(): Promise<TargetVersion[]>;
  /** Every device of the machine. */
  list(): Promise<ListedDevice[]>;
  /** Makes a device without a table. `Busy`: the name is taken. */
  create(name: string, options?: { readonly uuid?: string }): Promise<DeviceInfo>;
  /** `Enxio`: there is none. `Busy`: it is open. */
  remove(name: string): Promise<void>;
  /** As {@link remove}, but an open device goes when it is closed. `Enxio`: there is none. */
  removeDeferred(name: string): Promise<RemovalOutcome>;
  /** Takes a deferred removal back; nothing happens without one. `Enxio`: gone already. `Busy`: being removed right now. */
  cancelDeferredRemove(name: string): Promise<void>;
  rename(name: string, newName: string): Promise<void>;
  /** Freezes the device and, unless told otherwise, the file system on it. */
  suspend(name: string, options?: SuspendOptions): Promise<void>;
  /** Makes a loaded table live and lets I/O through. */
  resume(name: string): Promise<void>;
  /** Puts a table in the inactive slot; {@link resume} makes it live. */
  tableLoad(
    name: string,
    targets: readonly DeviceTarget[],
    options?: { readonly readOnly?: boolean },
  ): Promise<void>;
  /** Empties the inactive slot. */
  clear(name: string): Promise<void>;
  /** The live table. */
  tableStatus(name: string): Promise<DeviceTarget[]>;
  /** What the targets of the live table say of themselves. */
  status(name: string, options?: { readonly noFlush?: boolean }): Promise<DeviceTarget[]>;
  /** undefined: there is no such device. */
  info(name: string): Promise<DeviceInfo | undefined>;
  /** The devices below the live table. */
  deps(name: string): Promise<DeviceNumber[]>;
  /** Sends text to the target at `sector` (default 0); gives what it answered, mostly nothing. */
  message(name: string, message: string, sector?: number): Promise<string>;
  /** Waits until the event number of the device has passed `eventNumber`. Nothing but the event ends the wait. */
  waitEvent(name: string, eventNumber: number): Promise<DeviceInfo>;
  /** The geometry that HDIO_GETGEO tells. */
  setGeometry(name: string, geometry: DeviceGeometry): Promise<void>;
  /** Removes every device of the machine that is not open, whoever made it. */
  removeAll(): Promise<void>;
  /** Path of a node that opens the device. Works without udev (spec/drivers.md 2.24). `Enxio`: there is no such device. */
  devicePath(name: string): Promise<string>;
  close(): Promise<void>;
}

/** The path libdevmapper and Docker give a device; only for messages and status lines. */
export function mapperPath(name: string): string {
  return `/dev/mapper/${name}`;
}
