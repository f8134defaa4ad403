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
import { type DeviceMapperReason, deviceMapperError, deviceMapperReason } from './device-mapper-error.js';
import { assertDeviceName, assertTarget } from './limits.js';
import { createWithTable } from './thin-devices.js';

/** Kinds of task, with libdevmapper's numbers (spec/drivers.md 2.25, seed 002). */
export const TASK_TYPE = {
  DeviceCreate: 0,
  DeviceReload: 1,
  DeviceRemove: 2,
  DeviceRemoveAll: 3,
  DeviceSuspend: 4,
  DeviceResume: 5,
  DeviceInfo: 6,
  DeviceDeps: 7,
  DeviceRename: 8,
  DeviceVersion: 9,
  DeviceStatus: 10,
  DeviceTable: 11,
  DeviceWaitevent: 12,
  DeviceList: 13,
  DeviceClear: 14,
  DeviceMknodes: 15,
  DeviceListVersions: 16,
  DeviceTargetMsg: 17,
  DeviceSetGeometry: 18,
} as const;

/** A name of {@link TASK_TYPE}. */
export type TaskType = keyof typeof TASK_TYPE;

/** When a node appears. Nodes are always there at once here; kept for the API. */
export const ADD_NODE = { AddNodeOnResume: 0, AddNodeOnCreate: 1 } as const;

/** Docker's `Info`: numbers for what C has as int. */
export interface TaskInfo {
  readonly exists: number;
  readonly suspended: number;
  readonly liveTable: number;
  readonly inactiveTable: number;
  readonly openCount: number;
  readonly eventNr: number;
  readonly major: number;
  readonly minor: number;
  readonly readOnly: number;
  readonly targetCount: number;
  readonly deferredRemove: number;
  readonly internalSuspend: number;
}

const NOT_THERE: TaskInfo = {
  exists: 0,
  suspended: 0,
  liveTable: 0,
  inactiveTable: 0,
  openCount: 0,
  eventNr: 0,
  major: 0,
  minor: 0,
  readOnly: 0,
  targetCount: 0,
  deferredRemove: 0,
  internalSuspend: 0,
};

/** What a task has come to; what does not belong to its kind is empty. */
interface TaskResult {
  readonly version?: DeviceMapperVersion;
  readonly info?: DeviceInfo | undefined;
  readonly targets?: readonly DeviceTarget[];
  readonly deps?: readonly DeviceNumber[];
  readonly devices?: readonly ListedDevice[];
  readonly versions?: readonly TargetVersion[];
  readonly reply?: string;
}

/**
 * One request to the device mapper, prepared step by step, then run: the shape of libdevmapper's `dm_task`, as Docker's package
 * exposes it (seed 002), over {@link DeviceMapper}. Setters fail with the reason Docker's constant names (`TaskSetName`…); so
 * do getters before a run. A new program uses {@link DeviceMapper} itself.
 */
export class Task {
  readonly type: TaskType;
  readonly #deviceMapper: DeviceMapper;
  readonly #targets: DeviceTarget[] = [];
  #name = '';
  #newName = '';
  #message = '';
  #sector = 0;
  #eventNumber = 0;
  #readOnly = false;
  #deferred = false;
  #geometry: DeviceGeometry | undefined;
  #result: TaskResult | undefined;

  constructor(deviceMapper: DeviceMapper, type: TaskType) {
    if (!Object.hasOwn(TASK_TYPE, type)) {
      throw deviceMapperError('CreateRemoveTask', `there is no task type ${JSON.stringify(type)}`);
    }
    this.#deviceMapper = deviceMapper;
    this.type = type;
  }

