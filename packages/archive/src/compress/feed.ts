import type { Writable } from 'node:stream';
import type { SourceReader } from './source-reader.js';
import type { StallWatch } from './stall-watch.js';

export interface FeedResult {
  /** What the source failed with, if it did; the sink's own failures are for its reading side to report. */
  readonly failure: { readonly reason: unknown } | undefined;
  /** The last chunk that was written, of which a decoder may have left a tail unread. */
  readonly last: Uint8Array | undefined;
}

/**
 * Writes everything a reader gives to a sink, one chunk at a time, and ends it. Resolves when all is written or when the
 * sink takes no more; never rejects. A failing source destroys the sink, so that its reading side ends too.
 */
export async function feed(reader: SourceReader, sink: Writable, watch?: StallWatch): Promise<FeedResult> {
  let last: Uint8Array | undefined;
  let open = true;
  let wake: (() => void) | undefined;
  // A decoder that has seen its end may leave the last write uncalled-back, hence `end`, which only a Duplex emits.
  const shut = (): void => {
    open = false;
    wake?.();
  };
  sink.once('close', shut);
  sink.once('error', shut);
  sink.once('end', shut);
  // A second error must not be unhandled: EPIPE may come from every write that was under way.
  sink.on('error', () => undefined);
  try {
    for (let chunk = await reader.next(); chunk !== undefined && open; chunk = await reader.next()) {
      last = chunk;
      if (watch !== undefined) watch.fed = true;
      await new Promise<void>((resolve) => {
        wake = resolve;
        sink.write(chunk, () => resolve());
      });
      if (watch !== undefined) watch.fed = false;
      if (!open) break;
    }
    if (open) sink.end();
    if (watch !== undefined) watch.fed = true;
    return { failure: undefined, last };
  } catch (reason) {
    sink.destroy();
    return { failure: { reason }, last };
  }
}
