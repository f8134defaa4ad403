/**
 * Anything that gives bytes when iterated: a Node `Readable`, a web stream, a generator. A chunk that was given belongs to the
 * reader: the source must not write to it again. Leaving the iteration early closes the source.
 */
export type ByteSource = AsyncIterable<Uint8Array>;

/** A source that takes chunks back to read into them again; see {@link fileSource}. */
export interface RecyclingSource extends ByteSource {
  /** Gives a chunk back that nobody looks at any more. Chunks of others, and parts of chunks, are ignored. */
  recycle(chunk: Uint8Array): void;
}

/** True when the source takes chunks back. */
export function isRecycling(source: ByteSource): source is RecyclingSource {
  return 'recycle' in source && typeof source.recycle === 'function';
}
