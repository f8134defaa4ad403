/**
 * The gzip file of a tar-split record (native/src/core/gzip_lines.hh), written block by block on the libuv pool. What is given
 * belongs to it until the promise settles.
 */
export interface NativeGzipLines {
  /**
   * Encodes in place the bytes that wait in rooms for base64 (`rooms`: pairs of where a room begins and how many bytes lie at the
   * end of it), compresses and writes. Gives the bytes written. EINVAL for a room that is not within the lines.
   */
  write(lines: Uint8Array, rooms: Uint32Array): Promise<number>;
  /** Ends the file. Gives the bytes written. */
  finish(): Promise<number>;
}

export interface GzipLinesCalls {
  /** The descriptor stays the caller's and is written where it stands. */
  readonly NativeGzipLines: new (
    fd: number,
  ) => NativeGzipLines;
  /**
   * The checksum in the file (RFC 1952, 8) of `data`, continuing from an earlier one (0 for a start), by each implementation this
   * processor can run, so that all can be tested. `table` is always there.
   */
  readonly crc32Variants: { readonly table: Crc32Update } & {
    readonly [Name in 'pclmulqdq' | 'vpclmulqdq']?: Crc32Update;
  };
}

/** See {@link GzipLinesCalls.crc32Variants}. */
export type Crc32Update = (crc: number, data: Uint8Array) => number;
