import { MAX_THIN_ID } from '../pool/thin-pool.js';
import { BASE_HASH } from './device-record.js';

/** File of the base device, whose hash is empty. */
export const BASE_FILE = 'base';
export const DEVICE_SET_FILE = 'deviceset-metadata';
export const TRANSACTION_FILE = 'transaction-metadata';
const MIGRATED = '.migrated';
const CORRUPT = '.corrupt';
const TORN = '.tmp';
const TOMBSTONE = '.deleted-';

/** What a name in `<home>/metadata` stands for. */
export type MetadataFile =
  | { readonly kind: 'device'; readonly hash: string }
  /** A deleted device that the pool would not give up yet. */
  | { readonly kind: 'tombstone'; readonly deviceId: number }
  /** Left behind by a write that was interrupted. */
  | { readonly kind: 'torn' }
  | { readonly kind: 'other' };

/** The startup scan's rules (spec/drivers.md 2.2). */
export function classifyFile(name: string): MetadataFile {
  if (name.startsWith(TORN)) return { kind: 'torn' };
  if (name.startsWith(TOMBSTONE)) {
    const number = name.slice(TOMBSTONE.length);
    const deviceId = Number(number);
    return /^\d{1,8}$/.test(number) && deviceId <= MAX_THIN_ID
      ? { kind: 'tombstone', deviceId }
      : { kind: 'other' };
  }
  if (name.startsWith('.') || isReservedName(name)) {
    return name === BASE_FILE ? { kind: 'device', hash: BASE_HASH } : { kind: 'other' };
  }
  return { kind: 'device', hash: name };
}

/** Names that no layer can have because files of the driver itself have them. */
export function isReservedName(name: string): boolean {
  return (
    name === BASE_FILE ||
    name === DEVICE_SET_FILE ||
    name === TRANSACTION_FILE ||
    name.endsWith(MIGRATED) ||
    name.endsWith(CORRUPT)
  );
}

/** The file of a device. */
export function deviceFile(hash: string): string {
  return hash === BASE_HASH ? BASE_FILE : hash;
}

/**
 * Where the record of a deleted device waits: a hidden name, so that the layer's id is free again at once and Docker passes
 * over it.
 */
export function tombstoneFile(deviceId: number): string {
  return `${TOMBSTONE}${deviceId}`;
}

/** A damaged file's name once it has been put aside. */
export function corruptFile(name: string): string {
  return `${name}${CORRUPT}`;
}

/** The name of a single file of Docker 0.7 once its devices have files of their own. */
export function migratedFile(name: string): string {
  return `${name}${MIGRATED}`;
}
