import type {
  DeviceGeometry,
  DeviceInfo,
  DeviceMapper,
  DeviceMapperVersion,
  DeviceNumber,
  DeviceTarget,
  ListedDevice,
  TargetVersion,
} from './device-mapper.js';
import { deviceMapperError, deviceMapperReason } from './device-mapper-error.js';
import type { TaskType } from './task-types.js';
import { createWithTable } from './thin-devices.js';

/** What a task has come to; what does not belong to its kind is empty. */
export interface TaskResult {
  readonly version?: DeviceMapperVersion;
  readonly info?: DeviceInfo | undefined;
  readonly targets?: readonly DeviceTarget[];
  readonly deps?: readonly DeviceNumber[];
  readonly devices?: readonly ListedDevice[];
  readonly versions?: readonly TargetVersion[];
  readonly reply?: string;
}

/** What was set on a task before it runs. */
export interface TaskArguments {
  readonly name: string;
  readonly newName: string;
  readonly message: string;
  readonly sector: number;
  readonly eventNumber: number;
  readonly readOnly: boolean;
  readonly deferred: boolean;
  readonly targets: readonly DeviceTarget[];
  readonly geometry: DeviceGeometry | undefined;
}

/** What each kind of task does. */
export const RUN_TASK: Readonly<
  Record<TaskType, (dm: DeviceMapper, task: TaskArguments) => Promise<TaskResult>>
> = {
  DeviceCreate: async (dm, { name, targets, readOnly }) => ({
    info: await (targets.length === 0 ? dm.create(name) : createWithTable(dm, name, targets, readOnly)),
  }),
  DeviceReload: async (dm, { name, targets, readOnly }) => {
    await dm.tableLoad(name, targets, { readOnly });
    return { info: await dm.info(name) };
  },
  DeviceRemove: async (dm, { name, deferred }) => {
    await (deferred ? dm.removeDeferred(name) : dm.remove(name));
    return { info: await dm.info(name) };
  },
  DeviceRemoveAll: async (dm) => {
    await dm.removeAll();
    return {};
  },
  DeviceSuspend: async (dm, { name }) => {
    await dm.suspend(name);
    return { info: await dm.info(name) };
  },
  DeviceResume: async (dm, { name }) => {
    await dm.resume(name);
    return { info: await dm.info(name) };
  },
  DeviceInfo: async (dm, { name }) => ({ info: await dm.info(name) }),
  DeviceDeps: async (dm, { name }) => ({ deps: await dm.deps(name), info: await dm.info(name) }),
  DeviceRename: async (dm, { name, newName }) => {
    await dm.rename(name, newName);
    return { info: await dm.info(newName) };
  },
  DeviceVersion: async (dm) => ({ version: await dm.driverVersion() }),
  DeviceStatus: (dm, { name }) => ifPresent(dm, name, () => dm.status(name)),
  DeviceTable: (dm, { name }) => ifPresent(dm, name, () => dm.tableStatus(name)),
  DeviceWaitevent: async (dm, { name, eventNumber }) => ({ info: await dm.waitEvent(name, eventNumber) }),
  DeviceList: async (dm) => ({ devices: await dm.list() }),
  DeviceClear: async (dm, { name }) => {
    await dm.clear(name);
    return { info: await dm.info(name) };
  },
  DeviceMknodes: async (dm, { name }) => {
    await dm.devicePath(name);
    return { info: await dm.info(name) };
  },
  DeviceListVersions: async (dm) => ({ versions: await dm.listVersions() }),
  DeviceTargetMsg: async (dm, { name, message, sector }) => ({
    reply: await dm.message(name, message, sector),
  }),
  DeviceSetGeometry: async (dm, { name, geometry }) => {
    if (geometry === undefined) throw deviceMapperError('TaskRun', 'no geometry was given', { name });
    await dm.setGeometry(name, geometry);
    return { info: await dm.info(name) };
  },
};

/** As libdevmapper, status of a device that is not there is no failure: `exists` says so. */
async function ifPresent(
  deviceMapper: DeviceMapper,
  name: string,
  targets: () => Promise<readonly DeviceTarget[]>,
): Promise<TaskResult> {
  try {
    return { targets: await targets(), info: await deviceMapper.info(name) };
  } catch (error) {
    if (deviceMapperReason(error) === 'Enxio') return { targets: [], info: undefined };
    throw error;
  }
}
