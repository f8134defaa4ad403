import type { ByteSource } from '../byte-source.js';
import { assertAsyncIterable, assertKnownKeys, assertSignal } from '../options/validate.js';
import type { TarHeader } from '../tar/entry.js';
import type { TarLimits } from '../tar/limits.js';
import { EntryBody } from './entry-body.js';
import { TarEvents } from './tar-events.js';

/** One entry of an archive being read. */
export interface ArchiveEntry {
  readonly header: TarHeader;
  /** The stored bytes (for a sparse file the fragments only). Chunks are valid until the next one is asked for. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Options of {@link readArchive}. */
export interface ReadArchiveOptions {
  readonly limits?: TarLimits;
  readonly signal?: AbortSignal;
}

/**
 * The entries of an uncompressed tar, one after another. A body that is not read, or only in part, is skipped when the
 * next entry is asked for. Nothing is read ahead of the consumer but the chunk at hand. Leaving the loop closes the
 * source. For speed without an object per entry use `TarReader`.
 *
 * ```ts
 * for await (const { header, body } of readArchive(decompress(stream))) {
 *   if (header.kind === 'file') for await (const chunk of body) size += chunk.length;
 * }
 * ```
 * @throws the codes of `TarReader`, the source's own error, the signal's reason; OPTION_INVALID, OPTION_UNKNOWN at once
 */
export function readArchive(
  source: ByteSource,
  options: ReadArchiveOptions = {},
): AsyncGenerator<ArchiveEntry, void, undefined> {
  assertAsyncIterable('readArchive', 'source', source);
  assertKnownKeys('readArchive', options, ['limits', 'signal']);
  if (options.signal !== undefined) assertSignal('readArchive', 'signal', options.signal);
  return entries(new TarEvents(source, options.limits, options.signal));
}

async function* entries(opened: TarEvents): AsyncGenerator<ArchiveEntry, void, undefined> {
  await using events = opened;
  for (let event = await events.next(); event !== undefined; event = await events.next()) {
    if (event.type !== 'header') continue;
    const body = new EntryBody(events);
    yield { header: event.header, body };
    await body.skip();
  }
}
