import type { DeviceTarget } from './device-mapper.js';
import { deviceMapperError } from './device-mapper-error.js';
import { DM_NAME_MAX } from './dm-ioctl.js';
import { TARGET_TYPE_MAX } from './dm-payload.js';

/** The kernel would cut a long name short, and so work on another device. Reason `TaskSetName`. */
export function assertDeviceName(name: string): void {
  const bytes = Buffer.byteLength(name);
  if (bytes > 0 && bytes <= DM_NAME_MAX && !/[/\0]/.test(name)) return;
  throw deviceMapperError(
    'TaskSetName',
    `${JSON.stringify(name.slice(0, 140))} is not a device-mapper name: 1 to ${DM_NAME_MAX} bytes without '/'`,
    { name: name.slice(0, 140) },
  );
}

/** Reason `TaskAddTarget`. */
export function assertTarget({ start, length, type, params }: DeviceTarget): void {
  const numbers = Number.isSafeInteger(start) && start >= 0 && Number.isSafeInteger(length) && length > 0;
  if (numbers && /^[\x21-\x7e]+$/.test(type) && type.length <= TARGET_TYPE_MAX && !params.includes('\0'))
    return;
  throw deviceMapperError(
    'TaskAddTarget',
    `"${start} ${length} ${type.slice(0, 40)} ${params.slice(0, 80)}" is not a line of a device-mapper table`,
  );
}