  /** Reason `TaskSetName`. A leading `/dev/mapper/` is left out. */
  setName(name: string): this {
    const bare = name.replace(/^\/dev\/mapper\//, '');
    assertDeviceName(bare);
    this.#name = bare;
    return this;
  }

  /** The name after DeviceRename. Reason `TaskSetName`. */
  setNewName(name: string): this {
    assertDeviceName(name);
    this.#newName = name;
    return this;
  }

  /** Reason `TaskSetMessage`. */
  setMessage(message: string): this {
    if (message === '' || message.includes('\0')) {
      throw deviceMapperError('TaskSetMessage', 'a message to a target is text without NUL');
    }
    this.#message = message;
    return this;
  }

  /** Reason `TaskSetSector`. */
  setSector(sector: number): this {
    assertNumber('TaskSetSector', 'a sector', sector);
    this.#sector = sector;
    return this;
  }

  /** The event number DeviceWaitevent waits to pass. */
  setEventNr(eventNumber: number): this {
    assertNumber('TaskRun', 'an event number', eventNumber);
    this.#eventNumber = eventNumber;
    return this;
  }

  /** Reason `InvalidAddNode`. Has no effect: see {@link ADD_NODE}. */
  setAddNode(addNode: number): this {
    if (addNode !== ADD_NODE.AddNodeOnCreate && addNode !== ADD_NODE.AddNodeOnResume) {
      throw deviceMapperError(
        'InvalidAddNode',
        `${addNode} says nothing about when a node is to be made: 0 or 1`,
      );
    }
    return this;
  }

  /**
   * Docker passes a cookie for udev here. Nothing waits for udev (spec/drivers.md 2.24), so the object is only checked and left
   * at 0, for which {@link udevWait} returns at once. Reasons `NilCookie`, `TaskSetCookie`.
   */
  setCookie(cookie: { value: number }, flags: number): this {
    if (typeof cookie !== 'object' || cookie === null) {
      throw deviceMapperError('NilCookie', 'a cookie is an object with a value');
    }
    if (!Number.isInteger(flags) || flags < 0 || flags > 0xffff) {
      throw deviceMapperError('TaskSetCookie', `${flags} are no udev flags: 16 bits`);
    }
    cookie.value = 0;
    return this;
  }

  /** Reason `TaskSetRo` after the run. */
  setRo(): this {
    if (this.#result !== undefined) throw deviceMapperError('TaskSetRo', 'the task has run already');
    this.#readOnly = true;
    return this;
  }

  /** Reason `TaskAddTarget`. */
  addTarget(start: number, length: number, type: string, params: string): this {
    const target: DeviceTarget = { start, length, type, params };
    assertTarget(target);
    this.#targets.push(target);
    return this;
  }

  /** For DeviceRemove: the removal may wait for the last opener. Reason `TaskDeferredRemove` for any other task. */
  setDeferredRemove(): this {
    if (this.type !== 'DeviceRemove') {
      throw deviceMapperError('TaskDeferredRemove', `a ${this.type} task removes nothing`);
    }
    this.#deferred = true;
    return this;
  }

  /** What DeviceSetGeometry sets. */
  setGeometry(geometry: DeviceGeometry): this {
    this.#geometry = geometry;
    return this;
  }

  /** Does it. Reasons: those of {@link DeviceMapper}. */
  async run(): Promise<void> {
    this.#result = await this.#run();
  }

  /** After a run of DeviceInfo, DeviceStatus and their like; a device that does not exist has `exists` 0. Reason `TaskGetInfo`. */
  getInfo(): TaskInfo {
    const { info } = this.#finished('TaskGetInfo');
    return info === undefined ? NOT_THERE : taskInfo(info);
  }

  /** `4.47.0`. Reason `TaskGetDriverVersion`. */
  getDriverVersion(): string {
    const { version } = this.#finished('TaskGetDriverVersion');
    if (version !== undefined) return `${version.major}.${version.minor}.${version.patch}`;
    throw deviceMapperError('TaskGetDriverVersion', `a ${this.type} task does not ask for the version`);
  }

  /** After DeviceDeps. Reason `TaskGetDeps`. */
  getDeps(): readonly DeviceNumber[] {
    const { deps } = this.#finished('TaskGetDeps');
    if (deps !== undefined) return deps;
    throw deviceMapperError('TaskGetDeps', `a ${this.type} task does not ask for dependencies`);
  }

  /**
   * Target number `next` of DeviceStatus or DeviceTable, 0 being the first; `next` of the answer is 0 after the last one. undefined: there
   * is no such target.
   */
  getNextTarget(next: number): (DeviceTarget & { readonly next: number }) | undefined {
    const { targets = [] } = this.#finished('TaskRun');
    const target = targets[next];
    return target === undefined ? undefined : { ...target, next: next + 1 < targets.length ? next + 1 : 0 };
  }

  /** After DeviceList. */
  getNames(): readonly ListedDevice[] {
    return this.#finished('TaskRun').devices ?? [];
  }

  /** After DeviceListVersions. */
  getVersions(): readonly TargetVersion[] {
    return this.#finished('TaskRun').versions ?? [];
  }

  /** What the target answered to DeviceTargetMsg. */
  getMessageResponse(): string {
    return this.#finished('TaskRun').reply ?? '';
  }

  #finished(reason: DeviceMapperReason): TaskResult {
    if (this.#result !== undefined) return this.#result;
    throw deviceMapperError(reason, `the ${this.type} task has not been run`);
  }

  #run(): Promise<TaskResult> {
    return RUN[this.type](this.#deviceMapper, {
      name: this.#name,
      newName: this.#newName,
      message: this.#message,
      sector: this.#sector,
      eventNumber: this.#eventNumber,
      readOnly: this.#readOnly,
      deferred: this.#deferred,
      targets: this.#targets,
      geometry: this.#geometry,
    });
  }
}

interface TaskArguments {
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
const RUN: Readonly<Record<TaskType, (dm: DeviceMapper, task: TaskArguments) => Promise<TaskResult>>> = {
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

function taskInfo(info: DeviceInfo): TaskInfo {
  return {
    exists: 1,
    suspended: Number(info.suspended),
    liveTable: Number(info.liveTable),
    inactiveTable: Number(info.inactiveTable),
    openCount: info.openCount,
    eventNr: info.eventNumber,
    major: info.major,
    minor: info.minor,
    readOnly: Number(info.readOnly),
    targetCount: info.targetCount,
    deferredRemove: Number(info.deferredRemove),
    internalSuspend: Number(info.internalSuspend),
  };
}

function assertNumber(reason: DeviceMapperReason, what: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw deviceMapperError(reason, `${value} is not ${what}: a whole number from 0`);
}
