import { type ErrorCode, LayerStoreError, type LayerStoreErrorOptions } from '@x/archive';

/** Name of an error constant of Docker's devmapper package (spec/drivers.md 2.27, seed 002), without `Err` in front. */
export type DeviceMapperReason =
  | 'TaskRun'
  | 'TaskSetName'
  | 'TaskSetMessage'
  | 'TaskSetAddNode'
  | 'TaskSetRo'
  | 'TaskAddTarget'
  | 'TaskSetSector'
  | 'TaskGetDeps'
  | 'TaskGetInfo'
  | 'TaskGetDriverVersion'
  | 'TaskDeferredRemove'
  | 'TaskSetCookie'
  | 'NilCookie'
  | 'AttachLoopbackDevice'
  | 'GetBlockSize'
  | 'UdevWait'
  | 'SetDevDir'
  | 'GetLibraryVersion'
  | 'CreateRemoveTask'
  | 'RunRemoveDevice'
  | 'InvalidAddNode'
  | 'GetLoopbackBackingFile'
  | 'LoopbackSetCapacity'
  | 'Busy'
  | 'DeviceIDExists'
  | 'Enxio'
  | 'NoData';

/** The code of each. `Busy`, `DeviceIDExists`, `Enxio` and `NoData` are told apart by errno, never by a message. */
export const DEVICE_MAPPER_ERRORS: Readonly<Record<DeviceMapperReason, ErrorCode>> = {
  TaskRun: 'DRIVER_FAILED',
  TaskSetName: 'OPTION_INVALID',
  TaskSetMessage: 'OPTION_INVALID',
  TaskSetAddNode: 'OPTION_INVALID',
  TaskSetRo: 'OPTION_INVALID',
  TaskAddTarget: 'OPTION_INVALID',
  TaskSetSector: 'OPTION_INVALID',
  TaskGetDeps: 'DRIVER_FAILED',
  TaskGetInfo: 'DRIVER_FAILED',
  TaskGetDriverVersion: 'DRIVER_NOT_SUPPORTED',
  TaskDeferredRemove: 'DRIVER_NOT_SUPPORTED',
  TaskSetCookie: 'OPTION_INVALID',
  NilCookie: 'OPTION_INVALID',
  AttachLoopbackDevice: 'DRIVER_PREREQUISITES',
  GetBlockSize: 'DRIVER_FAILED',
  UdevWait: 'DRIVER_FAILED',
  SetDevDir: 'OPTION_INVALID',
  GetLibraryVersion: 'DRIVER_FAILED',
  CreateRemoveTask: 'OPTION_INVALID',
  RunRemoveDevice: 'DRIVER_FAILED',
  InvalidAddNode: 'OPTION_INVALID',
  GetLoopbackBackingFile: 'DRIVER_FAILED',
  LoopbackSetCapacity: 'DRIVER_FAILED',
  Busy: 'DRIVER_BUSY',
  DeviceIDExists: 'DRIVER_FAILED',
  Enxio: 'DRIVER_FAILED',
  NoData: 'DRIVER_FAILED',
};

const REASON = Symbol.for('@x/driver-devmapper.reason');

/** A coded error that keeps the constant's name; read it with {@link deviceMapperReason}. */
export function deviceMapperError(
  reason: DeviceMapperReason,
  message: string,
  options: LayerStoreErrorOptions = {},
): LayerStoreError {
  const error = new LayerStoreError(DEVICE_MAPPER_ERRORS[reason], message, {
    driver: 'devicemapper',
    ...options,
  });
  Object.defineProperty(error, REASON, { value: reason });
  return error;
}

/** Which constant an error stands for; undefined for errors from elsewhere. */
export function deviceMapperReason(error: unknown): DeviceMapperReason | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  return (error as { readonly [REASON]?: DeviceMapperReason })[REASON];
}
