import { endianness } from 'node:os';
import { errnoOf, LayerStoreError } from '@x/archive';
import type { NativeCalls } from '@x/native';
import { callError } from './call-error.js';
import { openControl } from './control-node.js';
import type {
  DeviceGeometry,
  DeviceInfo,
  DeviceMapper,
  DeviceMapperVersion,
  DeviceNumber,
  DeviceTarget,
  ListedDevice,
  RemovalOutcome,
  SuspendOptions,
  TargetVersion,
} from './device-mapper.js';
import { deviceMapperError, deviceMapperReason } from './device-mapper-error.js';
import { deviceNode } from './device-node.js';
import {
  DM,
  DM_FLAG,
  type DmHeader,
  type DmRequest,
  decodeHeader,
  encodeRequest,
  payloadOf,
  text,
} from './dm-ioctl.js';
import {
  decodeDeps,
  decodeDeviceList,
  decodeTargets,
  decodeTargetVersions,
  encodeMessage,
  encodeTargets,
  encodeText,
} from './dm-payload.js';
import { assertDeviceName, assertTarget } from './limits.js';
import { requireNative } from './native-calls.js';

/** Room for the first try of a reply of unknown length (2.26). */
const ROOM = 16 * 1024;

/**
 * What udev is told about changes of our devices: no subsystem, disk or other rules (so that nothing opens them to look for
 * file systems), and that this is the primary source of the event. High half of the cookie; the low half, a semaphore to
 * report to, stays 0 (spec/drivers.md 2.24).
 */
const UDEV_COOKIE = (0x2 | 0x4 | 0x8 | 0x40) << 16;

type Calls = Pick<NativeCalls, 'dmIoctl' | 'mknodatSync' | 'fstatatSync'>;

/** {@link DeviceMapper} over ioctls on /dev/mapper/control: no libdevmapper, no udev. */
export class IoctlDeviceMapper implements DeviceMapper {
  readonly #calls: Calls;
  readonly #control: Awaited<ReturnType<typeof openControl>>;

  private constructor(calls: Calls, control: Awaited<ReturnType<typeof openControl>>) {
    this.#calls = calls;
    this.#control = control;
  }

  /** @throws NATIVE_UNAVAILABLE, DRIVER_NOT_SUPPORTED */
  static async open(): Promise<IoctlDeviceMapper> {
    const calls = requireNative('device mapper');
    if (endianness() !== 'LE') {
      throw new LayerStoreError(
        'DRIVER_NOT_SUPPORTED',
        'device mapper is not supported on big-endian machines',
        {
          driver: 'devicemapper',
        },
      );
    }
    return new IoctlDeviceMapper(calls, await openControl(calls));
  }

  async driverVersion(): Promise<DeviceMapperVersion> {
    try {
      const [major, minor, patch] = (await this.#header('version', DM.version, {})).version;
      return { major, minor, patch };
    } catch (error) {
      throw deviceMapperError('TaskGetDriverVersion', 'the kernel does not tell its device-mapper version', {
        ...errnoField(error),
        cause: error,
      });
    }
  }

  async listVersions(): Promise<TargetVersion[]> {
    return decodeTargetVersions(await this.#call('list versions', DM.listVersions, { room: ROOM }));
  }

  async list(): Promise<ListedDevice[]> {
    return decodeDeviceList(await this.#call('list', DM.listDevices, { room: ROOM }));
  }

  async create(name: string, options: { readonly uuid?: string } = {}): Promise<DeviceInfo> {
    return infoOf(await this.#header('create', DM.create, { name, ...options }));
  }

  async remove(name: string): Promise<void> {
    await this.#call('remove', DM.remove, { name, eventNumber: UDEV_COOKIE });
  }

  async removeDeferred(name: string): Promise<RemovalOutcome> {
    const request = { name, flags: DM_FLAG.deferredRemove, eventNumber: UDEV_COOKIE };
    const { flags } = await this.#header('deferred remove', DM.remove, request);
    return (flags & DM_FLAG.deferredRemove) === 0 ? 'removed' : 'deferred';
  }

  async cancelDeferredRemove(name: string): Promise<void> {
    await this.message(name, '@cancel_deferred_remove');
  }

  async rename(name: string, newName: string): Promise<void> {
    assertDeviceName(newName);
    await this.#call('rename', DM.rename, {
      name,
      payload: encodeText(newName),
      eventNumber: UDEV_COOKIE,
    });
  }

  async suspend(name: string, options: SuspendOptions = {}): Promise<void> {
    const noFlush = options.noFlush === true ? DM_FLAG.noFlush : 0;
    const skipLockFs = options.skipLockFs === true ? DM_FLAG.skipLockFs : 0;
    await this.#call('suspend', DM.suspend, { name, flags: DM_FLAG.suspend | noFlush | skipLockFs });
  }

  async resume(name: string): Promise<void> {
    await this.#call('resume', DM.suspend, { name, eventNumber: UDEV_COOKIE });
  }

  async tableLoad(
    name: string,
    targets: readonly DeviceTarget[],
    options: { readonly readOnly?: boolean } = {},
  ): Promise<void> {
    targets.forEach(assertTarget);
    await this.#call('table load', DM.tableLoad, {
      name,
      flags: options.readOnly === true ? DM_FLAG.readOnly : 0,
      targetCount: targets.length,
      payload: encodeTargets(targets),
    });
  }

