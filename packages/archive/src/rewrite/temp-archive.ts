import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ByteSource } from '../byte-source.js';
import { SourceReader } from '../compress/source-reader.js';
import { errnoOf, LayerStoreError } from '../errors.js';
import { assertAsyncIterable, assertKnownKeys, assertPath, assertSignal } from '../options/validate.js';

export interface TempArchiveOptions {
  /** Directory on whose file system the bytes are kept. Default: the system's for temporary files. */
  readonly directory?: string;
  readonly signal?: AbortSignal;
}

const READ_BYTES = 1024 * 1024;

function ioError(syscall: string, path: string, cause: unknown): LayerStoreError {
  const errno = errnoOf(cause);
  return new LayerStoreError('ARCHIVE_IO', `A temporary archive in ${path} failed: ${syscall}`, {
    path,
    syscall,
    ...(errno === undefined ? {} : { errno }),
    cause,
  });
}

/**
 * A stream kept in a file, to be read as often as needed. The file has no name from the start, so that it is gone with
 * its last descriptor however the process ends.
 */
export class TempArchive implements AsyncDisposable {
  /** Bytes kept. */
  readonly size: number;
  readonly #file: FileHandle;
  readonly #directory: string;
  #closed: Promise<void> | undefined;

  private constructor(file: FileHandle, size: number, directory: string) {
    this.#file = file;
    this.size = size;
    this.#directory = directory;
  }

  /** Reads a source to its end. @throws ARCHIVE_IO, the source's own error, the signal's reason; OPTION_* */
  static async create(source: ByteSource, options: TempArchiveOptions = {}): Promise<TempArchive> {
    assertAsyncIterable('TempArchive', 'source', source);
    assertKnownKeys('TempArchive', options, ['directory', 'signal']);
    const { directory = tmpdir(), signal } = options;
    assertPath('TempArchive', 'directory', directory);
    if (signal !== undefined) assertSignal('TempArchive', 'signal', signal);
    await using reader = new SourceReader(source, signal);
    const file = await openNameless(directory);
    try {
      let size = 0;
      for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) {
        await writeAll(file, chunk, size, directory);
        size += chunk.byteLength;
      }
      return new TempArchive(file, size, directory);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** The bytes from the start; several readers may be under way at once. @throws ARCHIVE_IO, also once closed */
  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let at = 0; at < this.size; ) {
      if (this.#closed !== undefined) throw ioError('read', this.#directory, { code: 'EBADF' });
      const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, this.size - at));
      const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, at).catch((cause: unknown) => {
        throw ioError('read', this.#directory, cause);
      });
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  /** Gives the space back. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#file.close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

async function openNameless(directory: string): Promise<FileHandle> {
  const path = join(directory, `.layer-archive-${randomBytes(12).toString('hex')}`);
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const file = await open(path, flags, 0o600).catch((cause: unknown) => {
    throw ioError('open', path, cause);
  });
  try {
    await unlink(path);
  } catch (cause) {
    await file.close();
    throw ioError('unlink', path, cause);
  }
  return file;
}

async function writeAll(
  file: FileHandle,
  chunk: Uint8Array,
  position: number,
  directory: string,
): Promise<void> {
  for (let from = 0; from < chunk.byteLength; ) {
    const { bytesWritten } = await file
      .write(chunk, from, chunk.byteLength - from, position + from)
      .catch((cause: unknown) => {
        throw ioError('write', directory, cause);
      });
    from += bytesWritten;
  }
}
