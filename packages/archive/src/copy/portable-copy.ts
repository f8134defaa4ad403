/** Tree copy with Node alone (spec/drivers.md 5.2); extended attributes go through getfattr and setfattr. */
import {
  chmodSync,
  closeSync,
  constants,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
} from 'node:fs';
import { errnoOf } from '../errors.js';
import { utimesArgument } from '../execute/utimes-argument.js';
import { makeNode } from '../execute/worker-programs.js';
import { callName, displayName, joinName } from '../root/byte-name.js';
import {
  type FileStat,
  inodeKey,
  isDirectory,
  isRegularFile,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
} from '../root/file-stat.js';
import { ioError } from '../root/io-error.js';
import type { OpenDirectory, RootDirectory } from '../root/root-directory.js';
import type { CopyTreeResult, CopyWarning, ResolvedCopyOptions } from './copy-options.js';
import { copyContent } from './sparse-copy.js';

const PERMISSION_BITS = 0o7777;
const MICROSECONDS_PER_SECOND = 1e6;

/** Errors by which an unprivileged process is told that an owner or a device is not for it. */
const REFUSED: ReadonlySet<string> = new Set(['EPERM', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** One copy from an open tree into another; the top directory of the target exists. */
export class PortableCopy {
  readonly #source: RootDirectory;
  readonly #target: RootDirectory;
  readonly #options: ResolvedCopyOptions;
  /** Inode of the source → path of its first copy. */
  readonly #copies: Map<string, string> = new Map();
  readonly #counts: { -readonly [Name in keyof CopyTreeResult]: CopyTreeResult[Name] } = {
    files: 0,
    directories: 0,
    links: 0,
    others: 0,
    bytes: 0,
  };

  constructor(source: RootDirectory, target: RootDirectory, options: ResolvedCopyOptions) {
    this.#source = source;
    this.#target = target;
    this.#options = options;
  }

  /** Yields between objects. @throws ARCHIVE_IO */
  *run(): Generator<void, CopyTreeResult, undefined> {
    using source = this.#source.directory('');
    using target = this.#target.directory('');
    yield* this.#content(source, target, '');
    this.#metadata(source.stat(), `/proc/self/fd/${target.fd}/.`, '');
    return { ...this.#counts };
  }

  *#content(source: OpenDirectory, target: OpenDirectory, path: string): Generator<void, void, undefined> {
    this.#counts.directories++;
    for (const { name } of source.list()) {
      yield;
      const child = joinName(path, name);
      try {
        yield* this.#object(source, target, name, child);
      } catch (error) {
        throw ioError(error, 'copy', child);
      }
    }
  }

  *#object(
    source: OpenDirectory,
    target: OpenDirectory,
    name: string,
    path: string,
  ): Generator<void, void, undefined> {
    const stat = source.lstat(name);
    const to = callName(`/proc/self/fd/${target.fd}/${name}`);
    if (isDirectory(stat)) {
      makeDirectory(to);
      using below = source.openDirectory(name);
      using copy = target.openDirectory(name);
      yield* this.#content(below, copy, path);
      // Only now: making what is in it has changed its time, and its mode may forbid writing.
      this.#metadata(stat, to, path);
      return;
    }
    if (
      isRegularFile(stat) &&
      this.#options.mode === 'hardlink' &&
      !this.#copies.has(inodeKey(stat)) &&
      this.#share(source, name, to)
    ) {
      return;
    }
    const key = stat.nlink > 1 ? inodeKey(stat) : undefined;
    const earlier = key === undefined ? undefined : this.#copies.get(key);
    if (earlier !== undefined) {
      linkSync(callName(`/proc/self/fd/${this.#target.top.fd}/${earlier}`), to);
      this.#counts.links++;
      return;
    }
    if (isRegularFile(stat)) {
      const fd = source.openFile(name);
      try {
        yield* copyContent(fd, stat, to);
      } finally {
        closeSync(fd);
      }
      this.#counts.files++;
      this.#counts.bytes += stat.size;
    } else {
      if (!this.#special(source, target, name, stat, path)) return;
      this.#counts.others++;
    }
    if (key !== undefined) this.#copies.set(key, path);
    this.#metadata(stat, to, path);
  }

  /** False when the file has as many links as its file system allows: it is copied then, once for all its other names. */
  #share(source: OpenDirectory, name: string, to: string | Buffer): boolean {
    try {
      linkSync(callName(`/proc/self/fd/${source.fd}/${name}`), to);
    } catch (error) {
      if (errnoOf(error) !== 'EMLINK') throw error;
      return false;
    }
    this.#counts.links++;
    return true;
  }

  /** False when it could not be made and that was reported. */
  #special(
    source: OpenDirectory,
    target: OpenDirectory,
    name: string,
    stat: FileStat,
    path: string,
  ): boolean {
    const type = stat.mode & S_IFMT;
    if (type === S_IFLNK) {
      symlinkSync(callName(source.readlink(name)), callName(`/proc/self/fd/${target.fd}/${name}`));
      return true;
    }
    const kind = type === S_IFCHR ? 'c' : type === S_IFBLK ? 'b' : type === S_IFIFO ? 'p' : undefined;
    const failure =
      kind === undefined
        ? { code: 'ENOSYS', syscall: 'mknod', detail: 'sockets can be made with the addon only' }
        : makeNode(target, name, kind, stat.rdevMajor, stat.rdevMinor);
    if (failure === undefined) return true;
    this.#shortfall('device', path, failure, failure.detail);
    return false;
  }

  /** chown first, it clears setuid bits; then mode, then times. */
  #metadata(stat: FileStat, to: string | Buffer, path: string): void {
    try {
      lchownSync(to, stat.uid, stat.gid);
    } catch (error) {
      this.#shortfall(
        'ownership',
        path,
        error,
        `owner ${stat.uid}:${stat.gid}: ${errnoOf(error) ?? 'failed'}`,
      );
    }
    if ((stat.mode & S_IFMT) !== S_IFLNK) chmodSync(to, stat.mode & PERMISSION_BITS);
    lutimesSync(to, utimesArgument(seconds(stat.atimeNs)), utimesArgument(seconds(stat.mtimeNs)));
  }

  /** @throws the error itself when shortfalls are to fail, or when it is no matter of privilege */
  #shortfall(kind: CopyWarning['kind'], path: string, error: unknown, message: string): void {
    const errno = errnoOf(error);
    if (this.#options.shortfalls === 'fail' || errno === undefined || !REFUSED.has(errno)) throw error;
    this.#options.onWarning({ kind, path: displayName(path), message });
  }
}

/** Microseconds are what a double holds today, and what Node passes on; the half keeps the cut from losing one. */
function seconds(time: bigint): number {
  const microseconds = Number(time / 1000n);
  return microseconds % MICROSECONDS_PER_SECOND === 0
    ? microseconds / MICROSECONDS_PER_SECOND
    : (microseconds + 0.5) / MICROSECONDS_PER_SECOND;
}

function makeDirectory(path: string | Buffer): void {
  try {
    mkdirSync(path, 0o700);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    // Not a link to one: opening it below does not follow.
    closeSync(openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW));
  }
}
