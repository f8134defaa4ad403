import { type FileHandle, open, unlink } from 'node:fs/promises';
import { createGzip, type Gzip } from 'node:zlib';
import { errnoOf, isLayerStoreError, LayerStoreError } from '@x/archive';

/** Level 1: on header bytes it gives up a few per cent of size and takes a third of the time of the default level. */
const LEVEL = 1;
const OUTPUT_CHUNK = 256 * 1024;
/** Input handed over and not compressed yet, above which {@link GzipFile.drain} waits. */
const HIGH_WATER = 8 * 1024 * 1024;

/**
 * A new gzip file, compressed on zlib's own thread. Blocks are compressed in the order they are written; a block must not
 * be touched before its `done` is called. The first failure, of zlib or of the disk, is thrown by every later call.
 */
export class GzipFile {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #gzip: Gzip;
  readonly #pump: Promise<void>;
  #failure: unknown;
  #pending = 0;
  #bytes = 0;
  #waiters: (() => void)[] = [];
  #closed = false;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
    this.#gzip = createGzip({ level: LEVEL, chunkSize: OUTPUT_CHUNK });
    this.#pump = this.#drainToDisk();
  }

  /** Creates `path`, which must not exist. Fails with ARCHIVE_IO. */
  static async create(path: string): Promise<GzipFile> {
    try {
      return new GzipFile(path, await open(path, 'wx', 0o600));
    } catch (error) {
      throw ioError('open', path, error);
    }
  }

  write(block: Uint8Array, done: () => void): void {
    if (this.#failure !== undefined) return;
    this.#pending += block.length;
    this.#gzip.write(block, () => {
      this.#pending -= block.length;
      done();
      if (this.#pending <= HIGH_WATER) this.#wake();
    });
  }

  /** Resolves when there is room for more; throws what went wrong so far. */
  async drain(): Promise<void> {
    while (this.#pending > HIGH_WATER && this.#failure === undefined) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Ends the stream, makes the file durable and closes it. Resolves to its size. Fails with ARCHIVE_IO. */
  async finish(): Promise<number> {
    this.#gzip.end();
    await this.#pump;
    if (this.#failure !== undefined) throw this.#failure;
    try {
      await this.#file.sync();
      const { size } = await this.#file.stat();
      this.#closed = true;
      await this.#file.close();
      if (size !== this.#bytes || size === 0) {
        throw new LayerStoreError(
          'ARCHIVE_IO',
          `"${this.#path}" has ${size} bytes after ${this.#bytes} were written`,
          { path: this.#path },
        );
      }
      return size;
    } catch (error) {
      throw ioError('fsync', this.#path, error);
    }
  }

  /** Gives the file up and removes it. Never throws: there is nothing left to lose. */
  async abort(): Promise<void> {
    this.#fail(
      new LayerStoreError('ARCHIVE_IO', `writing of "${this.#path}" was given up`, { path: this.#path }),
    );
    await this.#pump;
    if (!this.#closed) {
      this.#closed = true;
      await this.#file.close().catch(() => undefined);
    }
    await unlink(this.#path).catch(() => undefined);
  }

  async #drainToDisk(): Promise<void> {
    try {
      for await (const chunk of this.#gzip as AsyncIterable<Uint8Array>) {
        let from = 0;
        while (from < chunk.length) {
          const { bytesWritten } = await this.#file.write(chunk, from, chunk.length - from);
          from += bytesWritten;
        }
        this.#bytes += chunk.length;
      }
    } catch (error) {
      this.#fail(ioError('write', this.#path, error));
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#gzip.destroy();
    this.#wake();
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}

/** ARCHIVE_IO for a failed call on `path`; an error that is coded already is passed on. */
export function ioError(syscall: string, path: string, cause: unknown): LayerStoreError {
  if (isLayerStoreError(cause)) return cause;
  const errno = errnoOf(cause);
  const why = errno ?? String(cause);
  return new LayerStoreError('ARCHIVE_IO', `${syscall} of the tar-split file "${path}" failed: ${why}`, {
    path,
    syscall,
    ...(errno === undefined ? {} : { errno }),
    cause,
  });
}
