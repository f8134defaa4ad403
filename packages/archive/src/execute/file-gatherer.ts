import { Buffer } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { Crc64 } from '../digest/crc64.js';
import { errnoOf, isLayerStoreError, LayerStoreError } from '../errors.js';
import { displayName } from '../root/byte-name.js';
import { portableCalls } from '../root/portable-calls.js';
import { GatherRecords } from './gather-records.js';

/** The name is there but is no regular file: a symbolic link, a socket, a device without driver. */
const WRONG_TYPE: ReadonlySet<string> = new Set(['ELOOP', 'ENXIO', 'EISDIR', 'ENODEV']);

/** One root, and the directory of it that was used last: entries of one directory follow each other. */
interface Root {
  readonly fd: number;
  directory: string | undefined;
  /** Undefined: this root has no such directory. */
  directoryFd: number | undefined;
}

interface OpenFile {
  readonly fd: number;
  readonly path: string;
  left: number;
}

/**
 * Carries out gather plans with Node's synchronous calls; for a worker thread. The same confinement as the addon: links in
 * ancestors resolve inside the root, the last component is neither followed nor waited for.
 */
export class FileGatherer {
  readonly #roots: readonly Root[];
  readonly #crc = new Crc64();
  #file: OpenFile | undefined;

  /** Fails with ARCHIVE_IO when a root is not a directory. */
  constructor(roots: readonly string[]) {
    const opened: Root[] = [];
    try {
      for (const root of roots) {
        const fd = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY);
        opened.push({ fd, directory: undefined, directoryFd: undefined });
      }
    } catch (error) {
      for (const { fd } of opened) closeSync(fd);
      throw failed('open', roots[opened.length] ?? '', error);
    }
    this.#roots = opened;
  }

  /** See {@link GatherRecords} for the plan. Fails with ARCHIVE_FILE_CORRUPT and ARCHIVE_IO. */
  gather(plan: Uint8Array, out: Uint8Array): void {
    const records = new GatherRecords(plan);
    while (records.next()) {
      if (records.begins) this.#begin(records.path(), records.fileSize);
      const file = this.#file;
      if (file === undefined || records.length > file.left) {
        throw new LayerStoreError('STORE_INVARIANT', 'a gather plan reads past the end of its file');
      }
      this.#read(file, out, records.outOffset, records.length);
      if (records.ends) this.#end(file, records.checksum());
    }
  }

  close(): void {
    this.#closeFile();
    for (const root of this.#roots) {
      if (root.directoryFd !== undefined) closeSync(root.directoryFd);
      closeSync(root.fd);
    }
  }

  #begin(path: Uint8Array, size: number): void {
    this.#closeFile();
    const name = Buffer.from(path.buffer, path.byteOffset, path.byteLength).toString('latin1');
    const fd = this.#open(name);
    this.#file = { fd, path: name, left: size };
    this.#crc.reset();
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw corrupt(name, 'is not a regular file');
    if (stats.size !== size) {
      throw corrupt(name, `has ${stats.size} bytes instead of ${size}`, {
        expected: String(size),
        actual: String(stats.size),
      });
    }
  }

  #read(file: OpenFile, out: Uint8Array, at: number, length: number): void {
    const end = at + length;
    for (let to = at; to < end; ) {
      let count: number;
      try {
        count = readSync(file.fd, out, to, end - to, null);
      } catch (error) {
        throw failed('read', file.path, error);
      }
      if (count === 0) throw corrupt(file.path, 'became shorter while it was read');
      to += count;
    }
    this.#crc.update(out.subarray(at, end));
    file.left -= length;
  }

  #end(file: OpenFile, expected: Uint8Array): void {
    const actual = Buffer.from(this.#crc.digest());
    this.#closeFile();
    if (actual.equals(expected)) return;
    const fields = { expected: Buffer.from(expected).toString('hex'), actual: actual.toString('hex') };
    throw corrupt(file.path, 'has other content', fields);
  }

  #open(path: string): number {
    const slash = path.lastIndexOf('/');
    const directory = slash < 0 ? '' : path.slice(0, slash);
    let missing: unknown;
    for (const root of this.#roots) {
      try {
        const parent = this.#directory(root, directory);
        if (parent !== undefined) return portableCalls.openFile(parent, path.slice(slash + 1));
      } catch (error) {
        const errno = errnoOf(error) ?? '';
        if (WRONG_TYPE.has(errno)) throw corrupt(path, 'is not a regular file');
        if (errno !== 'ENOENT') throw failed('open', path, error);
        missing = error;
      }
    }
    throw failed('open', path, missing);
  }

  #directory(root: Root, directory: string): number | undefined {
    if (root.directory === directory) return root.directoryFd;
    if (root.directoryFd !== undefined) closeSync(root.directoryFd);
    root.directoryFd = undefined;
    root.directory = directory;
    try {
      root.directoryFd = portableCalls.resolveDirectory(root.fd, directory);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno !== 'ENOENT' && errno !== 'ENOTDIR') throw error;
    }
    return root.directoryFd;
  }

  #closeFile(): void {
    if (this.#file === undefined) return;
    closeSync(this.#file.fd);
    this.#file = undefined;
  }
}

function corrupt(
  path: string,
  what: string,
  fields: { readonly expected?: string; readonly actual?: string } = {},
): LayerStoreError {
  const shown = displayName(path);
  return new LayerStoreError(
    'ARCHIVE_FILE_CORRUPT',
    `file integrity checksum failed: "${shown}" ${what}; the layer directory was changed after it was unpacked`,
    { path: shown, ...fields },
  );
}

function failed(syscall: string, path: string, cause: unknown): LayerStoreError {
  if (isLayerStoreError(cause)) return cause;
  const errno = errnoOf(cause) ?? 'ENOENT';
  const shown = displayName(path);
  return new LayerStoreError('ARCHIVE_IO', `${syscall} of "${shown}" failed: ${errno}`, {
    path: shown,
    syscall,
    errno,
    cause,
  });
}
