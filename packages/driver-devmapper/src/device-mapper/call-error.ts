import type { LayerStoreError } from '@x/archive';
import { type DeviceMapperReason, deviceMapperError } from './device-mapper-error.js';

const REASONS: ReadonlyMap<string, DeviceMapperReason> = new Map([
  ['EBUSY', 'Busy'],
  ['ENXIO', 'Enxio'],
  ['EEXIST', 'DeviceIDExists'],
  ['ENODATA', 'NoData'],
]);

const MEANINGS: ReadonlyMap<string, string> = new Map([
  ['EBUSY', 'it is in use, or the name is taken'],
  ['ENXIO', 'there is no such device'],
  ['EEXIST', 'the device id is taken'],
  ['ENODATA', 'the pool has no device of that id'],
  ['ENODEV', 'a device that the table names does not exist'],
  ['EOPNOTSUPP', 'the pool is read-only or failed: check its metadata with thin_check'],
  ['ENOSPC', 'the pool is out of space'],
  ['EPERM', 'this needs CAP_SYS_ADMIN'],
  ['EACCES', 'this needs CAP_SYS_ADMIN'],
]);

/**
 * The error for a call that the kernel refused with `errno`. What the number means differs between calls; these are the
 * meanings for the calls of this driver (spec/drivers.md 2.8, 2.26).
 */
export function callError(call: string, name: string, errno: string, cause?: unknown): LayerStoreError {
  const meaning = MEANINGS.get(errno);
  const where = name === '' ? call : `${call} of ${name}`;
  return deviceMapperError(
    REASONS.get(errno) ?? 'TaskRun',
    `device mapper: ${where} failed with ${errno}${meaning === undefined ? '' : `: ${meaning}`}`,
    {
      errno,
      syscall: 'ioctl',
      ...(name === '' ? {} : { name }),
      ...(cause === undefined ? {} : { cause }),
    },
  );
}
