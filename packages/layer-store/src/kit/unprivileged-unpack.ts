import type { UnpackOptions } from '../driver/contract.js';

/**
 * How a process that may not give files away unpacks: what the kernel refuses is reported, and what it refuses of owners and
 * modes is recorded besides. A driver that uses it says so in `_recordsOwners`.
 */
export const UNPRIVILEGED_UNPACK: Readonly<
  Pick<UnpackOptions, 'ownership' | 'xattrs' | 'devices' | 'recordOwners'>
> = Object.freeze({
  ownership: 'report',
  xattrs: 'report',
  devices: 'report',
  recordOwners: true,
});
