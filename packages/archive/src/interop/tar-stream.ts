/**
 * Between byte sources and the streams of the package tar-stream, for pipelines that have them already. The only file
 * that imports it. To read or write layers use our own codec: tar-stream has no raw bytes, decodes names and extended
 * attributes as text, and clamps large ids and times.
 */
import { type Extract, type Header, extract as openExtract, type Pack } from 'tar-stream';
import type { ByteSource } from '../byte-source.js';
import { SourceReader } from '../compress/source-reader.js';
import { assertKnownKeys, assertSignal } from '../options/validate.js';

export interface TarStreamOptions {
  readonly signal?: AbortSignal;
}

/** An entry read by tar-stream. */
export interface TarStreamEntry {
  readonly header: Header;
  readonly body: AsyncIterable<Uint8Array>;
}

function signalOf(where: string, options: TarStreamOptions): AbortSignal | undefined {
  assertKnownKeys(where, options, ['signal']);
  if (options.signal !== undefined) assertSignal(where, 'signal', options.signal);
  return options.signal;
}

/**
 * The bytes of a tar-stream pack as a byte source. The pack is listened to from now on, so that an error before the
 * first read is not lost (nor ends the process), and is destroyed when the iteration is left.
 */
export function fromTarStream(
  pack: Pack,
  options: TarStreamOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const signal = signalOf('fromTarStream', options);
  const state: { failure?: { readonly reason: unknown } } = {};
  pack.on('error', (reason: unknown) => {
    state.failure ??= { reason };
  });
  return packed(pack, signal, state);
}

async function* packed(
  pack: Pack,
  signal: AbortSignal | undefined,
  state: { readonly failure?: { readonly reason: unknown } },
): AsyncGenerator<Uint8Array, void, undefined> {
  await using reader = new SourceReader(pack as AsyncIterable<Uint8Array>, signal);
  try {
    for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) yield chunk;
  } catch (error) {
    throw state.failure === undefined ? error : state.failure.reason;
  }
  if (state.failure !== undefined) throw state.failure.reason;
}

/**
 * Writes an archive into a tar-stream extract, whose `entry` listeners are the caller's, and resolves when it has
 * finished. Every entry gets an error listener: tar-stream destroys the open entry together with the extract, and an
 * entry nobody listens to would end the process. On failure both ends are destroyed.
 * @throws the source's or the extract's error; the signal's reason
 */
export async function toTarStream(
  source: ByteSource,
  extract: Extract,
  options: TarStreamOptions = {},
): Promise<void> {
  const signal = signalOf('toTarStream', options);
  extract.on('entry', (_header, entry) => {
    entry.on('error', () => undefined);
  });
  await using reader = new SourceReader(source, signal);
  const ending = new Promise<void>((resolve, reject) => {
    extract.once('error', reject);
    extract.once('finish', resolve);
    extract.once('close', resolve);
    const abort = (): void => reject(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    extract.once('close', () => signal?.removeEventListener('abort', abort));
  });
  extract.on('error', () => undefined);
  try {
    await Promise.all([ending, writeAll(reader, extract, ending)]);
  } catch (error) {
    // With the error: an iteration of the extract that is asked for more after a destruction without one never ends.
    extract.destroy(error as Error);
    throw error;
  }
}

async function writeAll(reader: SourceReader, extract: Extract, ending: Promise<void>): Promise<void> {
  let ended = false;
  let wake: (() => void) | undefined;
  const stop = (): void => {
    ended = true;
    wake?.();
    void reader.close();
  };
  ending.then(stop, stop);
  for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) {
    const flowing = extract.write(chunk);
    if (flowing || ended) continue;
    await new Promise<void>((resolve) => {
      wake = resolve;
      extract.once('drain', resolve);
    });
  }
  if (!ended) extract.end(null);
}

/**
 * Reads an archive with tar-stream's parser. Leaving the loop destroys the extract and the source (with plain tar-stream
 * the piped source stays open), and a body that is not read is skipped.
 */
export async function* entriesFromTarStream(
  source: ByteSource,
  options: TarStreamOptions = {},
): AsyncGenerator<TarStreamEntry, void, undefined> {
  const extract = openExtract();
  const controller = new AbortController();
  const own = signalOf('entriesFromTarStream', options);
  const signal = own === undefined ? controller.signal : AbortSignal.any([own, controller.signal]);
  const writing = toTarStream(source, extract, { signal }).then(
    () => undefined,
    (reason: unknown) => ({ reason }),
  );
  try {
    try {
      for await (const entry of extract) {
        yield { header: entry.header, body: entry as AsyncIterable<Uint8Array> };
        entry.resume();
      }
    } catch (error) {
      // An error of the source reaches us as the destruction of the extract; the original says more.
      controller.abort(error);
    }
    const failure = await writing;
    if (failure !== undefined) throw failure.reason;
  } finally {
    controller.abort();
    extract.destroy(null);
    await writing;
  }
}
