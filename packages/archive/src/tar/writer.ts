/** Writes whole archives: headers, bodies, padding and the end marker. */
import { LayerStoreError } from '../errors.js';
import { latin1, showBytes } from './bytes.js';
import { assertEncodeOptions, type EncodeTarHeaderOptions, encodeTarHeader } from './header-encode.js';
import type { TarHeaderInit } from './header-init.js';
import { END_OF_ARCHIVE, tarPadding } from './layout.js';

/** Small bodies are best given as one byte slice; streams are for what does not fit memory. */
export type TarBody = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

export interface TarEntryInput {
  readonly header: TarHeaderInit;
  /** Exactly `header.size` bytes; may be left out when that is 0. */
  readonly body?: TarBody;
}

/** The part of an AbortSignal that is used; the codec has no Node or DOM types. */
export interface Abortable {
  throwIfAborted(): void;
}

export interface WriteTarOptions extends EncodeTarHeaderOptions {
  readonly signal?: Abortable;
}

/** Headers and small bodies are gathered into chunks of this size; a syscall or hash call per header would cost more. */
const OUTPUT_CHUNK = 64 * 1024;

/**
 * The bytes of an archive. A body is read only as far as the consumer asks for, and is closed when the consumer stops.
 * @throws ARCHIVE_BODY_MISMATCH when a body is not as long as its header says, ARCHIVE_HEADER_UNENCODABLE, OPTION_UNKNOWN,
 * OPTION_INVALID, and the reason of the signal
 * @example
 * for await (const chunk of writeTar([{ header: { kind: 'file', name, size: 3 }, body }])) await file.write(chunk);
 */
export async function* writeTar(
  entries: Iterable<TarEntryInput> | AsyncIterable<TarEntryInput>,
  options: WriteTarOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { signal, ...encodeOptions } = options;
  assertEncodeOptions(encodeOptions);
  const output = new OutputChunks();
  for await (const { header, body } of entries) {
    signal?.throwIfAborted();
    const size = header.size ?? 0;
    yield* output.add(encodeTarHeader(header, encodeOptions));
    const written = yield* addBody(output, header.name, size, body, signal);
    if (written !== size) throw bodyMismatch(header.name, size, `${written}`);
    yield* output.add(new Uint8Array(tarPadding(size)));
  }
  yield* output.add(END_OF_ARCHIVE);
  yield* output.flush();
}

async function* addBody(
  output: OutputChunks,
  name: Uint8Array,
  size: number,
  body: TarBody | undefined,
  signal: Abortable | undefined,
): AsyncGenerator<Uint8Array, number, undefined> {
  if (body === undefined) return 0;
  let written = 0;
  for await (const chunk of isBytes(body) ? [body] : body) {
    signal?.throwIfAborted();
    written += chunk.length;
    if (written > size) throw bodyMismatch(name, size, `at least ${written}`);
    yield* output.add(chunk);
  }
  return written;
}

function isBytes(body: TarBody): body is Uint8Array {
  return ArrayBuffer.isView(body);
}

function bodyMismatch(name: Uint8Array, size: number, actual: string): LayerStoreError {
  return new LayerStoreError(
    'ARCHIVE_BODY_MISMATCH',
    `body of ${showBytes(name)} has ${actual} bytes but its header says ${size}; the file may have changed`,
    { path: latin1(name), expected: `${size}`, actual },
  );
}

/** Gathers small pieces; a piece of a chunk or more goes out as it is. */
class OutputChunks {
  #chunk = new Uint8Array(OUTPUT_CHUNK);
  #fill = 0;

  *add(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
    if (bytes.length > OUTPUT_CHUNK - this.#fill) yield* this.flush();
    if (bytes.length >= OUTPUT_CHUNK) {
      yield bytes;
      return;
    }
    this.#chunk.set(bytes, this.#fill);
    this.#fill += bytes.length;
  }

  /** What was handed out belongs to the consumer: a new chunk is begun. */
  *flush(): Generator<Uint8Array, void, undefined> {
    if (this.#fill === 0) return;
    yield this.#chunk.subarray(0, this.#fill);
    this.#chunk = new Uint8Array(OUTPUT_CHUNK);
    this.#fill = 0;
  }
}
