/** The operations of operation.ts, carried out with Node's synchronous calls. The rules are those of the addon's executor. */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  futimesSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  type Stats,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { Crc64 } from '../digest/crc64.js';
import { errnoOf, LayerStoreError } from '../errors.js';
import { baseName, displayName, joinName, parentName } from '../root/byte-name.js';
import { S_IFBLK, S_IFIFO } from '../root/file-stat.js';
import {
  type ExecutorOptions,
  type ExecutorWarning,
  FLAG_SPARSE,
  FLAG_TOLERATE,
  NO_INDEX,
} from './operation.js';
import { utimesArgument } from './utimes-argument.js';
import type { OperationTarget, OperationXattrs } from './worker-batch.js';
import { ChecksumLog } from './worker-checksums.js';
import { MadeObjects } from './worker-made-objects.js';
import { DeletionMarks } from './worker-marks.js';
import { Metadata, type NodeMeta } from './worker-metadata.js';
import { makeNode } from './worker-programs.js';
import { Removal } from './worker-removal.js';
import {
  ExtractionTree,
  type MissingDirectory,
  type OpenDirectory,
  openObject,
  statWithin,
  within,
} from './worker-tree.js';

const IMPLIED_MODE = 0o755;
const OPEN_NEW = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const OWNER_MAY_CREATE = 0o300;
const OWNER_ALL = 0o700;
/** Setting `user.*` takes the right to write the inode, an open descriptor is not enough (xattr(7)). */
const OWNER_WRITES = 0o200;

/** The file that OP_DATA is for; its record may lie in an earlier batch, so nothing here points into one. */
interface OpenFile {
  readonly fd: number;
  readonly stat: Stats;
  readonly path: string;
  readonly meta: NodeMeta;
  readonly xattrs: OperationXattrs;
  readonly size: number;
  readonly fileIndex: number;
  readonly sparse: boolean;
  written: number;
}

/** What a run of operations did, since the last time it was asked. */
export interface WorkReport {
  /** 12 bytes each: fileIndex little endian, CRC-64 big endian. */
  readonly checksums: Uint8Array;
  readonly displaced: readonly number[];
  readonly warnings: readonly ExecutorWarning[];
}

export class Extraction implements OperationTarget {
  readonly #options: ExecutorOptions;
  readonly #tree: ExtractionTree;
  readonly #made = new MadeObjects();
  readonly #metadata: Metadata;
  readonly #removal: Removal;
  readonly #marks: DeletionMarks;
  readonly #crc = new Crc64();
  readonly #checksums = new ChecksumLog();
  readonly #unprivileged: boolean = process.geteuid?.() !== 0;
  #file: OpenFile | undefined;
  #path = '';

  constructor(root: string, options: ExecutorOptions) {
    this.#options = options;
    this.#tree = new ExtractionTree(root);
    this.#metadata = new Metadata(options);
    this.#removal = new Removal(this.#tree, this.#made, options.stashDirectory);
    this.#marks = new DeletionMarks(this.#tree, this.#made, this.#removal, this.#metadata, options);
  }

  /** Path of the operation that runs, for error messages. */
  get currentPath(): string {
    return this.#path;
  }

