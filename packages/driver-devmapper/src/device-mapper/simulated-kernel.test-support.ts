import type { DeviceMapperVersion, DeviceNumber, DeviceTarget } from './device-mapper.js';
import { Errno } from './simulated-errno.test-support.js';
import { SimulatedPool, type SimulatedThin } from './simulated-pool.test-support.js';

/** A disk or loop device. */
export interface SimulatedDisk extends DeviceNumber {
  readonly path: string;
  /** Bytes; may change under the pool. */
  size: number;
  /** Pool metadata written on it; kept where the loop's file is the disk. */
  readonly content: { pool?: SimulatedPool };
  openCount: number;
  /** Told when the last opener closes. */
  readonly onIdle?: (() => void) | undefined;
}

export interface SimulatedDevice {
  name: string;
  readonly uuid: string;
  readonly minor: number;
  live: readonly DeviceTarget[] | undefined;
  inactive: readonly DeviceTarget[] | undefined;
  suspended: boolean;
  deferredRemove: boolean;
  readOnly: boolean;
  openCount: number;
  eventNumber: number;
}

/** A fault to come: the call fails, or works and then fails, as if the process had been told so. */
export interface SimulatedFault {
  /** Method name (`suspend`), or the first word of a message (`create_snap`). */
  readonly call: string;
  /** errno name, or anything else to throw as it is. */
  readonly failure: string | Error;
  /** Default `before`: the call has no effect. */
  readonly when?: 'before' | 'after';
  /** Calls to let through first. Default 0. */
  readonly skip?: number;
  /** How often. Default 1. */
  readonly times?: number;
  /** Only of this device. */
  readonly device?: string;
}

const DM_MAJOR = 254;
const SECTOR = 512;

/** The kernel's side; {@link ./simulator.test-support.ts} adds what opens it. */
export class SimulatedKernelState {
  /** Every call with its device, in order: `create docker-1:2-3-pool`, `create_snap docker-1:2-3-pool 4 1`. */
  readonly calls: string[] = [];
  readonly devices: Map<string, SimulatedDevice> = new Map();
  version: DeviceMapperVersion = { major: 4, minor: 47, patch: 0 };
  readonly #disks = new Map<string, SimulatedDisk>();
  readonly #faults: { fault: SimulatedFault; skip: number; times: number }[] = [];
  #nextMinor = 0;
  #nextDiskMinor = 0;

  addDisk(
    path: string,
    size: number,
    content: { pool?: SimulatedPool } = {},
    onIdle?: () => void,
  ): SimulatedDisk {
    const disk: SimulatedDisk = {
      path,
      size,
      content,
      major: 7,
      minor: this.#nextDiskMinor,
      openCount: 0,
      onIdle,
    };
    this.#nextDiskMinor += 1;
    this.#disks.set(path, disk);
    return disk;
  }

  disk(path: string): SimulatedDisk | undefined {
    return this.#disks.get(path);
  }

  removeDisk(path: string): void {
    this.#disks.delete(path);
  }

  inject(fault: SimulatedFault): void {
    this.#faults.push({ fault, skip: fault.skip ?? 0, times: fault.times ?? 1 });
  }

  /** No fault that is still to come comes. */
  clearFaults(): void {
    this.#faults.length = 0;
  }

