/**
 * Ordered reads of whole files under one or more roots into buffers laid out by the caller: what export is made of.
 *
 * A plan is a sequence of records, little endian, not aligned:
 *   u8 flags, u32 outOffset, u32 length, u16 pathLength, then only with GATHER_BEGIN: u64 fileSize, path bytes,
 *   then only with GATHER_END: 8 bytes CRC-64 expected, big endian.
 * (`pathLength` is 0 without GATHER_BEGIN.) Each record reads the next `length` bytes of the current file to
 * `out[outOffset…]`. A file spans records, and plans, when it does not fit the rest of a buffer.
 */
export const GATHER_BEGIN = 1;
export const GATHER_END = 2;

/**
 * Opens resolve inside the root and follow links in ancestors as the extraction did; the last component must be a regular
 * file of exactly `fileSize` bytes and is never followed nor waited for (O_NOFOLLOW|O_NONBLOCK). With several roots the first
 * that has the path wins. Rejects with ARCHIVE_FILE_CORRUPT (size, type or CRC differ) or ARCHIVE_IO, with the path.
 */
export interface Gatherer extends AsyncDisposable {
  gather(plan: Uint8Array, out: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export type OpenGatherer = (
  roots: readonly string[],
  options?: { readonly portable?: boolean },
) => Promise<Gatherer>;
