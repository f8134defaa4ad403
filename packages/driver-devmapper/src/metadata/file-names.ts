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
  /** Left behind by a write that was interrupted. */
  | { readonly kind: 'torn' }
  | { readonly kind: 'other' };

/** The startup scan's rules (spec/drivers.md 2.2); tombstones are devices too. */
export function classifyFile(name: string): MetadataFile {
  if (name === BASE_FILE) return { kind: 'device', hash: BASE_HASH };
  if (name.startsWith(TORN)) return { kind: 'torn' };
  if (isTombstone(name)) return { kind: 'device', hash: name };
  if (name.startsWith('.') || isReservedName(name)) return { kind: 'other' };
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
 * The hash, and the file, that a deleted device has while the pool does not give it up: hidden, so that the layer's id is
 * free again at once and Docker passes over it.
 */
export function tombstoneHash(deviceId: number): string {
  return `${TOMBSTONE}${deviceId}`;
}

/** Whether a hash is that of a deleted device. */
export function isTombstone(hash: string): boolean {
  return /^\.deleted-\d{1,8}$/.test(hash);
}

/** A damaged file's name once it has been put aside. */
export function corruptFile(name: string): string {
  return `${name}${CORRUPT}`;
}

/** The name of a single file of Docker 0.7 once its devices have files of their own. */
export function migratedFile(name: string): string {
  return `${name}${MIGRATED}`;
}
