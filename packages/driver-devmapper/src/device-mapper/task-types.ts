/** Names and numbers of libdevmapper's tasks, for programs that know them (spec/drivers.md 2.25, seed 002). */
import type { DeviceInfo } from './device-mapper.js';

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

/** The structure of a device; undefined: there is none. */
export function taskInfo(info: DeviceInfo | undefined): TaskInfo {
  if (info === undefined) return NOT_THERE;
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
