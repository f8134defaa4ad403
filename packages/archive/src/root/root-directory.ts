/** An open tree: every lookup starts at its descriptor and cannot leave it. */
import { close, closeSync, constants, openSync, read } from 'node:fs';
import { LayerStoreError } from '../errors.js';
import { baseName, displayName, nameOf, nameOfText, parentName } from './byte-name.js';
import { type FileStat, isRegularFile } from './file-stat.js';
import { ioError } from './io-error.js';
import { nativeCalls } from './native-calls.js';
import { portableCalls } from './portable-calls.js';
import type { DirectoryEntry, TreeCalls } from './tree-calls.js';

/** One directory of the tree, held open. Names are one component and are never followed. */
export class OpenDirectory {
  readonly fd: number;
  readonly #calls: TreeCalls;
  #open = true;

  constructor(fd: number, calls: TreeCalls) {
    this.fd = fd;
    this.#calls = calls;
  }

  get calls(): TreeCalls {
    return this.#calls;
  }

  /** Sorted bytewise. Once for each opening: the kernel reads on from where the descriptor stands. */
  list(): DirectoryEntry[] {
    return this.#calls.list(this.fd);
  }

  lstat(name: string): FileStat {
    return this.#calls.stat(this.fd, name);
  }

  /** The directory's own stat data. */
  stat(): FileStat {
    return this.#calls.statOpen(this.fd);
  }

  readlink(name: string): string {
    return this.#calls.readlink(this.fd, name);
  }

  openDirectory(name: string): OpenDirectory {
    return new OpenDirectory(this.#calls.openDirectory(this.fd, name), this.#calls);
  }

  /** A descriptor the caller closes; not necessarily of a regular file. */
  openFile(name: string): number {
    return this.#calls.openFile(this.fd, name);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

export interface RootDirectoryOptions {
  /** Do without the addon. Default: use it where it is. */
  readonly portable?: boolean;
}

const READ_CHUNK = 1024 * 1024;

/**
 * An open root. Paths given as text are taken as UTF-8, as bytes literally; both relative to the root whatever they
 * begin with. Links in ancestors are resolved inside the root (RESOLVE_IN_ROOT of openat2(2), or component by
 * component below `/proc/self/fd/N`), `..` stops at the root, and the last component is not followed. Both ways give the same
 * result; spec/layer-archive.md 4.9.
 */
export class RootDirectory implements AsyncDisposable {
  readonly path: string;
  readonly #top: OpenDirectory;

  private constructor(path: string, top: OpenDirectory) {
    this.path = path;
    this.#top = top;
  }

  /** @throws ARCHIVE_IO when the root cannot be opened as a directory; a link to one is followed */
  static open(path: string, options: RootDirectoryOptions = {}): RootDirectory {
    const calls = treeCalls(options.portable);
    try {
      const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
      return new RootDirectory(path, new OpenDirectory(fd, calls));
    } catch (error) {
      throw ioError(error, 'open the directory', nameOfText(path));
    }
  }

  /** The root itself, open as long as this object is. */
  get top(): OpenDirectory {
    return this.#top;
  }

  /** Opens a directory of the tree, links included. @throws ARCHIVE_IO */
  directory(path: string | Uint8Array): OpenDirectory {
    const name = treeName(path);
    try {
      return new OpenDirectory(this.#top.calls.resolveDirectory(this.#top.fd, name), this.#top.calls);
    } catch (error) {
      throw ioError(error, 'open the directory', name);
    }
  }

  /** @throws ARCHIVE_IO */
  lstat(path: string | Uint8Array): FileStat {
    return this.#within(path, 'stat', (parent, name) => (name === '' ? parent.stat() : parent.lstat(name)));
  }

  /** Text of a symbolic link, bytes. @throws ARCHIVE_IO */
  readlink(path: string | Uint8Array): Buffer {
    return this.#within(path, 'read the link', (parent, name) =>
      Buffer.from(parent.readlink(name), 'latin1'),
    );
  }

  /** Names with inode and type, sorted bytewise. @throws ARCHIVE_IO */
  readdir(path: string | Uint8Array): DirectoryEntry[] {
    const directory = this.directory(path);
    try {
      return directory.list();
    } catch (error) {
      throw ioError(error, 'list', treeName(path));
    } finally {
      directory.close();
    }
  }

  /**
   * Opens a regular file for reading; the caller closes the descriptor.
   * @throws ARCHIVE_IO when it is missing or no regular file
   */
  openFile(path: string | Uint8Array): number {
    return this.#within(path, 'open', (parent, name) => {
      const fd = parent.openFile(name);
      if (isRegularFile(parent.calls.statOpen(fd))) return fd;
      closeSync(fd);
      throw new LayerStoreError('ARCHIVE_IO', `"${displayName(treeName(path))}" is not a regular file`, {
        path: displayName(treeName(path)),
      });
    });
  }

  /** The file's bytes in chunks of at most 1 MiB; each chunk is the consumer's to keep. @throws ARCHIVE_IO */
  async *readFile(path: string | Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
    const fd = this.openFile(path);
    try {
      for (;;) {
        const buffer = Buffer.allocUnsafeSlow(READ_CHUNK);
        const length = await readOpen(fd, buffer, 0, READ_CHUNK, null);
        if (length === 0) return;
        yield buffer.subarray(0, length);
      }
    } catch (error) {
      throw ioError(error, 'read', treeName(path));
    } finally {
      await closeOpen(fd);
    }
  }

  async close(): Promise<void> {
    this.#top.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #within<T>(path: string | Uint8Array, doing: string, use: (parent: OpenDirectory, name: string) => T): T {
    const full = treeName(path);
    const name = baseName(full);
    // A name that is itself a step (`.`, `..`) has no parent to be looked up in: it is a directory to resolve.
    const step = name === '.' || name === '..';
    const parent = this.directory(Buffer.from(step ? full : parentName(full), 'latin1'));
    try {
      return use(parent, step ? '' : name);
    } catch (error) {
      throw ioError(error, doing, full);
    } finally {
      parent.close();
    }
  }
}

/** Latin-1 path relative to the root, without slashes at either end. @throws ARCHIVE_INVALID_NAME for NUL */
function treeName(path: string | Uint8Array): string {
  const name = typeof path === 'string' ? nameOfText(path) : nameOf(path);
  if (name.includes('\0')) {
    throw new LayerStoreError('ARCHIVE_INVALID_NAME', 'a path contains a NUL byte', {
      path: displayName(name),
    });
  }
  return name.replace(/^\/+|\/+$/g, '');
}

/** The calls to walk with: the addon's where it is loaded and not refused. */
export function treeCalls(portable: boolean | undefined): TreeCalls {
  return (portable === true ? undefined : nativeCalls()) ?? portableCalls;
}

/** One positioned read on the thread pool; `position` null reads on from where the file stands. */
export function readOpen(
  fd: number,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number | null,
): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, buffer, offset, length, position, (error, count) => (error ? reject(error) : resolve(count)));
  });
}

/** Closes on the thread pool: the last close of a deleted or network file can take its time. */
export function closeOpen(fd: number): Promise<void> {
  return new Promise((resolve, reject) => close(fd, (error) => (error ? reject(error) : resolve())));
}
