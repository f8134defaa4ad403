/** The size of decompressed chunks: one batch of work downstream, where Node's own 16 KiB would make 64 of them. */
export const OUTPUT_CHUNK_BYTES: number = 1024 * 1024;

/**
 * Joins small chunks into full ones of `size` bytes; the last may be shorter. A chunk that is already full and meets an
 * empty buffer is passed on as it is. Buffers are never reused: the consumer may keep them.
 */
export async function* rechunk(
  chunks: AsyncIterable<Uint8Array>,
  size: number = OUTPUT_CHUNK_BYTES,
): AsyncGenerator<Uint8Array, void, undefined> {
  let buffer: Uint8Array | undefined;
  let used = 0;
  try {
    for await (const chunk of chunks) {
      let from = 0;
      while (from < chunk.byteLength) {
        if (used === 0 && chunk.byteLength - from >= size) {
          yield from === 0 && chunk.byteLength === size ? chunk : chunk.subarray(from, from + size);
          from += size;
          continue;
        }
        buffer ??= Buffer.allocUnsafeSlow(size);
        const part = chunk.subarray(from, from + size - used);
        buffer.set(part, used);
        used += part.byteLength;
        from += part.byteLength;
        if (used < size) continue;
        yield buffer;
        buffer = undefined;
        used = 0;
      }
    }
  } catch (error) {
    // What was decoded before the failure is still good, and tells the consumer how far it got.
    if (buffer !== undefined && used > 0) yield buffer.subarray(0, used);
    throw error;
  }
  if (buffer !== undefined && used > 0) yield buffer.subarray(0, used);
}
