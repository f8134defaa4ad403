/** CRC-64 with the ISO polynomial, as tar-split stores it (spec/layer-archive.md 3.2). Synchronous only. */
export interface Crc64Calls {
  /**
   * The CRC of `data`, continuing from `seed` (8 bytes, big endian; undefined for a start), as 8 bytes big endian. A seed is an
   * earlier result: there is no separate finish.
   */
  crc64(seed: Uint8Array | undefined, data: Uint8Array): Buffer;
  /** The same by each implementation this processor can run, so that all can be tested. `table` is always there. */
  readonly crc64Variants: { readonly table: Crc64Update } & {
    readonly [Name in 'pclmulqdq' | 'vpclmulqdq']?: Crc64Update;
  };
}

/** A function like {@link Crc64Calls.crc64}. */
export type Crc64Update = (seed: Uint8Array | undefined, data: Uint8Array) => Buffer;