  /** Finishes what may wait to the end of a batch; may throw as an operation does. */
  report(): WorkReport {
    this.#metadata.flush();
    const report = {
      checksums: this.#checksums.take(),
      displaced: this.#removal.displaced,
      warnings: this.#metadata.warnings,
    };
    this.#removal.displaced = [];
    this.#metadata.warnings = [];
    return report;
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file.fd);
    this.#file = undefined;
    this.#metadata.close();
    this.#tree.close();
  }

  begin(path: string): void {
    this.#path = path;
    this.#tree.trim();
  }

  directory(path: string, meta: NodeMeta, xattrs: OperationXattrs): void {
    const directory =
      path === '' ? this.#tree.root : this.#takeDirectory(this.#parentOf(path), baseName(path), meta.mode);
    this.#made.add(directory.key);
    directory.claimed = true;
    const mode = this.#workableMode(meta.mode);
    const held = mode === meta.mode ? undefined : meta.mode;
    const { atime, mtime } = meta;
    this.#made.pendingDirectories.set(directory.key, { path: directory.path, atime, mtime, mode: held });
    this.#metadata.applyToObject(directory.fd, fstatSync(directory.fd), { ...meta, mode }, xattrs, path);
  }

  file(
    path: string,
    meta: NodeMeta,
    xattrs: OperationXattrs,
    size: number,
    fileIndex: number,
    flags: number,
  ): void {
    const parent = this.#parentOf(path);
    const name = baseName(path);
    // Special bits come last, when the owner is right; the umask is corrected then too.
    const mode = (meta.mode & 0o777) | (xattrs.length > 0 ? OWNER_WRITES : 0);
    const fd = this.#make(parent, name, () => openSync(within(parent, name), OPEN_NEW, mode));
    const stat = fstatSync(fd);
    const key = this.#tree.key(stat);
    if (fileIndex === NO_INDEX) this.#made.add(key);
    else {
      this.#made.addPayload(key, fileIndex);
      const place = joinName(parent.path, name);
      if (place !== path) this.#made.addThroughLink({ fileIndex, key, path, place });
    }
    this.#crc.reset();
    this.#file = {
      fd,
      stat,
      path,
      meta: { ...meta },
      xattrs: xattrs.map((xattr) => ({ name: Buffer.from(xattr.name), value: Buffer.from(xattr.value) })),
      size,
      fileIndex,
      sparse: (flags & FLAG_SPARSE) !== 0,
      written: 0,
    };
  }

  data(fileOffset: number, bytes: Uint8Array): void {
    const file = this.#openFile();
    if (file.fileIndex !== NO_INDEX) this.#crc.update(bytes);
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(file.fd, bytes, done, bytes.length - done, file.sparse ? fileOffset + done : null);
    }
    file.written += bytes.length;
  }

  fileEnd(): void {
    const file = this.#openFile();
    this.#file = undefined;
    try {
      if (file.sparse) ftruncateSync(file.fd, file.size);
      else if (file.written !== file.size) throw bodyMismatch(file);
      this.#metadata.applyToFile(file.fd, file.stat, file.meta, file.xattrs, file.path);
      futimesSync(file.fd, utimesArgument(file.meta.atime), utimesArgument(file.meta.mtime));
    } finally {
      closeSync(file.fd);
    }
    if (file.fileIndex !== NO_INDEX) this.#checksums.add(file.fileIndex, this.#crc.digest());
  }

  hardlink(path: string, target: string): void {
    const source = this.#lookUp(parentName(target));
    const sourceName = baseName(target);
    const stat = source === undefined ? undefined : statWithin(source, sourceName);
    if (source === undefined || stat === undefined || stat.isDirectory() || this.#marks.isWhiteout(stat)) {
      throw invalidLink(path, target);
    }
    const parent = this.#parentOf(path);
    const name = baseName(path);
    const key = this.#tree.key(stat);
    const existing = statWithin(parent, name);
    if (existing === undefined || this.#tree.key(existing) !== key) {
      this.#make(parent, name, () => {
        try {
          linkSync(within(source, sourceName), within(parent, name));
        } catch (error) {
          // Making room for the link may have removed what it points to.
          throw errnoOf(error) === 'ENOENT' ? invalidLink(path, target) : error;
        }
      });
    }
    this.#made.link(key, joinName(source.path, sourceName), joinName(parent.path, name));
  }

  symlink(path: string, target: Uint8Array, meta: NodeMeta, xattrs: OperationXattrs): void {
    const parent = this.#parentOf(path);
    const name = baseName(path);
    this.#make(parent, name, () => symlinkSync(Buffer.from(target), within(parent, name)));
    const fd = openObject(parent, name);
    try {
      const stat = fstatSync(fd);
      this.#made.add(this.#tree.key(stat));
      this.#metadata.applyToLink(parent, name, fd, stat, meta, xattrs, path);
    } finally {
      closeSync(fd);
    }
  }

  node(
    path: string,
    meta: NodeMeta,
    xattrs: OperationXattrs,
    type: number,
    device: readonly [major: number, minor: number],
    flags: number,
  ): void {
    const parent = this.#parentOf(path);
    const name = baseName(path);
    const existing = statWithin(parent, name);
    if (existing !== undefined) this.#clear(parent, name, existing, false);
    this.#marks.dropMark(parent, name);
    const kind = type === S_IFIFO ? 'p' : type === S_IFBLK ? 'b' : 'c';
    const failure = makeNode(parent, name, kind, device[0], device[1]);
    if (failure !== undefined) {
      const tolerated = (flags & FLAG_TOLERATE) !== 0 && failure.code === 'EPERM';
      this.#metadata.refused(
        tolerated ? 'report' : this.#options.devices,
        failure,
        path,
        `${device[0]}:${device[1]}`,
      );
      return;
    }
    const fd = openObject(parent, name);
    try {
      const stat = fstatSync(fd);
      this.#made.add(this.#tree.key(stat));
      this.#metadata.applyToObject(fd, stat, meta, xattrs, path);
      this.#metadata.setTimes(fd, meta.atime, meta.mtime);
    } finally {
      closeSync(fd);
    }
  }

  whiteout(path: string, uid: number, gid: number): void {
    const parent = this.#tree.resolve(parentName(path), this.#makeForMark);
    if (parent !== undefined) this.#marks.whiteout(parent, baseName(path), uid, gid);
  }

  opaque(path: string, uid: number, gid: number): void {
    const directory = this.#tree.resolve(path, this.#makeForEntry);
    if (directory !== undefined) this.#marks.opaque(directory, uid, gid);
  }

  move(path: string, to: string): void {
    const target = this.#parentOf(to);
    const source = this.#lookUp(parentName(path));
    if (source === undefined) throw invalidLink(to, path);
    const stat = lstatSync(within(source, baseName(path)));
    const existing = statWithin(target, baseName(to));
    if (existing !== undefined) this.#clear(target, baseName(to), existing, stat.isDirectory());
    this.#marks.dropMark(target, baseName(to));
    renameSync(within(source, baseName(path)), within(target, baseName(to)));
    if (stat.isDirectory() || stat.isSymbolicLink()) this.#tree.forget();
    const place = joinName(target.path, baseName(to));
    this.#made.rename(this.#tree.key(stat), joinName(source.path, baseName(path)), place);
  }

  remove(path: string): void {
    const parent = this.#lookUp(parentName(path));
    const stat = parent === undefined ? undefined : statWithin(parent, baseName(path));
    if (parent !== undefined && stat !== undefined) this.#removal.remove(parent, baseName(path), stat);
  }

  /** Times of directories, deepest first, and the last look at payloads that links of the tree led to. */
  finish(): void {
    const pending = [...this.#made.pendingDirectories].sort(([, a], [, b]) => depth(b.path) - depth(a.path));
    for (const [key, { path, atime, mtime, mode }] of pending) {
      this.begin(path);
      const directory = this.#tree.canonical(path);
      if (directory.key !== key) continue;
      if (mode !== undefined) {
        const stat = fstatSync(directory.fd);
        const meta = { mode, uid: stat.uid, gid: stat.gid, mtime, atime };
        this.#metadata.applyToObject(directory.fd, stat, meta, [], path);
      }
      this.#metadata.setTimes(directory.fd, atime, mtime);
    }
    for (const { fileIndex, key, path, place } of this.#made.throughLinks) {
      this.begin(path);
      if (this.#made.payloadAt(key, place) !== fileIndex) continue;
      const parent = this.#lookUp(parentName(path));
      const found = parent === undefined ? undefined : statWithin(parent, baseName(path));
      if (found !== undefined && this.#tree.key(found) === key) continue;
      this.#removal.stash(this.#tree.canonical(parentName(place)), baseName(place), fileIndex);
    }
  }

  /** The directory an entry goes into: made where it is missing, marked as holding something of this layer. */
  #parentOf(path: string): OpenDirectory {
    const parent = this.#tree.resolve(parentName(path), this.#makeForEntry);
    if (parent === undefined) throw notDirectory(path);
    if (!parent.claimed) this.#claim(parent);
    return parent;
  }

  #claim(directory: OpenDirectory): void {
    for (let here = directory; !here.claimed; here = this.#tree.canonical(parentName(here.path))) {
      here.claimed = true;
      if (!this.#made.has(here.key, here.path)) this.#made.add(here.key);
    }
  }

  /** A directory that need not exist; a relative climb above the root is still refused. */
  #lookUp(path: string): OpenDirectory | undefined {
    return this.#tree.resolve(path, () => false);
  }

  readonly #makeForEntry: MissingDirectory = (parent, name, existing) => {
    const deleted = this.#marks.isDeleted(parent, name, existing);
    if (existing !== undefined && !deleted) throw notDirectory(joinName(parent.path, name));
    if (existing !== undefined) this.#removal.remove(parent, name, existing);
    this.#marks.dropMark(parent, name);
    const made = this.#makeImplied(parent, name);
    if (deleted) this.#marks.hideLower(made);
    return true;
  };

  /** For a whiteout: below something that is deleted or is no directory there is nothing to delete. */
  readonly #makeForMark: MissingDirectory = (parent, name, existing) => {
    if (existing !== undefined || this.#marks.isDeleted(parent, name, existing)) return false;
    this.#makeImplied(parent, name);
    return true;
  };

  #makeImplied(parent: OpenDirectory, name: string): OpenDirectory {
    mkdirSync(within(parent, name), IMPLIED_MODE);
    const made = this.#tree.child(parent, name);
    const stat = fstatSync(made.fd);
    const { impliedUid: uid, impliedGid: gid } = this.#options;
    this.#metadata.applyToObject(
      made.fd,
      stat,
      { mode: IMPLIED_MODE, uid, gid, mtime: 0, atime: 0 },
      [],
      made.path,
    );
    this.#claim(made);
    return made;
  }

  #takeDirectory(parent: OpenDirectory, name: string, mode: number): OpenDirectory {
    let replaced = this.#marks.dropMark(parent, name);
    try {
      mkdirSync(within(parent, name), this.#workableMode(mode) & 0o777);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
      const existing = lstatSync(within(parent, name));
      if (!existing.isDirectory()) {
        this.#clear(parent, name, existing, true);
        mkdirSync(within(parent, name), this.#workableMode(mode) & 0o777);
        replaced = true;
      }
    }
    const directory = this.#tree.child(parent, name);
    if (replaced) this.#marks.hideLower(directory);
    return directory;
  }

  /** Without privileges a directory that its owner may not write is closed only after everything is in it. */
  #workableMode(mode: number): number {
    return this.#unprivileged && (mode & OWNER_MAY_CREATE) !== OWNER_MAY_CREATE ? mode | OWNER_ALL : mode;
  }

  /** Makes something that is not a directory; what has the name is removed first. */
  #make<T>(parent: OpenDirectory, name: string, make: () => T): T {
    this.#marks.dropMark(parent, name);
    try {
      return make();
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
      this.#clear(parent, name, lstatSync(within(parent, name)), false);
      return make();
    }
  }

  #clear(parent: OpenDirectory, name: string, existing: Stats, forDirectory: boolean): void {
    if (
      !this.#options.replaceAcrossTypes &&
      existing.isDirectory() !== forDirectory &&
      !this.#marks.isWhiteout(existing)
    ) {
      const path = displayName(joinName(parent.path, name));
      const what = forDirectory ? 'a non-directory with a directory' : 'a directory with a non-directory';
      throw new LayerStoreError(
        'ARCHIVE_OVERWRITE_REFUSED',
        `"${path}": the options forbid to replace ${what}`,
        { path },
      );
    }
    this.#removal.remove(parent, name, existing);
  }

  #openFile(): OpenFile {
    if (this.#file === undefined) {
      throw new LayerStoreError('STORE_INVARIANT', 'data for a file that was not opened; please report it');
    }
    return this.#file;
  }
}

function depth(path: string): number {
  if (path === '') return 0;
  let slashes = 1;
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) slashes++;
  return slashes;
}

function bodyMismatch({ path, written, size }: OpenFile): LayerStoreError {
  return new LayerStoreError(
    'ARCHIVE_BODY_MISMATCH',
    `"${displayName(path)}" got ${written} bytes and its header says ${size}`,
    { path: displayName(path), expected: `${size}`, actual: `${written}` },
  );
}

function invalidLink(path: string, target: string): LayerStoreError {
  return new LayerStoreError(
    'ARCHIVE_INVALID_LINK',
    `hard link "${displayName(path)}" names "${displayName(target)}", which is not a file in the root`,
    { path: displayName(path) },
  );
}

function notDirectory(path: string): LayerStoreError {
  return new LayerStoreError('ARCHIVE_IO', `a parent of "${displayName(path)}" is not a directory`, {
    path: displayName(path),
    errno: 'ENOTDIR',
    syscall: 'open',
  });
}