  /** Everything active is gone; disks keep what is on them. */
  reboot(): void {
    this.devices.clear();
    for (const disk of this.#disks.values()) disk.openCount = 0;
  }

  /** The pool below a device that is one. */
  pool(name: string): SimulatedPool {
    const target = this.device(name).live?.[0];
    const pool = target?.type === 'thin-pool' ? this.#poolOn(target) : undefined;
    if (pool === undefined) throw new Error(`simulator: ${name} is no pool`);
    return pool;
  }

  /** Pool and id of an active thin device. */
  thin(name: string): {
    readonly pool: SimulatedPool;
    readonly id: number;
    readonly thin: SimulatedThin;
    readonly bytes: number;
  } {
    const target = this.device(name).live?.[0];
    const [reference = '', id] = target?.params.split(' ') ?? [];
    const poolDevice = this.#byReference(reference);
    if (target?.type !== 'thin' || poolDevice === undefined)
      throw new Error(`simulator: ${name} is no thin device`);
    const pool = this.pool(poolDevice.name);
    const thin = pool.thins.get(Number(id));
    if (thin === undefined) throw new Errno('EIO');
    return { pool, id: Number(id), thin, bytes: target.length * SECTOR };
  }

  /** The dm device behind `/dev/dm-N`. */
  deviceAt(path: string): SimulatedDevice | undefined {
    return [...this.devices.values()].find((device) => nodePath(device) === path);
  }

  device(name: string): SimulatedDevice {
    const device = this.devices.get(name);
    if (device === undefined) throw new Errno('ENXIO');
    return device;
  }

  /** Another opener: a mount, a process in another mount namespace. */
  open(name: string): void {
    this.device(name).openCount += 1;
  }

  /** An opener closes; a deferred removal happens now. */
  closeOpener(name: string): void {
    const device = this.device(name);
    device.openCount -= 1;
    if (device.openCount === 0 && device.deferredRemove) this.destroy(device);
  }

  /** Runs one call, with its faults. */
  run<T>(call: string, device: string, detail: string, work: () => T): T {
    this.calls.push([call, device, detail].filter((part) => part !== '').join(' '));
    const fault = this.#faultFor(call, device);
    if (fault !== undefined && fault.when !== 'after') throw failure(fault);
    const result = work();
    if (fault !== undefined) throw failure(fault);
    return result;
  }

  newDevice(name: string, uuid: string): SimulatedDevice {
    if (this.devices.has(name)) throw new Errno('EBUSY');
    if (name === '' || name.includes('/') || name.length > 127) throw new Errno('EINVAL');
    const device: SimulatedDevice = {
      name,
      uuid,
      minor: this.#nextMinor,
      live: undefined,
      inactive: undefined,
      suspended: false,
      deferredRemove: false,
      readOnly: false,
      openCount: 0,
      eventNumber: 0,
    };
    this.#nextMinor += 1;
    this.devices.set(name, device);
    return device;
  }

  destroy(device: SimulatedDevice): void {
    this.devices.delete(device.name);
    this.#closeBelow(device.live);
    this.#closeBelow(device.inactive);
  }

  load(device: SimulatedDevice, targets: readonly DeviceTarget[]): void {
    const resolved = targets.map((target) => ({ ...target, params: this.#resolve(target, device) }));
    this.#closeBelow(device.inactive);
    this.#openBelow(resolved);
    device.inactive = resolved;
  }

  clear(device: SimulatedDevice): void {
    this.#closeBelow(device.inactive);
    device.inactive = undefined;
  }

  /** The kernel swaps the tables first: when the targets then refuse, the new table is live, and suspended. */
  resume(device: SimulatedDevice): void {
    if (device.inactive !== undefined) {
      this.#closeBelow(device.live);
      device.live = device.inactive;
      device.inactive = undefined;
      device.suspended = true;
    }
    const [target] = device.live ?? [];
    if (target === undefined) throw new Errno('EINVAL');
    if (target.type === 'thin-pool') this.#growPool(target);
    device.suspended = false;
  }

  message(device: SimulatedDevice, message: string): void {
    const target = device.live?.[0];
    if (target === undefined) throw new Errno('EINVAL');
    if (message === '@cancel_deferred_remove') {
      device.deferredRemove = false;
      return;
    }
    if (target.type !== 'thin-pool') throw new Errno('EINVAL');
    const pool = this.#poolOn(target);
    this.#assertConsistentOrigin(device, message);
    pool.message(message, (id) => this.#activeThin(device, id) !== undefined);
  }

  statusOf(device: SimulatedDevice): DeviceTarget[] {
    return (device.live ?? []).map((target) => {
      if (target.type === 'thin-pool') return { ...target, params: this.#poolOn(target).status() };
      if (target.type !== 'thin') return { ...target, params: '' };
      const { pool, id } = this.thin(device.name);
      return { ...target, params: pool.thinStatus(id) };
    });
  }

  below(device: SimulatedDevice): DeviceNumber[] {
    return (device.live ?? []).flatMap((target) => references(target).map(parseNumber));
  }

  /** A snapshot of a device in use that nobody froze is not consistent: a bug in the caller, so the test fails. */
  #assertConsistentOrigin(pool: SimulatedDevice, message: string): void {
    const [command, , origin] = message.split(' ');
    if (command !== 'create_snap') return;
    const active = this.#activeThin(pool, Number(origin));
    if (active !== undefined && !active.suspended) {
      throw new Error(`simulator: snapshot of ${active.name}, which is active and not suspended`);
    }
  }

  #activeThin(pool: SimulatedDevice, id: number): SimulatedDevice | undefined {
    const params = `${DM_MAJOR}:${pool.minor} ${id}`;
    return [...this.devices.values()].find((device) =>
      [...(device.live ?? []), ...(device.inactive ?? [])].some(
        (target) => target.type === 'thin' && target.params.split(' ').slice(0, 2).join(' ') === params,
      ),
    );
  }

  /** Checks a target as its constructor in the kernel does, and gives params with device numbers. */
  #resolve(target: DeviceTarget, device: SimulatedDevice): string {
    const words = target.params.split(' ');
    if (target.type === 'thin') {
      const pool = this.#byReference(words[0] ?? '');
      if (pool === undefined) throw new Errno('ENODEV');
      const below = pool.live?.[0];
      if (below?.type !== 'thin-pool') throw new Errno('EINVAL');
      const content = this.#poolOn(below);
      if (content.mode === 'Fail') throw new Errno('EINVAL');
      if (!content.thins.has(Number(words[1]))) throw new Errno('ENODATA');
      return [`${DM_MAJOR}:${pool.minor}`, ...words.slice(1)].join(' ');
    }
    if (target.type !== 'thin-pool') return target.params;
    const [metadata, data] = words.slice(0, 2).map((reference) => this.#diskByReference(reference));
    if (metadata === undefined || data === undefined) throw new Errno('ENODEV');
    this.#format(metadata, Number(words[2]), device);
    return [`${metadata.major}:${metadata.minor}`, `${data.major}:${data.minor}`, ...words.slice(2)].join(
      ' ',
    );
  }

  #format(metadata: SimulatedDisk, blockSectors: number, device: SimulatedDevice): void {
    const valid = blockSectors >= 128 && blockSectors <= 2097152 && blockSectors % 128 === 0;
    if (!valid || metadata.size < 2 * 1024 * 1024) throw new Errno('EINVAL');
    if (metadata.openCount > 0 && device.live === undefined && this.#isPoolMetadata(metadata)) {
      throw new Errno('EBUSY');
    }
    metadata.content.pool ??= new SimulatedPool(blockSectors, metadata.size);
    if (metadata.content.pool.blockSectors !== blockSectors) throw new Errno('EINVAL');
  }

  #isPoolMetadata(disk: SimulatedDisk): boolean {
    const reference = `${disk.major}:${disk.minor} `;
    return [...this.devices.values()].some((device) => device.live?.[0]?.params.startsWith(reference));
  }

  #growPool(target: DeviceTarget): void {
    const pool = this.#poolOn(target);
    const blocks = Math.floor(target.length / pool.blockSectors);
    if (blocks < pool.dataBlocks) throw new Errno('EINVAL');
    const [metadata, data] = references(target).map((reference) => this.#diskByReference(reference));
    if (data === undefined || data.size < target.length * SECTOR) throw new Errno('EINVAL');
    pool.dataBlocks = blocks;
    pool.metadataBlocks = Math.floor((metadata?.size ?? 0) / 4096);
  }

  #poolOn(target: DeviceTarget): SimulatedPool {
    const pool = this.#diskByReference(references(target)[0] ?? '')?.content.pool;
    if (pool === undefined) throw new Errno('EIO');
    return pool;
  }

  #byReference(reference: string): SimulatedDevice | undefined {
    const name = reference.replace('/dev/mapper/', '');
    return [...this.devices.values()].find(
      (device) =>
        device.name === name || `${DM_MAJOR}:${device.minor}` === reference || nodePath(device) === reference,
    );
  }

