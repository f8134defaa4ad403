import { createHash } from 'node:crypto';
import { BASE_HASH } from '../metadata/device-record.js';

/** Longest name the kernel takes: DM_NAME_LEN less the NUL. */
export const MAX_DEVICE_NAME = 127;

/**
 * Start of the device names of a home: `docker-8:1-1234`, from the device and inode number of the directory
 * (spec/drivers.md 2.1). A home that is copied elsewhere gets another one.
 */
export function devicePrefix(word: string, device: bigint, inode: bigint): string {
  const major = (device >> 8n) & 0xfffn;
  const minor = (device & 0xffn) | ((device >> 12n) & 0xfff00n);
  return `${word}-${major}:${minor}-${inode}`;
}

/** dm names of everything that belongs to one home. */
export class DeviceNames {
  readonly prefix: string;
  /** The pool's; somebody else's with `dm.thinpooldev`. */
  readonly pool: string;

  constructor(prefix: string, thinPoolDevice?: string) {
    this.prefix = prefix;
    this.pool = thinPoolDevice ?? `${prefix}-pool`;
  }

  /** A layer id that is too long for the kernel goes by its digest. */
  of(hash: string): string {
    const name = `${this.prefix}-${hash === BASE_HASH ? 'base' : hash}`;
    if (name.length <= MAX_DEVICE_NAME) return name;
    return `${this.prefix}-${createHash('sha256').update(hash).digest('hex')}`;
  }

  /** Whether a device is one of this home's, the pool apart. */
  owns(name: string): boolean {
    return name.startsWith(`${this.prefix}-`) && name !== this.pool;
  }
}
