/** What a tar header says, after long names and pax records have been applied. Names and values are bytes. */

export type TarFormat = 'v7' | 'ustar' | 'pax' | 'gnu' | 'star';

/**
 * What an entry is. `file` covers '0', NUL and '7'; `sparse` is any GNU or pax sparse file; `global` is a pax global
 * header, which is an entry of its own (spec/layer-archive.md 3.6); `other` is every type flag we do not unpack.
 */
export type TarKind =
  | 'file'
  | 'hardlink'
  | 'symlink'
  | 'char'
  | 'block'
  | 'directory'
  | 'fifo'
  | 'sparse'
  | 'global'
  | 'other';

/** Whole seconds since the epoch (may be negative) and 0..999,999,999 nanoseconds added to them. */
export interface TarTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** A run of stored data in a sparse file: `length` bytes at `offset` of the expanded file. */
export interface SparseFragment {
  readonly offset: number;
  readonly length: number;
}

export interface TarHeader {
  readonly kind: TarKind;
  /** The raw type flag byte. */
  readonly typeflag: number;
  readonly format: TarFormat;
  /** As in the archive after prefix, pax and GNU long name; not cleaned. */
  readonly name: Uint8Array;
  readonly linkName: Uint8Array;
  /** Low 12 bits and whatever else the header has; mask before use. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Logical size: of the expanded file for sparse entries; as in the header otherwise (may be non-zero for links). */
  readonly size: number;
  /** Bytes of payload that follow in the stream (0 for header-only kinds; without padding; without a pax 1.0 sparse map). */
  readonly payloadSize: number;
  readonly mtime: TarTime;
  readonly atime: TarTime | undefined;
  readonly ctime: TarTime | undefined;
  readonly userName: Uint8Array;
  readonly groupName: Uint8Array;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** From `SCHILY.xattr.*`, in the order of the pax header; names without the prefix. */
  readonly xattrs: readonly TarXattr[];
  /** pax records that applied to this entry (for `global`: that it carries); keys as latin-1 text. */
  readonly pax: ReadonlyMap<string, Uint8Array>;
  /** Present for kind `sparse` only: ascending, non-overlapping, inside `size`. */
  readonly sparse: readonly SparseFragment[] | undefined;
}

export interface TarXattr {
  readonly name: Uint8Array;
  readonly value: Uint8Array;
}

/**
 * What a {@link TarReader} calls, synchronously, while a chunk is written to it. Every input byte is reported exactly
 * once, in order, either as `raw` or as `payload`. Ranges point into the chunk that was passed to `write`, except for
 * `raw` bytes that had to be held back, which may come in a buffer of the reader's own; in both cases they are valid
 * during the call only.
 */
export interface TarHandler {
  /** Headers, extended headers and their bodies, sparse maps, padding, end blocks and everything after them. */
  raw(bytes: Uint8Array, start: number, end: number): void;
  /** One visible entry; all raw bytes up to and including its header have been reported. */
  header(header: TarHeader): void;
  /** Payload of the entry last reported; for sparse entries the stored data only. */
  payload(bytes: Uint8Array, start: number, end: number): void;
  /** The payload is complete (called for every entry, also when there is none). */
  entryEnd(): void;
}
