/**
 * A digest computed on a thread of its own, by the OpenSSL that Node brings. Bytes belong to the digester until the promise of
 * their `update` settles; updates may be queued.
 */
export interface NativeDigester {
  update(bytes: Uint8Array): Promise<void>;
  /** The digest of everything given so far. Ends the input. */
  finish(): Promise<Buffer>;
  /** Waits for the update at hand, then ends the thread. */
  close(): void;
}

export interface DigestCalls {
  /** Names as OpenSSL spells them: `sha256`. ERR_INVALID_ARG_VALUE when {@link knowsDigest} is false. */
  readonly NativeDigester: new (
    algorithm: string,
  ) => NativeDigester;
  /** Whether this process has an OpenSSL that can be reached and knows the algorithm. */
  knowsDigest(algorithm: string): boolean;
}
