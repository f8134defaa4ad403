import { type FileHandle, open } from 'node:fs/promises';
import type { RecyclingSource } from './byte-source.js';
import { ChunkPool } from './chunk-pool.js';
import { errnoOf, LayerStoreError } from './errors.js';

/** One read: as much as one batch of extraction works on. */
const CHUNK_BYTES = 2 * 1024 * 1024;
/**
 * Kept for reading into again, by the next source too: as many as an extraction has in flight. Memory made anew for every
 * archive makes V8 collect in the middle of the next.
 */
const POOL = new ChunkPool(CHUNK_BYTES, 6);

export interface FileSourceOptions {
  readonly signal?: AbortSignal;
}

/**
 * The bytes of a file from its start, in 2 MiB chunks, one read ahead: the fastest source for `register` and `applyLayer`,
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

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    const handle = await this.#open();
    let ahead = this.#read(handle, 0);
    // a failure of the read ahead is seen when its turn comes, not as an unhandled rejection
    ahead.catch(() => undefined);
    try {
      for (let position = 0; ; ) {
        this.#signal?.throwIfAborted();
        const chunk = await ahead;
        if (chunk.length === 0) return;
        position += chunk.length;
        this.#bytesRead = position;
        ahead = this.#read(handle, position);
        ahead.catch(() => undefined);
        yield chunk;
      }
    } finally {
      await ahead.catch(() => undefined);
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
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
      POOL.lend(buffer);
      return buffer.subarray(0, bytesRead);
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
