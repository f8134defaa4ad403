/** From what the file system says about an object to its tar header; pure. */

import { LayerStoreError } from '../errors.js';
import { nameBytes } from '../root/byte-name.js';
import {
  type FileStat,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from '../root/file-stat.js';
import type { EncodableKind, TarHeaderInit, TarTime, TarXattr } from '../tar/index.js';
import type { ResolvedEntryOptions } from './create-options.js';

const PERMISSION_BITS = 0o7777;
const WHITEOUT_PREFIX = '.wh.';
const OVERLAY_WHITEOUT_MODE = 0o600;
const NO_BYTES: Uint8Array = new Uint8Array(0);
const EPOCH: TarTime = { seconds: 0, nanoseconds: 0 };
const NS_PER_SECOND = 1_000_000_000n;

const KINDS: Readonly<Record<number, EncodableKind>> = {
  [S_IFREG]: 'file',
  [S_IFDIR]: 'directory',
  [S_IFLNK]: 'symlink',
  [S_IFCHR]: 'char',
  [S_IFBLK]: 'block',
  [S_IFIFO]: 'fifo',
};

/** What an object is besides its stat data. */
export interface EntryDetails {
  /** Latin-1 name in the archive, without a trailing slash. */
  readonly name: string;
  /** Latin-1 text of a symbolic link, or archive name of the first link of a group. */
  readonly linkName: string | undefined;
  /** The object is a further link of a file that is in the archive already. */
  readonly hardLink: boolean;
  readonly xattrs: readonly TarXattr[];
}

/** `name/` for a directory, `name` otherwise. */
export function canonicalTarName(name: string, directory: boolean): string {
  return directory && !name.endsWith('/') ? `${name}/` : name;
}

/**
 * Docker's header for an object: low 12 mode bits, whole seconds, no user or group names (looking them up in a hostile
 * root would load its NSS libraries, CVE-2019-14271), device numbers for devices only, size for the entry that
 * carries the payload only.
 * @throws ARCHIVE_TYPE_UNSUPPORTED for an object tar has no form for
 */
export function entryHeader(
  stat: FileStat,
  details: EntryDetails,
  options: ResolvedEntryOptions,
): TarHeaderInit {
  const type = stat.mode & S_IFMT;
  const kind = details.hardLink ? 'hardlink' : KINDS[type];
  if (kind === undefined) {
    throw new LayerStoreError(
      'ARCHIVE_TYPE_UNSUPPORTED',
      `"${details.name}" has file type ${type.toString(8)}`,
      {
        path: details.name,
      },
    );
  }
  const device = kind === 'char' || kind === 'block';
  return {
    kind,
    name: nameBytes(canonicalTarName(details.name, kind === 'directory')),
    linkName: details.linkName === undefined ? NO_BYTES : nameBytes(details.linkName),
    mode: options.preserveModeBits ? stat.mode : stat.mode & PERMISSION_BITS,
    ...owner(stat, isWhiteoutName(details.name), options),
    size: kind === 'file' ? stat.size : 0,
    mtime: modificationTime(stat, options),
    deviceMajor: device ? stat.rdevMajor : 0,
    deviceMinor: device ? stat.rdevMinor : 0,
    xattrs: details.xattrs,
  };
}

/** The entry `.wh.NAME` an overlay whiteout (device 0/0) becomes: mode 0600, owner as on disk and not mapped. */
export function overlayWhiteoutHeader(
  stat: FileStat,
  name: string,
  options: ResolvedEntryOptions,
): TarHeaderInit {
  return emptyFile(
    whiteoutName(name),
    OVERLAY_WHITEOUT_MODE,
    owner(stat, true, options),
    modificationTime(stat, options),
  );
}

/** The entry `.wh..wh..opq` that follows an opaque directory: its permission bits and owner, time zero. */
export function opaqueHeader(
  directory: FileStat,
  name: string,
  options: ResolvedEntryOptions,
): TarHeaderInit {
  return emptyFile(`${name}/.wh..wh..opq`, directory.mode & 0o777, owner(directory, false, options), EPOCH);
}

/** The entry for a path that was deleted: mode 0, owner 0/0. */
export function deletionHeader(name: string, mtime: TarTime): TarHeaderInit {
  return emptyFile(whiteoutName(name), 0, { uid: 0, gid: 0 }, mtime);
}

/** `a/b` → `a/.wh.b`. */
function whiteoutName(name: string): string {
  const slash = name.lastIndexOf('/') + 1;
  return `${name.slice(0, slash)}${WHITEOUT_PREFIX}${name.slice(slash)}`;
}

function isWhiteoutName(name: string): boolean {
  return name.startsWith(WHITEOUT_PREFIX, name.lastIndexOf('/') + 1);
}

function emptyFile(
  name: string,
  mode: number,
  ids: { readonly uid: number; readonly gid: number },
  mtime: TarTime,
): TarHeaderInit {
  return {
    kind: 'file',
    name: nameBytes(name),
    linkName: NO_BYTES,
    mode,
    uid: ids.uid,
    gid: ids.gid,
    size: 0,
    mtime,
    deviceMajor: 0,
    deviceMinor: 0,
    xattrs: [],
  };
}

/** Whiteouts are bookkeeping and keep their ids; a forced owner comes last. */
function owner(
  stat: FileStat,
  unmapped: boolean,
  options: ResolvedEntryOptions,
): { readonly uid: number; readonly gid: number } {
  if (options.chownOpts !== undefined) return { uid: options.chownOpts.uid, gid: options.chownOpts.gid };
  if (unmapped || options.idMap === undefined) return { uid: stat.uid, gid: stat.gid };
  const { uid, gid } = options.idMap.toContainer(stat.uid, stat.gid);
  return { uid, gid };
}

/** Cut, not rounded: also before 1970 a time lies in the second that began before it. */
function modificationTime(stat: FileStat, options: ResolvedEntryOptions): TarTime {
  const nanoseconds = Number(
    BigInt.asIntN(64, ((stat.mtimeNs % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND),
  );
  const seconds = Number((stat.mtimeNs - BigInt(nanoseconds)) / NS_PER_SECOND);
  return { seconds, nanoseconds: options.subSecondTimes ? nanoseconds : 0 };
}
