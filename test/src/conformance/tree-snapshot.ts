import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { lstat, open, readdir, readlink } from 'node:fs/promises';
import { isLayerStoreError, OWNER_RECORD_XATTR } from '@x/archive';
import { loadNative } from '@x/native';

export type EntryKind = 'directory' | 'file' | 'symlink' | 'fifo' | 'socket' | 'char' | 'block';

/** One object of a tree: everything a layer can say about it. Names and targets are latin-1, so that any bytes compare. */
export interface TreeEntry {
  /** `/` for the root, `/a/b` below it. */
  readonly path: string;
  readonly kind: EntryKind;
  /** Permission and special bits. */
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Nanoseconds since the epoch, in decimal. */
  readonly mtime?: string;
  /** Of regular files, in bytes. */
  readonly size?: number;
  /** SHA-256 of the content of a regular file, in hex. */
  readonly digest?: string;
  /** Of symbolic links. */
  readonly target?: string;
  /** Of device nodes: `major:minor`. */
  readonly device?: string;
  /** Of an object with several names: the first of them. */
  readonly link?: string;
  /** Name → value in hex. Without the bookkeeping of union file systems and of drivers without privilege. */
  readonly xattrs?: Readonly<Record<string, string>>;
}

/** A tree at one time. */
export interface TreeSnapshot {
  readonly root: string;
  /** In the order of a walk: a directory before what it holds, names in byte order. */
  readonly entries: readonly TreeEntry[];
  /** There was more than `limit`. */
  readonly cut: boolean;
}

/** What of a tree is looked at. Everything by default. */
export interface SnapshotOptions {
  /** Modification times: of everything, of everything but directories, or of nothing. */
  readonly times?: 'all' | 'files' | 'none';
  /** What times are cut to: a diff stream carries whole seconds. Default nanoseconds. */
  readonly precision?: 'nanoseconds' | 'seconds';
  readonly owners?: boolean;
  readonly content?: boolean;
  readonly xattrs?: boolean;
  /** The root's own mode, owner and time. */
  readonly rootEntry?: boolean;
  /** Most entries; default none. */
  readonly limit?: number;
}

const BOOKKEEPING =
  /^(trusted\.overlay\.|user\.overlay\.|user\.fuseoverlayfs\.|user\.containers\.|security\.selinux$)/;
const READ_CHUNK = 256 * 1024;

/** Reads a tree. Without the addon no xattrs are seen. */
export async function snapshotTree(root: string, options: SnapshotOptions = {}): Promise<TreeSnapshot> {
  const { limit = Number.POSITIVE_INFINITY, rootEntry = true } = options;
  const entries: TreeEntry[] = [];
  const firstNames = new Map<string, string>();
  let cut = false;
  const visit = async (path: Buffer, label: string): Promise<void> => {
    if (entries.length >= limit) {
      cut = true;
      return;
    }
    const entry = await entryAt(path, label, options, firstNames);
    if (label !== '/' || rootEntry) entries.push(entry);
    if (entry.kind !== 'directory') return;
    const names = await readdir(path, { encoding: 'buffer' });
    names.sort((a, b) => Buffer.compare(a, b));
    const prefix = label === '/' ? '' : label;
    for (const name of names) {
      // ext4 keeps one at the top of every file system, so also of a layer that is one.
      if (label === '/' && name.toString('latin1') === 'lost+found') continue;
      await visit(Buffer.concat([path, Buffer.from('/'), name]), `${prefix}/${name.toString('latin1')}`);
    }
  };
  await visit(Buffer.from(root), '/');
  return { root, entries: withoutSoleNames(entries), cut };
}

/**
 * A file whose other names are not in the tree (deleted here, or of a layer that shares it) is an ordinary file of this tree.
 */
function withoutSoleNames(entries: readonly TreeEntry[]): TreeEntry[] {
  const names = new Map<string, number>();
  for (const { link } of entries) if (link !== undefined) names.set(link, (names.get(link) ?? 0) + 1);
  return entries.map((entry) => {
    const { link, ...own } = entry;
    return link !== undefined && names.get(link) === 1 ? own : entry;
  });
}

