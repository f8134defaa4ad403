/** Looks up owner records while a tree is walked. */
import { errnoOf } from '../errors.js';
import { type FileStat, isDirectory, isRegularFile } from '../root/file-stat.js';
import type { OpenDirectory } from '../root/root-directory.js';
import type { XattrSource } from '../root/xattr-source.js';
import { OWNER_RECORD_XATTR, parseOwnerRecord } from './owner-record.js';
import { recordedStat } from './recorded-stat.js';

/** Where an object is found; `fd` is the object itself, where it is open. */
export interface RecordedObject {
  readonly parent: OpenDirectory;
  readonly name: string;
  /** From the root of the walk, latin-1. */
  readonly path: string;
  readonly fd: number | undefined;
}

/** The attributes a walk has to ask its {@link XattrSource} for. */
export function ownerRecordXattrs(recordedOwners: boolean): readonly string[] {
  return recordedOwners ? [OWNER_RECORD_XATTR] : [];
}

/**
 * `stat` with the recorded owner and mode; `stat` itself where there is no record, or one that cannot be read or understood.
 * @param onInvalid told of a record that cannot be understood
 * @throws what the system calls throw, refusals and missing support apart
 */
export function withRecordedOwner(
  stat: FileStat,
  xattrs: XattrSource,
  { parent, name, path, fd }: RecordedObject,
  onInvalid: (path: string) => void = () => {},
): FileStat {
  if (!isRegularFile(stat) && !isDirectory(stat)) return stat;
  const value = readable(() => xattrs.value(parent, name, path, fd, OWNER_RECORD_XATTR));
  if (value === undefined) return stat;
  const record = parseOwnerRecord(value);
  if (record === undefined) {
    onInvalid(path);
    return stat;
  }
  return recordedStat(stat, record, process.geteuid?.() ?? stat.uid);
}

/** A file its owner has made unreadable since: its bits on disk are not the record's, and are what counts. */
function readable<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (errnoOf(error) === 'EACCES') return undefined;
    throw error;
  }
}
