/**
 * Anything that gives bytes when iterated: a Node `Readable`, a web stream, a generator. A chunk that was given belongs to the
 * reader: the source must not write to it again. Leaving the iteration early closes the source.
 */
export type ByteSource = AsyncIterable<Uint8Array>;

/**
 * Fills `buffer` with the bytes of an open file from `position` on, and gives how many they are: fewer only at the file's end.
 */
export type FileReader = (fd: number, buffer: Uint8Array, position: number) => Promise<number>;

/** A source that takes chunks back to read into them again; see {@link fileSource}. */
export interface RecyclingSource extends ByteSource {
  /** Gives a chunk back that nobody looks at any more. Chunks of others, and parts of chunks, are ignored. */
  recycle(chunk: Uint8Array): void;
  /** A source that reads a file leaves it to another's thread from now on; undefined takes it back. */
  readBy?(reader: FileReader | undefined): void;
}

/** True when the source takes chunks back. */
export function isRecycling(source: ByteSource): source is RecyclingSource {
  return 'recycle' in source && typeof source.recycle === 'function';
}

/** How an unpack gives a source its chunks back, and a thread to read with; nothing for a source that takes neither. */
export interface RecyclingHooks {
  readonly recycle?: (chunk: Uint8Array) => void;
  readonly lendReader?: (reader: FileReader | undefined) => void;
}

/** The hooks of a source, for whoever stands between it and the unpack. */
export function recyclingHooks(source: ByteSource): RecyclingHooks {
  if (!isRecycling(source)) return {};
  return {
    recycle: (chunk) => source.recycle(chunk),
    lendReader: (reader) => source.readBy?.(reader),
  };
}
