import type { Transform } from 'node:stream';
import { isLayerStoreError, LayerStoreError } from '../errors.js';
import { messageOf } from './error-message.js';
import { type FeedResult, feed } from './feed.js';
import type { SourceReader } from './source-reader.js';

/**
 * Runs everything a reader gives through a `node:zlib` stream, which works in the thread pool: while the consumer is
 * busy with one chunk, the next is made. `finish` sees how the feeding ended once all output is out, and may throw.
 * @throws COMPRESSION_FAILED for damaged data, after all output before the damage; the source's own error
 */
export async function* throughTransform(
  reader: SourceReader,
  transform: Transform,
  what: string,
  finish?: (fed: FeedResult) => Promise<void>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const feeding = feed(reader, transform);
  try {
    let failure: { readonly reason: unknown } | undefined;
    try {
      yield* transform as AsyncIterable<Uint8Array>;
    } catch (reason) {
      failure = { reason };
      await reader.close();
    }
    // With `finish` the reader still has the bytes after the end of the compressed data, so it is not closed here.
    const fed = await feeding;
    if (fed.failure !== undefined) throw fed.failure.reason;
    if (failure !== undefined) throw damaged(what, failure.reason);
    await finish?.(fed);
  } finally {
    transform.destroy();
    await reader.close();
    await feeding;
  }
}

/** COMPRESSION_FAILED for what a decoder threw; coded errors pass as they are. */
export function damaged(what: string, cause: unknown): LayerStoreError {
  if (isLayerStoreError(cause)) return cause;
  return new LayerStoreError('COMPRESSION_FAILED', `The ${what} data is damaged: ${messageOf(cause)}`, {
    cause,
  });
}
