export type {
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
export { DEVICE_MAPPER_ERRORS, type DeviceMapperReason, deviceMapperReason } from './device-mapper-error.js';
export { IoctlDeviceMapper } from './ioctl-device-mapper.js';
export { type DeviceMapperLog, LOG_LEVEL, loggedDeviceMapper } from './logged-device-mapper.js';
export { Task } from './task.js';
export { ADD_NODE, TASK_TYPE, type TaskInfo, type TaskType } from './task-types.js';
export {
  activateThin,
  cancelDeferredRemoval,
  createSnapshot,
  createWithTable,
  type RetryOptions,
  reloadTable,
  removeDeviceDeferred,
  type ThinActivation,
  waitClose,
  waitRemove,
  withSuspended,
} from './thin-devices.js';
export {
  blockDeviceDiscard,
  findLoopDeviceFor,
  getBlockDeviceSize,
  getLibraryVersion,
  getLoopbackBackingFile,
  loopbackSetCapacity,
  mounted,
  probeFsType,
  removeDevice,
  setDevDir,
  udevWait,
} from './wrapper-functions.js';
