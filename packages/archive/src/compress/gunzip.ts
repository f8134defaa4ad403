import { createGunzip } from 'node:zlib';
import { LayerStoreError } from '../errors.js';
import { OUTPUT_CHUNK_BYTES } from './chunks.js';
import type { SourceReader } from './source-reader.js';
import { throughTransform } from './through-transform.js';

/**
 * Gunzips with the built-in zlib. Members may follow one another (RFC 1952 section 2.2). After the last one NUL bytes
 * are padding, as for gzip(1); anything else must be another member and is an error if it is not. So no byte of the
 * input is ever passed over unseen, which would let two readers disagree on what the layer is.
 * @throws COMPRESSION_FAILED
 */
export async function* gunzip(reader: SourceReader): AsyncGenerator<Uint8Array, void, undefined> {
  const inflater = createGunzip({ chunkSize: OUTPUT_CHUNK_BYTES });
  yield* throughTransform(reader, inflater, 'gzip', async ({ last }) => {
    // Zlib ends at the first NUL after a member. Of the chunk it was given then it has read a part; the rest is ours.
    const unread = reader.bytesRead - inflater.bytesWritten;
    if (last !== undefined && unread > 0) assertPadding(last.subarray(last.byteLength - unread));
    for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next())
      assertPadding(chunk);
  });
}

function assertPadding(bytes: Uint8Array): void {
  if (bytes.every((byte) => byte === 0)) return;
  throw new LayerStoreError(
    'COMPRESSION_FAILED',
    'The gzip data is damaged: there are bytes after the padding that follows the last member',
  );
}
