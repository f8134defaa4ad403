import type {
  DeviceGeometry,
  DeviceMapper,
  DeviceNumber,
  DeviceTarget,
  ListedDevice,
  TargetVersion,
} from './device-mapper.js';
import { type DeviceMapperReason, deviceMapperError } from './device-mapper-error.js';
import { assertDeviceName, assertTarget } from './limits.js';
import { RUN_TASK, type TaskResult } from './run-task.js';
import { ADD_NODE, TASK_TYPE, type TaskInfo, type TaskType, taskInfo } from './task-types.js';

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
    return taskInfo(this.#finished('TaskGetInfo').info);
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
    return RUN_TASK[this.type](this.#deviceMapper, {
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

function assertNumber(reason: DeviceMapperReason, what: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw deviceMapperError(reason, `${value} is not ${what}: a whole number from 0`);
}
