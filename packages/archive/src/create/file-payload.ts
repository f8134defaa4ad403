/** Copies one open file into the archive: exactly as many bytes as its header says, whatever happens to the file. */
import { readSync } from 'node:fs';
import { ioError } from '../root/io-error.js';
import { readOpen } from '../root/root-directory.js';
import { CHUNK_LENGTH, type ChunkAssembler } from './chunk-assembler.js';

/** How a payload compared with the size in its header. */
export type PayloadOutcome = 'exact' | 'grew' | 'shrank';

/**
 * Up to this size a file is read on the spot into the chunk being filled: a trip to the thread pool costs more than
 * reading it, and the pause stays well below a millisecond.
 */
export const INLINE_LIMIT: number = 128 * 1024;

/**
 * Reads a file of at most `INLINE_LIMIT` bytes. One byte more is asked for, which tells a file that grew without a
 * further system call; it lands where padding or the next header goes.
 * @throws ARCHIVE_IO
 */
export function readSmallFile(
  output: ChunkAssembler,
  fd: number,
  size: number,
  path: string,
): PayloadOutcome {
  if (output.room <= size) output.seal();
  const { buffer, position } = output;
  let length = 0;
  try {
    while (length <= size) {
      const count = readSync(fd, buffer, position + length, size + 1 - length, null);
      if (count === 0) break;
      length += count;
    }
  } catch (error) {
    throw ioError(error, 'read', path);
  }
  output.advance(Math.min(length, size));
  if (length < size) output.zeros(size - length);
  return length === size ? 'exact' : length > size ? 'grew' : 'shrank';
}

/**
 * Reads a larger file on the thread pool, one chunk ahead of the consumer.
 * @returns through `outcome`, when the generator has ended
 * @throws ARCHIVE_IO
 */
export async function* readLargeFile(
  output: ChunkAssembler,
  fd: number,
  size: number,
  path: string,
  onOutcome: (outcome: PayloadOutcome) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  output.seal();
  for (let chunk = output.take(); chunk !== undefined; chunk = output.take()) yield chunk;
  let next: Promise<Buffer> | undefined = fill(fd, 0, Math.min(CHUNK_LENGTH, size));
  let position = 0;
  try {
    while (next !== undefined) {
      const chunk: Buffer = await next;
      next = undefined;
      const wanted = Math.min(CHUNK_LENGTH, size - position);
      position += chunk.length;
      if (chunk.length === wanted && position < size) {
        next = fill(fd, position, Math.min(CHUNK_LENGTH, size - position));
        // A failure surfaces at the await above; until then it must not count as unhandled.
        next.catch(() => {});
      }
      if (chunk.length === CHUNK_LENGTH) yield chunk;
      else output.append(chunk);
    }
    if (position < size) {
      onOutcome('shrank');
      yield* zeros(output, size - position);
      return;
    }
    const beyond = await readOpen(fd, Buffer.allocUnsafe(1), 0, 1, size);
    onOutcome(beyond === 0 ? 'exact' : 'grew');
  } catch (error) {
    throw ioError(error, 'read', path);
  } finally {
    // The descriptor is closed by the caller next: no read may be under way on it.
    await next?.catch(() => {});
  }
}

/** A chunk at `position`, shorter than `length` only at the end of the file. */
async function fill(fd: number, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  while (filled < length) {
    const count = await readOpen(fd, buffer, filled, length - filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return buffer.subarray(0, filled);
}

/** Hands chunks on as they fill: a file that lost gigabytes must not be made up for in memory. */
function* zeros(output: ChunkAssembler, count: number): Generator<Uint8Array, void, undefined> {
  for (let left = count; left > 0; left -= CHUNK_LENGTH) {
    output.zeros(Math.min(left, CHUNK_LENGTH));
    for (let chunk = output.take(); chunk !== undefined; chunk = output.take()) yield chunk;
  }
}