  #diskByReference(reference: string): SimulatedDisk | undefined {
    return [...this.#disks.values()].find(
      (disk) => disk.path === reference || `${disk.major}:${disk.minor}` === reference,
    );
  }

  #openBelow(targets: readonly DeviceTarget[]): void {
    for (const reference of targets.flatMap(references)) {
      const disk = this.#diskByReference(reference);
      if (disk !== undefined) disk.openCount += 1;
      else if (this.#byReference(reference) !== undefined)
        this.open(this.#byReference(reference)?.name ?? '');
    }
  }

  #closeBelow(targets: readonly DeviceTarget[] | undefined): void {
    for (const reference of (targets ?? []).flatMap(references)) {
      const disk = this.#diskByReference(reference);
      const device = this.#byReference(reference);
      if (disk !== undefined) {
        disk.openCount -= 1;
        if (disk.openCount === 0) disk.onIdle?.();
      } else if (device !== undefined) this.closeOpener(device.name);
    }
  }

  #faultFor(call: string, device: string): SimulatedFault | undefined {
    for (const entry of this.#faults) {
      if (entry.times === 0 || entry.fault.call !== call) continue;
      if (entry.fault.device !== undefined && entry.fault.device !== device) continue;
      if (entry.skip > 0) {
        entry.skip -= 1;
        continue;
      }
      entry.times -= 1;
      return entry.fault;
    }
    return undefined;
  }
}

/** Node of a simulated device. */
export function nodePath(device: { readonly minor: number }): string {
  return `/dev/dm-${device.minor}`;
}

function references(target: DeviceTarget): string[] {
  if (target.type === 'thin-pool') return target.params.split(' ').slice(0, 2);
  return target.type === 'thin' ? target.params.split(' ').slice(0, 1) : [];
}

function parseNumber(text: string): DeviceNumber {
  const [major, minor] = text.split(':').map(Number);
  return { major: major ?? 0, minor: minor ?? 0 };
}

function failure(fault: SimulatedFault): Error {
  return typeof fault.failure === 'string' ? new Errno(fault.failure) : fault.failure;
}
