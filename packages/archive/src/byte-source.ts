/**
 * Anything that gives bytes when iterated: a Node `Readable`, a web stream, a generator. A chunk is read-only to us and
 * stays valid until the next one is asked for. Leaving the iteration early closes the source.
 */
export type ByteSource = AsyncIterable<Uint8Array>;
