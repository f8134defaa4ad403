/**
 * Every error code of the project, in one place. A code is stable API: match on `error.code`, never on
 * `instanceof` (two copies of a package, or two realms, may be loaded) and never on the message.
 */

/** Code → what failed and what the caller can do about it. The README's error table is checked against this. */
export const ERROR_CODES = {
  // --- tar bytes
  ARCHIVE_INVALID_HEADER: 'A tar header block is malformed; the archive is damaged or is not a tar',
  ARCHIVE_INVALID_PAX: 'A pax record is malformed; rebuild the archive with a conforming writer',
  ARCHIVE_INVALID_SPARSE: 'A sparse map is malformed; rebuild the archive',
  ARCHIVE_TRUNCATED: 'The stream ended inside an entry; fetch it again',
  ARCHIVE_FIELD_TOO_LONG: 'An extended header or sparse map is over the 1 MiB limit',
  ARCHIVE_SIZE_UNSUPPORTED: 'A size is negative or over 2^53-1 bytes',
  ARCHIVE_TYPE_UNSUPPORTED: 'The entry has a type flag that cannot be unpacked',
  ARCHIVE_LIMIT_EXCEEDED:
    'A configured limit (bytes, entries, ratio, depth) was passed; raise it if the input is trusted',
  ARCHIVE_HEADER_UNENCODABLE: 'A header value cannot be written in the requested tar format',
  ARCHIVE_BODY_MISMATCH: 'A body is shorter or longer than its header says',
  // --- extraction and creation
  ARCHIVE_BREAKOUT: 'An entry would reach outside the extraction root; do not trust this archive',
  ARCHIVE_INVALID_NAME: 'An entry name contains NUL, is too long, or cannot be used',
  ARCHIVE_INVALID_LINK: 'A hard link names something that is not in the root',
  ARCHIVE_INVALID_WHITEOUT: 'A whiteout names nothing, its own directory or its parent',
  ARCHIVE_NOT_REPRODUCIBLE: 'The archive could be unpacked but not streamed back byte for byte',
  ARCHIVE_OVERWRITE_REFUSED:
    'A directory and a non-directory would replace each other, which the options forbid',
  ARCHIVE_DEVICE_RANGE: 'A device number is outside 0..2^32-1',
  ARCHIVE_IO: 'A file system call failed; see errno, syscall and path',
  ARCHIVE_FILE_CORRUPT:
    'file integrity checksum failed: the file in the layer directory is not the one that was unpacked',
  ARCHIVE_ID_UNMAPPED: 'A user or group id has no counterpart in the id map; extend the map',
  ARCHIVE_PATTERN_INVALID: 'An include or exclude pattern is malformed',
  ARCHIVE_COPY_CONFLICT: 'Source and destination of a copy do not fit each other',
  // --- compression and digests
  COMPRESSION_UNSUPPORTED:
    'No decoder for this compression is available; install the one named in the message',
  COMPRESSION_FAILED: 'The compressed data is damaged or its helper program failed',
  DIGEST_INVALID: 'A digest is not algorithm:lower-case-hex of the right length',
  DIGEST_UNSUPPORTED: 'The digest algorithm is not supported',
  // --- native addon
  NATIVE_UNAVAILABLE: 'This needs the native addon, which is not loaded; native.reason says why',
  // --- options
  OPTION_INVALID: 'An option has a value of the wrong type or range',
  OPTION_UNKNOWN: 'An option is not known; check its spelling',
  // --- drivers
  DRIVER_UNKNOWN: 'No driver of that name is registered; import its package and register it',
  DRIVER_NOT_SUPPORTED:
    'The kernel or host lacks what the driver needs, or the driver does not have this operation',
  DRIVER_PREREQUISITES: 'A tool or file system feature that the driver needs is missing',
  DRIVER_INCOMPATIBLE_FS: 'The driver cannot run on this file system',
  DRIVER_QUOTA_NOT_SUPPORTED: 'A size was asked for but the file system has no project quota',
  DRIVER_AMBIGUOUS: 'More than one driver has state under this root; name the one to use',
  DRIVER_DUPLICATE: 'A driver of that name is registered already',
  DRIVER_ID_INVALID: 'A driver id has characters or a form that is refused',
  DRIVER_ID_EXISTS: 'A driver layer of that id exists already',
  DRIVER_ID_UNKNOWN: 'The driver has no layer of that id',
  DRIVER_BUSY: 'The driver layer is mounted or in use',
  DRIVER_CLOSED: 'The driver is closed',
  DRIVER_POOL_FULL: 'The thin pool has too little free data or metadata space; remove layers or grow it',
  DRIVER_POOL_UNUSABLE:
    'The thin pool is of another kind, in other hands, read-only or damaged; the message says what to do',
  DRIVER_FAILED: 'A driver operation failed; the cause says why',
  DRIVER_STATE_DAMAGED: 'A file that the driver keeps its records in cannot be read as one; see path',
  DRIVER_STATE_FOREIGN:
    'The state found does not belong to this home: another pool, or one with data of somebody else',
  // --- the store
  STORE_LOCKED: 'Another opener holds this store; close it first',
  STORE_CLOSED: 'The store is closed',
  STORE_SCHEMA_NEWER: 'The store was written by a newer version; upgrade this package',
  STORE_ROOT_INVALID: 'The store root is not a usable directory',
  STORE_METADATA_FAILED: 'The metadata store could not be read or written',
  STORE_INVARIANT:
    'An internal rule was broken; the store refuses to go on with this object, please report it',
  STORE_ABORTED_BY_CLOSE: 'The operation was stopped because the store was closed',
  // --- layers
  LAYER_NOT_FOUND: 'layer does not exist',
  LAYER_NOT_RETAINED: 'layer not retained: the handle was released already or belongs to another store',
  LAYER_MAX_DEPTH: 'max depth exceeded: a chain may have at most 125 layers',
  LAYER_DIGEST_MISMATCH: 'The stream does not have the digest that was expected',
  LAYER_UNVERIFIED: 'could not verify layer data: the layer as stored no longer has its digest',
  LAYER_BROKEN: 'The layer is registered but damaged; run diagnose() and register it again',
  LAYER_NOT_ANCESTOR: 'The layer named is not an ancestor of this layer',
  LAYER_IN_USE: 'The layer has children or mounts',
  TAR_SPLIT_INVALID: 'The tar-split record of a layer is damaged',
  TAR_SPLIT_DUPLICATE: 'duplicates of file paths not supported',
  // --- read-write layers
  MOUNT_NOT_FOUND: 'mount does not exist',
  MOUNT_NAME_CONFLICT: 'mount already exists with name',
  MOUNT_NAME_INVALID: 'A read-write layer name is empty, too long, or has characters that are refused',
  MOUNT_ACTIVE: 'mount still active: unmount it first or pass force',
  MOUNT_NOT_MOUNTED: 'not mounted',
  MOUNT_BROKEN: 'The read-write layer is damaged; release it',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** What an error is about. Only fields that apply are present. */
export interface ErrorFields {
  readonly chainId?: string;
  readonly diffId?: string;
  readonly cacheId?: string;
  readonly driver?: string;
  readonly name?: string;
  /** Entry name or path, bytes shown as latin-1 where they are not UTF-8. */
  readonly path?: string;
  /** `ENOSPC`, `EACCES`… */
  readonly errno?: string;
  readonly syscall?: string;
  readonly option?: string;
  /** Byte offset in the input stream. */
  readonly offset?: number;
  readonly expected?: string;
  readonly actual?: string;
}

export interface LayerStoreErrorOptions extends ErrorFields {
  readonly cause?: unknown;
}

const BRAND = Symbol.for('@x/layer-store.error');

/** The one error class of the project. `code` says what failed, `cause` says why. */
export class LayerStoreError extends Error {
  readonly code: ErrorCode;
  declare readonly chainId?: string;
  declare readonly diffId?: string;
  declare readonly cacheId?: string;
  declare readonly driver?: string;
  declare readonly path?: string;
  declare readonly errno?: string;
  declare readonly syscall?: string;
  declare readonly option?: string;
  declare readonly offset?: number;
  declare readonly expected?: string;
  declare readonly actual?: string;
  /** The name of the object the error is about (a mount, a driver, an option), when there is one. */
  declare readonly subject?: string;

  constructor(code: ErrorCode, message: string, options: LayerStoreErrorOptions = {}) {
    const { cause, name: subject, ...fields } = options;
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'LayerStoreError';
    this.code = code;
    Object.defineProperty(this, BRAND, { value: true });
    Object.assign(this, fields);
    if (subject !== undefined) Object.assign(this, { subject });
  }
}

/** True for a {@link LayerStoreError} of any copy of the package and any realm. */
export function isLayerStoreError(error: unknown, code?: ErrorCode): error is LayerStoreError {
  if (typeof error !== 'object' || error === null || !(BRAND in error)) return false;
  return code === undefined || ('code' in error && error.code === code);
}

/** Of a full quota: Node (libuv) has no name for it and gives the code `UNKNOWN`. Linux, every architecture of Node's. */
const EDQUOT = 122;

/** The errno name of a failed system call (`node:fs`, the addon or a {@link LayerStoreError}), if there is one. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if (isLayerStoreError(error)) return error.errno;
  const { code, errno } = error as { code?: unknown; errno?: unknown };
  if (typeof code === 'string' && /^E[A-Z0-9]+$/.test(code)) return code;
  return errno === -EDQUOT ? 'EDQUOT' : undefined;
}
