/**
 * Owner, extended attributes, mode and times of an object, in this order: a change of owner clears setuid bits and file
 * capabilities (spec/layer-archive.md 4.5). What the kernel refuses is an error or a warning, as the options say.
 */
import {
  chmodSync,
  chownSync,
  fchmodSync,
  fchownSync,
  lchownSync,
  lutimesSync,
  type Stats,
  utimesSync,
} from 'node:fs';
import { errnoOf, LayerStoreError } from '../errors.js';
import { displayName } from '../root/byte-name.js';
import type { TarXattr } from '../tar/entry.js';
import type { ExecutorOptions, ExecutorWarning } from './operation.js';
import { utimesArgument } from './utimes-argument.js';
import { AttributeQueue } from './worker-attribute-queue.js';
import type { OperationXattrs } from './worker-batch.js';
import { type ProgramFailure, setXattr } from './worker-programs.js';
import { itself, type OpenDirectory, within } from './worker-tree.js';

/** The decoded `meta` of a batch record; one object used again for every record. Times are seconds for `utimes`. */
export interface NodeMeta {
  mode: number;
  uid: number;
  gid: number;
  mtime: number;
  atime: number;
}

const PERMISSIONS = 0o7777;
const SPECIAL_BITS = 0o7000;

/** Lack of privilege or of support, which `report` turns into warnings. EINVAL: an id outside the user namespace. */
const REFUSALS: ReadonlySet<string> = new Set([
  'EPERM',
  'EACCES',
  'EINVAL',
  'ENOSYS',
  'EOPNOTSUPP',
  'ENOTSUP',
]);

export class Metadata {
  readonly #options: ExecutorOptions;
  readonly #queue: AttributeQueue = new AttributeQueue((failure, path, attribute) =>
    this.refused(this.#options.xattrs, failure, path, attribute),
  );
  warnings: ExecutorWarning[] = [];

  constructor(options: ExecutorOptions) {
    this.#options = options;
  }

  /** Sets the attributes that wait. Called at the end of a batch, before the warnings are taken. */
  flush(): void {
    this.#queue.flush();
  }

  close(): void {
    this.#queue.close();
  }

  /** An open regular file: `stat` from when it was opened, its content complete. */
  applyToFile(fd: number, stat: Stats, meta: NodeMeta, xattrs: OperationXattrs, path: string): void {
    const chowned = this.#own(stat, meta, path, () => fchownSync(fd, meta.uid, meta.gid));
    if (AttributeQueue.takes(xattrs)) {
      this.#queue.add(fd, xattrs, path, meta.mode);
      return;
    }
    this.#attributes(fd, xattrs, path);
    if (needsMode(stat, meta, chowned, xattrs)) fchmodSync(fd, meta.mode);
  }

  /** A directory, device or FIFO behind an O_PATH descriptor; times are the caller's. */
  applyToObject(fd: number, stat: Stats, meta: NodeMeta, xattrs: OperationXattrs, path: string): void {
    const chowned = this.#own(stat, meta, path, () => chownSync(itself(fd), meta.uid, meta.gid));
    // The mode of a directory lets its owner write (workableMode), and what comes next may need it.
    const later = stat.isDirectory() && AttributeQueue.takes(xattrs);
    if (later) this.#queue.add(fd, xattrs, path, undefined);
    else this.#attributes(fd, xattrs, path);
    if (needsMode(stat, meta, chowned, later ? [] : xattrs)) chmodSync(itself(fd), meta.mode);
  }

  /** A symbolic link: it has no mode of its own. `fd` is an O_PATH descriptor of the link. */
  applyToLink(
    directory: OpenDirectory,
    name: string,
    fd: number,
    stat: Stats,
    meta: NodeMeta,
    xattrs: OperationXattrs,
    path: string,
  ): void {
    this.#own(stat, meta, path, () => lchownSync(within(directory, name), meta.uid, meta.gid));
    this.#attributes(fd, xattrs, path);
    lutimesSync(within(directory, name), utimesArgument(meta.atime), utimesArgument(meta.mtime));
  }

  setTimes(fd: number, atime: number, mtime: number): void {
    utimesSync(itself(fd), utimesArgument(atime), utimesArgument(mtime));
  }

  /** One attribute the extraction itself needs (opaque marks): never merely reported. */
  setOwnXattr(fd: number, xattr: TarXattr, path: string): void {
    const failure = setXattr(fd, xattr);
    if (failure !== undefined) throw programError(failure, path);
  }

  /** Throws, or notes a warning when `policy` is `report` and the failure is a refusal. */
  refused(policy: 'fail' | 'report', failure: ProgramFailure, path: string, detail: string): void {
    if (policy === 'fail' || !REFUSALS.has(failure.code)) throw programError(failure, path);
    this.warnings.push({ syscall: failure.syscall, errno: failure.code, path, detail });
  }

  #own(stat: Stats, wanted: NodeMeta, path: string, change: () => void): boolean {
    if (!this.#options.chown || (stat.uid === wanted.uid && stat.gid === wanted.gid)) return false;
    try {
      change();
      return true;
    } catch (error) {
      const errno = errnoOf(error);
      if (this.#options.ownership === 'fail' || errno === undefined || !REFUSALS.has(errno)) throw error;
      this.warnings.push({ syscall: 'chown', errno, path, detail: `${wanted.uid}:${wanted.gid}` });
      return false;
    }
  }

  #attributes(fd: number, xattrs: OperationXattrs, path: string): void {
    for (const xattr of xattrs) {
      const failure = setXattr(fd, xattr);
      if (failure !== undefined) {
        this.refused(this.#options.xattrs, failure, path, Buffer.from(xattr.name).toString('latin1'));
      }
    }
  }
}

/** The mode at creation went through the umask, a change of owner clears the special bits, an ACL changes the group's. */
function needsMode(stat: Stats, meta: NodeMeta, chowned: boolean, xattrs: OperationXattrs): boolean {
  if (xattrs.length > 0) return true;
  return (stat.mode & PERMISSIONS) !== meta.mode || (chowned && (meta.mode & SPECIAL_BITS) !== 0);
}

/** A failed helper program as a coded error; NATIVE_UNAVAILABLE when only the addon could have done it. */
export function programError(failure: ProgramFailure, path: string): LayerStoreError {
  const name = displayName(path);
  if (failure.code === 'ENOSYS') {
    return new LayerStoreError(
      'NATIVE_UNAVAILABLE',
      `"${name}" needs ${failure.syscall} (${failure.detail}); build the native addon or install attr and coreutils`,
      { path: name, syscall: failure.syscall },
    );
  }
  return new LayerStoreError('ARCHIVE_IO', `${failure.syscall} of "${name}" failed: ${failure.detail}`, {
    path: name,
    syscall: failure.syscall,
    errno: failure.code,
  });
}
