/** Drives an entry emitter over a sequence of objects and hands its bytes on at the consumer's pace. */
import { setImmediate } from 'node:timers/promises';
import type { TarHeaderInit } from '../tar/index.js';
import type { EntryEmitter, EntrySource } from './entry-emitter.js';

/** An object of the tree, or a header that has none. */
export type ArchiveItem =
  | { readonly kind: 'object'; readonly source: EntrySource }
  | { readonly kind: 'header'; readonly header: TarHeaderInit };

/**
 * After so many entries without a full chunk other work of the process gets its turn: the walk is synchronous, and a
 * consumer that only hashes never leaves the microtask queue by itself.
 */
const ENTRIES_PER_TURN = 512;

/** Ends with the two zero blocks; stops at the next entry or chunk once the signal is aborted. */
export async function* archiveStream(
  items: Iterable<ArchiveItem>,
  emitter: EntryEmitter,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { output } = emitter;
  let entries = 0;
  for (const item of items) {
    signal?.throwIfAborted();
    if (item.kind === 'header') {
      emitter.header(item.header);
    } else {
      const pending = emitter.emit(item.source);
      if (pending !== undefined) {
        for await (const chunk of emitter.payload(pending)) {
          yield chunk;
          signal?.throwIfAborted();
        }
      }
    }
    for (let chunk = output.take(); chunk !== undefined; chunk = output.take()) {
      yield chunk;
      entries = ENTRIES_PER_TURN;
    }
    if (++entries >= ENTRIES_PER_TURN) {
      entries = 0;
      await setImmediate();
    }
  }
  signal?.throwIfAborted();
  emitter.end();
  for (let chunk = output.take(); chunk !== undefined; chunk = output.take()) yield chunk;
  const rest = output.rest();
  if (rest !== undefined) yield rest;
}
