import {
  type ByteSource,
  type DecompressOptions,
  decompress,
  invalidOption,
  LayerStoreError,
} from '@x/archive';

/** How far a layer has come in. */
export interface LayerProgress {
  /** Uncompressed bytes taken. */
  readonly bytes: number;
  /** Entries unpacked so far. */
  readonly entries: number;
}

/** Whether, and how, compression is undone. */
export type DecompressChoice = boolean | Omit<DecompressOptions, 'signal'>;

/** Options of everything that takes a layer's stream. */
export interface LayerInputOptions {
  /**
   * false: the input is an uncompressed tar and is not looked at. Default true: gzip and zstd are undone; options say how, and
   * that helper programs may be used, which xz and bzip2 need.
   */
  readonly decompress?: DecompressChoice;
  readonly onProgress?: (progress: LayerProgress) => void;
  readonly signal?: AbortSignal;
}

/** Throws OPTION_INVALID; what is inside the options is checked where they are used. */
export function assertDecompressChoice(where: string, choice: unknown): asserts choice is DecompressChoice {
  if (typeof choice === 'boolean' || (typeof choice === 'object' && choice !== null)) return;
  invalidOption(where, 'decompress', 'true, false or options of decompress', choice);
}

/** The uncompressed bytes of an input. */
export function openLayerInput(
  source: ByteSource,
  choice: DecompressChoice,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  if (choice === false) return source;
  return decompress(source, { ...(choice === true ? {} : choice), signal });
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

/**
 * Keeps a Node stream that fails before it is read from taking the process down: its error comes again when it is read.
 */
export function adoptSource(source: ByteSource): void {
  const { on } = source as { on?: unknown };
  if (typeof on === 'function') on.call(source, 'error', () => undefined);
}

/** The caller's progress callback; what it throws ends the operation as an OPTION_INVALID that says so. */
export function guardedProgress(
  callback: ((progress: LayerProgress) => void) | undefined,
): ((progress: LayerProgress) => void) | undefined {
  if (callback === undefined) return undefined;
  return (progress) => {
    try {
      callback(progress);
    } catch (cause) {
      throw new LayerStoreError('OPTION_INVALID', 'the onProgress callback threw', {
        option: 'onProgress',
        cause,
      });
    }
  };
}

/**
 * Ends a source that will not be read further: a Node stream is destroyed, an iterator returned. Not waited for: a
 * generator that hangs in the middle of a step ends when that step does.
 */
export function discardSource(source: ByteSource): void {
  const { destroy } = source as { destroy?: unknown };
  if (typeof destroy === 'function') {
    destroy.call(source);
    return;
  }
  const returning = source[Symbol.asyncIterator]().return?.();
  Promise.resolve(returning).catch(() => undefined);
}
