/**
 * Where a walk gets extended attributes from: the addon, file by file; without it one run of getfattr(1) over the
 * whole tree beforehand, because a process per file would cost a thousand times the read.
 */
import { spawn } from 'node:child_process';
import { errnoOf, LayerStoreError } from '../errors.js';
import { PROGRAM_DIRECTORIES } from '../find-program.js';
import type { TarXattr } from '../tar/entry.js';
import { compareNames, nameOf } from './byte-name.js';
import { GetfattrParser } from './getfattr-output.js';
import { programEnd } from './program-end.js';
import type { OpenDirectory, RootDirectory } from './root-directory.js';
import type { XattrPolicy } from './xattr-policy.js';

/** Attributes are sorted by name, so that what is made of them does not depend on the file system's order. */
export interface XattrSource {
  /** False when neither the addon nor getfattr is there: attributes are then missing from every result. */
  readonly available: boolean;
  /** Of `name` in an open directory; `path` is the same from the root (latin-1); `fd` is the object, where it is open. */
  read(directory: OpenDirectory, name: string, path: string, fd: number | undefined): readonly TarXattr[];
  /** One attribute, whatever the policy says; must be among those asked for when opening. Arguments as for `read`. */
  value(
    directory: OpenDirectory,
    name: string,
    path: string,
    fd: number | undefined,
    attribute: string,
  ): Uint8Array | undefined;
}

export interface XattrSourceOptions {
  readonly policy: XattrPolicy;
  /** Attributes that `value` will be asked for. */
  readonly also?: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

const NONE: readonly TarXattr[] = [];
const GETFATTR_TIMEOUT_MS = 30 * 60 * 1000;

/**
 * Picks the source for one walk over `root`.
 * @throws ARCHIVE_IO when getfattr is there but fails
 */
export async function openXattrSource(
  root: RootDirectory,
  options: XattrSourceOptions,
): Promise<XattrSource> {
  if (root.top.calls.xattrs) return nativeSource(options.policy);
  const { policy, also = [] } = options;
  const keep: XattrPolicy = (name) => policy(name) || also.includes(name);
  const attributes = await readTreeAttributes(root.path, keep, options.signal);
  const of = (path: string): readonly TarXattr[] => attributes?.get(path) ?? NONE;
  return {
    available: attributes !== undefined,
    read: (_directory, _name, path) => of(path).filter(({ name }) => policy(nameOf(name))),
    value: (_directory, _name, path, _fd, attribute) =>
      of(path).find((xattr) => nameOf(xattr.name) === attribute)?.value,
  };
}

function nativeSource(policy: XattrPolicy): XattrSource {
  return {
    available: true,
    read: ({ calls, fd: at }, name, _path, fd) => {
      const names = tolerate(() =>
        fd === undefined ? calls.xattrNames(at, name) : calls.xattrNamesOpen(fd),
      );
      if (names === undefined || names.length === 0) return NONE;
      const found: TarXattr[] = [];
      for (const attribute of names) {
        if (!policy(attribute.toString('latin1'))) continue;
        const value = fd === undefined ? calls.xattr(at, name, attribute) : calls.xattrOpen(fd, attribute);
        if (value !== undefined) found.push({ name: attribute, value });
      }
      return sorted(found);
    },
    value: ({ calls, fd: at }, name, _path, fd, attribute) => {
      const key = Buffer.from(attribute, 'latin1');
      return tolerate(() => (fd === undefined ? calls.xattr(at, name, key) : calls.xattrOpen(fd, key)));
    },
  };
}

/** A file system without attributes has none. */
function tolerate<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOTSUP' || errno === 'EOPNOTSUPP') return undefined;
    throw error;
  }
}

function sorted(xattrs: TarXattr[]): TarXattr[] {
  return xattrs.length < 2 ? xattrs : xattrs.sort((a, b) => compareNames(nameOf(a.name), nameOf(b.name)));
}

/** Path from the root → attributes; undefined when the program is not installed. */
export async function readTreeAttributes(
  root: string,
  policy: XattrPolicy,
  signal: AbortSignal | undefined,
): Promise<Map<string, TarXattr[]> | undefined> {
  const parser = new GetfattrParser(policy);
  const child = spawn('getfattr', ['-R', '-P', '-h', '-d', '-m', '-', '-e', 'hex', '.'], {
    cwd: root,
    env: { PATH: PROGRAM_DIRECTORIES.join(':'), LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: GETFATTR_TIMEOUT_MS,
    ...(signal === undefined ? {} : { signal }),
  });
  let complaint = '';
  child.stdout.setEncoding('latin1').on('data', (text: string) => parser.write(text));
  child.stderr.setEncoding('latin1').on('data', (text: string) => {
    if (complaint.length < 4096) complaint += text;
  });
  const outcome = await programEnd(child);
  signal?.throwIfAborted();
  if (errnoOf(outcome.error) === 'ENOENT') return undefined;
  // A live tree loses files between listing and reading; getfattr says so on stderr and exits 1.
  const vanishedOnly = complaint
    .split('\n')
    .every((line) => line === '' || line.endsWith('No such file or directory'));
  if (outcome.code !== 0 && !vanishedOnly) {
    throw new LayerStoreError('ARCHIVE_IO', `getfattr failed on "${root}": ${complaint.trim()}`, {
      cause: outcome.error,
      path: root,
      syscall: 'getxattr',
    });
  }
  parser.end();
  const attributes = new Map<string, TarXattr[]>();
  for (const [path, xattrs] of parser.attributes) attributes.set(path.replace(/^\.\/?/, ''), sorted(xattrs));
  return attributes;
}