  async clear(name: string): Promise<void> {
    await this.#call('clear', DM.tableClear, { name });
  }

  async tableStatus(name: string): Promise<DeviceTarget[]> {
    const request = { name, flags: DM_FLAG.statusTable, room: ROOM };
    return decodeTargets(await this.#call('table', DM.tableStatus, request));
  }

  async status(name: string, options: { readonly noFlush?: boolean } = {}): Promise<DeviceTarget[]> {
    const flags = options.noFlush === true ? DM_FLAG.noFlush : 0;
    return decodeTargets(await this.#call('status', DM.tableStatus, { name, flags, room: ROOM }));
  }

  async info(name: string): Promise<DeviceInfo | undefined> {
    try {
      return infoOf(await this.#header('info', DM.status, { name }));
    } catch (error) {
      if (deviceMapperReason(error) === 'Enxio') return undefined;
      throw error;
    }
  }

  async deps(name: string): Promise<DeviceNumber[]> {
    return decodeDeps(await this.#call('deps', DM.tableDeps, { name, room: ROOM }));
  }

  async message(name: string, message: string, sector = 0): Promise<string> {
    const payload = encodeMessage(message, sector);
    const reply = await this.#call(`message "${message}"`, DM.targetMessage, { name, payload, room: ROOM });
    const answered = (decodeHeader(reply).flags & DM_FLAG.dataOut) !== 0;
    return answered ? text(payloadOf(reply)) : '';
  }

  async waitEvent(name: string, eventNumber: number): Promise<DeviceInfo> {
    const header = await this.#header('wait', DM.wait, { name, eventNumber, room: ROOM });
    return infoOf(header);
  }

  async setGeometry(name: string, geometry: DeviceGeometry): Promise<void> {
    const { cylinders, heads, sectorsPerTrack, start } = geometry;
    const payload = encodeText(`${cylinders} ${heads} ${sectorsPerTrack} ${start}`);
    await this.#call('set geometry', DM.setGeometry, { name, payload });
  }

  async removeAll(): Promise<void> {
    await this.#call('remove all', DM.removeAll, {});
  }

  async devicePath(name: string): Promise<string> {
    const info = infoOf(await this.#header('info', DM.status, { name }));
    return deviceNode(this.#calls, info);
  }

  close(): Promise<void> {
    return this.#control.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #header(what: string, command: number, request: DmRequest): Promise<DmHeader> {
    return decodeHeader(await this.#call(what, command, request));
  }

  async #call(what: string, command: number, request: DmRequest): Promise<Buffer> {
    if (request.name !== undefined) assertDeviceName(request.name);
    try {
      return await this.#calls.dmIoctl(this.#control.fd, command, encodeRequest(request));
    } catch (error) {
      const errno = errnoOf(error);
      throw errno === undefined ? error : callError(what, request.name ?? '', errno, error);
    }
  }
}

function infoOf(header: DmHeader): DeviceInfo {
  const has = (flag: number): boolean => (header.flags & flag) !== 0;
  return {
    ...header.device,
    name: header.name,
    uuid: header.uuid,
    suspended: has(DM_FLAG.suspend),
    liveTable: has(DM_FLAG.activePresent),
    inactiveTable: has(DM_FLAG.inactivePresent),
    openCount: header.openCount,
    eventNumber: header.eventNumber,
    readOnly: has(DM_FLAG.readOnly),
    targetCount: header.targetCount,
    deferredRemove: has(DM_FLAG.deferredRemove),
    internalSuspend: has(DM_FLAG.internalSuspend),
  };
}

function errnoField(error: unknown): { readonly errno?: string } {
  const errno = errnoOf(error);
  return errno === undefined ? {} : { errno };
}
