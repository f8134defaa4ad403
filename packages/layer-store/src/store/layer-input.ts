import { type ByteSource, decompress } from '@x/archive';

/** How far a layer has come in. */
export interface LayerProgress {
  /** Uncompressed bytes taken. */
  readonly bytes: number;
  /** Entries unpacked so far. */
  readonly entries: number;
}

/** Options of everything that takes a layer's stream. */
export interface LayerInputOptions {
  /** false: the input is an uncompressed tar and is not looked at. Default true: gzip, zstd, xz and bzip2 are undone. */
  readonly decompress?: boolean;
  readonly onProgress?: (progress: LayerProgress) => void;
  readonly signal?: AbortSignal;
}

/** The uncompressed bytes of an input. */
export function openLayerInput(
  source: ByteSource,
  undoCompression: boolean,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  return undoCompression ? decompress(source, { signal }) : source;
}

/**
 * Asks for the next chunk only when the recorder has kept up: without this the record of a layer with very many entries
 * would pile up in memory.
 */
export async function* pacedBy(
  recorder: { drain(): Promise<void> },
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    yield chunk;
    await recorder.drain();
  }
}

/** Ends a source that will not be read: a Node stream is destroyed, an iterator returned. */
export async function discardSource(source: ByteSource): Promise<void> {
  const { destroy } = source as { destroy?: unknown };
  if (typeof destroy === 'function') {
    // A stream that is destroyed while it still opens may report that; nobody reads it any more.
    const { on } = source as { on?: unknown };
    if (typeof on === 'function') on.call(source, 'error', () => undefined);
    destroy.call(source);
    return;
  }
  await source[Symbol.asyncIterator]().return?.();
}
