/**
 * Owners without privilege: an ordinary user cannot give a file away (chown(2)), so what its owner and mode ought to be is
 * written beside it, as text in an extended attribute. The kernel has `user.*` attributes on regular files and directories
 * only (xattr(7), "Extended user attributes"); links, devices and FIFOs keep the owner they have on disk. Pure.
 */

/** The attribute of a record. */
export const OWNER_RECORD_XATTR = 'user.layerstore.owner';

/** Attributes of this prefix are bookkeeping of a store: never taken from an archive, never put into one. */
const PRIVATE_PREFIX = 'user.layerstore.';

/** What a file would have on disk, had the kernel allowed it. */
export interface OwnerRecord {
  readonly uid: number;
  readonly gid: number;
  /** Permission bits, 0 to 07777. */
  readonly mode: number;
}

/** `uid:gid:mode`, ids decimal, mode octal. */
const FORM = /^(\d{1,10}):(\d{1,10}):([0-7]{1,5})$/;
const PERMISSIONS = 0o7777;
/** 2^32-1 is nobody's id: it means "leave as it is" to chown(2). */
const LAST_ID = 0xffff_fffe;

/** Whether an attribute belongs to the store and not to the content of a layer. `name` is latin-1. */
export function isPrivateXattr(name: string): boolean {
  return name.startsWith(PRIVATE_PREFIX);
}

/** The value of the attribute: `0:0:4755` is root's set-user-id program. */
export function encodeOwnerRecord({ uid, gid, mode }: OwnerRecord): Uint8Array {
  return Buffer.from(`${uid}:${gid}:${(mode & PERMISSIONS).toString(8).padStart(4, '0')}`, 'latin1');
}

/** Undefined for anything {@link encodeOwnerRecord} would not write, leading zeros apart. */
export function parseOwnerRecord(value: Uint8Array): OwnerRecord | undefined {
  const found = FORM.exec(Buffer.from(value).toString('latin1'));
  if (found === null) return undefined;
  const [uid, gid, mode] = [Number(found[1]), Number(found[2]), Number.parseInt(found[3] ?? '', 8)];
  return uid <= LAST_ID && gid <= LAST_ID && mode <= PERMISSIONS ? { uid, gid, mode } : undefined;
}