/** An entry on one line. */
export function describeEntry(entry: TreeEntry): string {
  const fields = [entry.path, entry.kind, entry.mode.toString(8).padStart(4, '0')];
  if (entry.uid !== undefined) fields.push(`${entry.uid}:${entry.gid ?? ''}`);
  if (entry.mtime !== undefined) fields.push(`mtime ${entry.mtime}`);
  if (entry.size !== undefined) fields.push(`${entry.size} bytes`);
  if (entry.digest !== undefined) fields.push(`sha256 ${entry.digest.slice(0, 16)}`);
  if (entry.target !== undefined) fields.push(`-> ${entry.target}`);
  if (entry.device !== undefined) fields.push(`device ${entry.device}`);
  if (entry.link !== undefined) fields.push(`same as ${entry.link}`);
  for (const [name, value] of Object.entries(entry.xattrs ?? {})) fields.push(`${name}=0x${value}`);
  return fields.join(' ');
}

async function entryAt(
  path: Buffer,
  label: string,
  options: SnapshotOptions,
  firstNames: Map<string, string>,
): Promise<TreeEntry> {
  const { times = 'all', owners = true, content = true, xattrs = true } = options;
  const stat = await lstat(path, { bigint: true });
  const kind = kindOf(stat);
  const timed = times === 'all' || (times === 'files' && kind !== 'directory');
  const link = stat.nlink > 1n && kind !== 'directory' ? firstName(stat, label, firstNames) : undefined;
  const found = xattrs ? await xattrsOf(path) : undefined;
  return {
    path: label,
    kind,
    mode: Number(stat.mode) & 0o7777,
    ...(owners ? { uid: Number(stat.uid), gid: Number(stat.gid) } : {}),
    ...(timed ? { mtime: cutTime(stat.mtimeNs, options.precision).toString() } : {}),
    ...(kind === 'file' ? { size: Number(stat.size) } : {}),
    ...(kind === 'file' && content ? { digest: await digestOf(path) } : {}),
    ...(kind === 'symlink'
      ? { target: (await readlink(path, { encoding: 'buffer' })).toString('latin1') }
      : {}),
    ...(kind === 'char' || kind === 'block' ? { device: deviceNumbers(stat.rdev) } : {}),
    ...(link === undefined ? {} : { link }),
    ...(found === undefined ? {} : { xattrs: found }),
  };
}

function cutTime(nanoseconds: bigint, precision: SnapshotOptions['precision'] = 'nanoseconds'): bigint {
  const unit = precision === 'nanoseconds' ? 1n : 1_000_000_000n;
  return nanoseconds - (((nanoseconds % unit) + unit) % unit);
}

function kindOf(stat: BigIntStats): EntryKind {
  if (stat.isDirectory()) return 'directory';
  if (stat.isFile()) return 'file';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isFIFO()) return 'fifo';
  if (stat.isSocket()) return 'socket';
  return stat.isCharacterDevice() ? 'char' : 'block';
}

function firstName(stat: BigIntStats, label: string, firstNames: Map<string, string>): string {
  const key = `${stat.dev}:${stat.ino}`;
  const first = firstNames.get(key) ?? label;
  firstNames.set(key, first);
  return first;
}

/** glibc's encoding of a dev_t (`gnu_dev_major`, `gnu_dev_minor`). */
function deviceNumbers(rdev: bigint): string {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & ~0xffn);
  return `${major}:${minor}`;
}

async function digestOf(path: Buffer): Promise<string> {
  const hash = createHash('sha256');
  const handle = await open(path, 'r');
  try {
    const chunk = Buffer.alloc(READ_CHUNK);
    for (;;) {
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, null);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(chunk.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
}

async function xattrsOf(path: Buffer): Promise<Readonly<Record<string, string>> | undefined> {
  const native = loadNative();
  if (!native.available) return undefined;
  const names = await native.calls.llistxattr(path).catch((error: unknown) => {
    if (isUnsupported(error)) return [];
    throw error;
  });
  const shown = names.map((name) => name.toString('latin1')).filter((name) => !isBookkeeping(name));
  if (shown.length === 0) return undefined;
  const values: Record<string, string> = {};
  for (const name of shown.sort()) {
    const value = await native.calls.lgetxattr(path, Buffer.from(name, 'latin1'));
    if (value !== undefined) values[name] = value.toString('hex');
  }
  return values;
}

function isBookkeeping(name: string): boolean {
  return name === OWNER_RECORD_XATTR || BOOKKEEPING.test(name);
}

function isUnsupported(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || isLayerStoreError(error) || !('code' in error))
    return false;
  return error.code === 'ENOTSUP' || error.code === 'EOPNOTSUPP';
}
