/**
 * The tar-split record: everything of a tar stream except the payloads that can be read back from the layer, as gzip of
 * one JSON object per line (spec/layer-archive.md 3.2). Docker, containerd's users and containers/storage read the same
 * format.
 */

/** JSON `type` of an entry whose payload is a file of the layer. */
export const TYPE_FILE = 1;
/** JSON `type` of bytes kept verbatim. */
export const TYPE_SEGMENT = 2;

/** Most raw bytes one segment line carries, as in Docker's own writer. */
export const SEGMENT_LIMIT: number = 1024 * 1024;

/** One visible header. `name` is as in the archive, not cleaned; `crc` is absent when `size` is 0. */
export interface TarSplitFile {
  readonly type: typeof TYPE_FILE;
  readonly name: Uint8Array;
  /** Payload bytes that are read back from the layer under `name`. */
  readonly size: number;
  /** CRC-64/ISO of the payload, 8 bytes, big endian. */
  readonly crc: Uint8Array | undefined;
  readonly position: number;
}

/** Bytes that are part of the archive as they are: headers, padding, trailer, inlined payload. */
export interface TarSplitSegment {
  readonly type: typeof TYPE_SEGMENT;
  readonly payload: Uint8Array;
  readonly position: number;
}

export type TarSplitEntry = TarSplitFile | TarSplitSegment;

/** The entries in the order of their `position`, which is the order of the archive; the argument is left alone. */
export function sortByPosition(entries: readonly TarSplitEntry[]): TarSplitEntry[] {
  return [...entries].sort((left, right) => left.position - right.position);
}
