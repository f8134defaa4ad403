import { type FileHandle, open } from 'node:fs/promises';
import type { FileReader, RecyclingSource } from './byte-source.js';
import { ChunkPool } from './chunk-pool.js';
import { errnoOf, LayerStoreError } from './errors.js';

/** One read: as much as one batch of extraction works on. */
const CHUNK_BYTES = 2 * 1024 * 1024;
/**
 * Kept for reading into again, by the next source too: as many as an extraction has in flight. Memory made anew for every
 * archive makes V8 collect in the middle of the next.
 */
const POOL = new ChunkPool(CHUNK_BYTES, 8);
/** Reads under way while a chunk is looked at: another's thread comes to them between other work of its own. */
const AHEAD = 1;
const AHEAD_BY_ANOTHER = 3;

export interface FileSourceOptions {
  readonly signal?: AbortSignal;
}

/**
 * The bytes of a file from its start, in 2 MiB chunks, read ahead: the fastest source for `register` and `applyLayer`,
 * because the buffers are used again instead of being made and collected for every chunk. Can be read once. A path is
 * opened when reading begins and closed when it ends; a `FileHandle` stays open. Fails with ARCHIVE_IO.
 *
 * ```ts
 * const layer = await store.register(fileSource('layer.tar'));
 * ```
 */
export function fileSource(file: string | FileHandle, options: FileSourceOptions = {}): FileSource {
  return new FileSource(file, options.signal);
}

/** See {@link fileSource}. */
export class FileSource implements RecyclingSource {
  readonly #file: string | FileHandle;
  readonly #signal: AbortSignal | undefined;
  #reader: FileReader | undefined;
  #bytesRead = 0;

  constructor(file: string | FileHandle, signal: AbortSignal | undefined) {
    this.#file = file;
    this.#signal = signal;
  }

  /** Bytes given so far. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  recycle(chunk: Uint8Array): void {
    POOL.recycle(chunk);
  }

  readBy(reader: FileReader | undefined): void {
    this.#reader = reader;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    const handle = await this.#open();
    const reads: Promise<Uint8Array>[] = [];
    let position = 0;
    const readAhead = (): void => {
      const ahead = this.#reader === undefined ? AHEAD : AHEAD_BY_ANOTHER;
      for (; reads.length < ahead; position += CHUNK_BYTES) {
        const read = this.#read(handle, position);
        // a failure of a read ahead is seen when its turn comes, not as an unhandled rejection
        read.catch(() => undefined);
        reads.push(read);
      }
    };
    try {
      for (;;) {
        this.#signal?.throwIfAborted();
        if (reads.length === 0) readAhead();
        const chunk = await reads.shift();
        if (chunk === undefined || chunk.length === 0) return;
        this.#bytesRead += chunk.length;
        // Only the last one is shorter than was asked for.
        const isLast = chunk.length < CHUNK_BYTES;
        if (!isLast) readAhead();
        yield chunk;
        if (isLast) return;
      }
    } finally {
      await Promise.allSettled(reads);
      if (handle !== this.#file) await handle.close();
    }
  }

  async #open(): Promise<FileHandle> {
    if (typeof this.#file !== 'string') return this.#file;
    try {
      return await open(this.#file, 'r');
    } catch (error) {
      throw this.#failure(error, 'open');
    }
  }

  async #read(handle: FileHandle, position: number): Promise<Uint8Array> {
    const buffer = POOL.take();
    try {
      const length = await (this.#reader === undefined
        ? fill(handle, buffer, position)
        : this.#reader(handle.fd, buffer, position));
      POOL.lend(buffer);
      if (length === 0) POOL.recycle(buffer);
      return buffer.subarray(0, length);
    } catch (error) {
      throw this.#failure(error, 'read');
    }
  }

  #failure(error: unknown, syscall: string): LayerStoreError {
    const name = typeof this.#file === 'string' ? this.#file : `descriptor ${this.#file.fd}`;
    const errno = errnoOf(error) ?? 'EIO';
    return new LayerStoreError(
      'ARCHIVE_IO',
      `${errno}: ${name} could not be ${syscall === 'open' ? 'opened' : 'read'}`,
      {
        path: name,
        errno,
        syscall,
        cause: error,
      },
    );
  }
}

async function fill(handle: FileHandle, buffer: Uint8Array, position: number): Promise<number> {
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, position + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}
