import { type FileHandle, open, unlink } from 'node:fs/promises';
import { errnoOf, isLayerStoreError, LayerStoreError } from '@x/archive';
import type { LineBlock } from './line-blocks.js';
import { compressLines, type LineCompressor } from './line-compressor.js';

/** Input handed over and not compressed yet, above which {@link GzipFile.drain} waits. */
const HIGH_WATER = 8 * 1024 * 1024;

/**
 * A new gzip file, compressed on another thread. Blocks are compressed in the order they are written; a block must not
 * be touched before its `done` is called. The first failure, of zlib or of the disk, is thrown by every later call.
 */
export class GzipFile {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #lines: LineCompressor;
  #failure: unknown;
  #pending = 0;
  #waiters: (() => void)[] = [];
  #closed = false;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
    this.#lines = compressLines(file);
  }

  /** Creates `path`, which must not exist. Fails with ARCHIVE_IO. */
  static async create(path: string): Promise<GzipFile> {
    try {
      return new GzipFile(path, await open(path, 'wx', 0o600));
    } catch (error) {
      throw ioError('open', path, error);
    }
  }

  write(block: LineBlock, done: () => void): void {
    if (this.#failure !== undefined) return;
    const { length } = block.lines;
    this.#pending += length;
    void this.#compress(block, length, done);
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
    try {
      await this.#lines.end();
    } catch (error) {
      this.#fail(error);
    }
    if (this.#failure !== undefined) throw this.#failure;
    try {
      await this.#file.sync();
      const { size } = await this.#file.stat();
      this.#closed = true;
      await this.#file.close();
      if (size !== this.#lines.bytes || size === 0) {
        throw new LayerStoreError(
          'ARCHIVE_IO',
          `"${this.#path}" has ${size} bytes after ${this.#lines.bytes} were written`,
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
    await this.#lines.abort();
    if (!this.#closed) {
      this.#closed = true;
      await this.#file.close().catch(() => undefined);
    }
    await unlink(this.#path).catch(() => undefined);
  }

  async #compress(block: LineBlock, length: number, done: () => void): Promise<void> {
    try {
      await this.#lines.write(block);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#pending -= length;
    done();
    if (this.#pending <= HIGH_WATER) this.#wake();
  }

  #fail(error: unknown): void {
    this.#failure ??= ioError('write', this.#path, error);
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
