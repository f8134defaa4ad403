/** Turns objects of a tree into archive bytes; shared by whole-tree archives and exported changes. */
import { closeSync } from 'node:fs';
import { errnoOf } from '../errors.js';
import { ownerRecordXattrs, withRecordedOwner } from '../owner-record/owner-record-reader.js';
import { displayName, nameOf } from '../root/byte-name.js';
import {
  type FileStat,
  inodeKey,
  isDirectory,
  isOverlayWhiteout,
  isRegularFile,
  isSymbolicLink,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from '../root/file-stat.js';
import { ioError, isMissing } from '../root/io-error.js';
import { closeOpen, type OpenDirectory } from '../root/root-directory.js';
import { portableXattr } from '../root/xattr-policy.js';
import type { XattrSource } from '../root/xattr-source.js';
import {
  END_OF_ARCHIVE,
  encodeTarHeader,
  type TarHeaderInit,
  type TarXattr,
  tarPadding,
} from '../tar/index.js';
import { type ArchiveWarningKind, archiveWarning } from './archive-warning.js';
import { ChunkAssembler } from './chunk-assembler.js';
import type { ResolvedEntryOptions } from './create-options.js';
import { canonicalTarName, entryHeader, opaqueHeader, overlayWhiteoutHeader } from './entry-header.js';
import { INLINE_LIMIT, type PayloadOutcome, readLargeFile, readSmallFile } from './file-payload.js';

const OPAQUE_VALUE = 'y';
/** Times are cut where that is wanted, before they get here. */
const EXACT_TIMES = { subSecondTimes: true } as const;

/** What an emitter asks its {@link XattrSource} for besides what goes into the archive. */
export function attributesBesides(options: ResolvedEntryOptions): readonly string[] {
  const opaque = options.overlayWhiteouts ? [options.opaqueAttribute] : [];
  return [...opaque, ...ownerRecordXattrs(options.recordedOwners)];
}

/** What to archive, and under which name. */
export interface EntrySource {
  readonly parent: OpenDirectory;
  /** Name in `parent`. */
  readonly name: string;
  /** Path from the root of the walk, for attributes, messages and warnings. */
  readonly path: string;
  /** Name in the archive, latin-1, without trailing slash. */
  readonly archiveName: string;
  /** S_IF* of a listing; 0 when unknown. */
  readonly type: number;
  /** The object, when it is a directory that is open already. */
  readonly directory: OpenDirectory | undefined;
}

/** A file whose header is written and whose payload is still to come, by {@link EntryEmitter.payload}. */
export interface PendingPayload {
  readonly fd: number;
  readonly size: number;
  readonly source: EntrySource;
  readonly linkKey: string | undefined;
}

/** One archive in the making. `emit`, then, while it returns a payload, drain that; take chunks from `output`. */
export class EntryEmitter {
  readonly output: ChunkAssembler = new ChunkAssembler();
  readonly #options: ResolvedEntryOptions;
  readonly #xattrs: XattrSource;
  /** First archive name of every file with further links. Keyed by device and inode. */
  readonly #links: Map<string, string> = new Map();

  constructor(options: ResolvedEntryOptions, xattrs: XattrSource) {
    this.#options = options;
    this.#xattrs = xattrs;
  }

  /**
   * Writes the entry; small payloads with it, a large one is handed back. An object that is gone is skipped.
   * @throws ARCHIVE_IO for every other failure: an archive is complete or it is not an archive
   */
  emit(source: EntrySource): PendingPayload | undefined {
    if (source.directory !== undefined) {
      this.#directory(source, source.directory);
      return undefined;
    }
    if (source.type === S_IFSOCK) {
      this.warn('socket-skipped', source.path);
      return undefined;
    }
    try {
      if (source.type === S_IFREG) {
        const opened = this.#openRegular(source);
        if (opened !== undefined) return this.#regular(source, opened.fd, opened.stat);
      }
      return this.#other(source);
    } catch (error) {
      if (!isMissing(error)) throw ioError(error, 'archive', source.path);
      this.warn('vanished', source.path);
      return undefined;
    }
  }

  /** The payload of a large file, in chunks that go after everything in `output`. */
  async *payload(pending: PendingPayload): AsyncGenerator<Uint8Array, void, undefined> {
    const { fd, size, source } = pending;
    let outcome: PayloadOutcome = 'exact';
    try {
      yield* readLargeFile(this.output, fd, size, source.path, (result) => {
        outcome = result;
      });
    } finally {
      await closeOpen(fd);
    }
    this.#finishFile(source, size, outcome, pending.linkKey);
  }

  /** An entry without a file behind it. */
  header(header: TarHeaderInit): void {
    this.output.append(encodeTarHeader(header, EXACT_TIMES));
  }

  /** Two zero blocks; nothing may follow. */
  end(): void {
    this.output.append(END_OF_ARCHIVE);
  }

  warn(kind: ArchiveWarningKind, path: string): void {
    this.#options.onWarning(archiveWarning(kind, displayName(path)));
  }

  #directory(source: EntrySource, directory: OpenDirectory): void {
    try {
      const stat = this.#owned(directory.stat(), source, directory.fd);
      const xattrs = this.#attributes(source, directory.fd);
      this.header(entryHeader(stat, details(source.archiveName, xattrs), this.#options));
      if (!this.#options.overlayWhiteouts) return;
      const { opaqueAttribute } = this.#options;
      const opaque = this.#xattrs.value(directory, '.', source.path, directory.fd, opaqueAttribute);
      if (opaque !== undefined && Buffer.from(opaque).toString('latin1') === OPAQUE_VALUE) {
        this.header(opaqueHeader(stat, source.archiveName, this.#options));
      }
    } catch (error) {
      throw ioError(error, 'archive', source.path);
    }
  }

  /** Undefined when the object has become something that is not opened, a link for instance. */
  #openRegular(source: EntrySource): { readonly fd: number; readonly stat: FileStat } | undefined {
    let fd: number;
    try {
      fd = source.parent.openFile(source.name);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'ELOOP' || errno === 'ENXIO') return undefined;
      throw error;
    }
    try {
      const stat = source.parent.calls.statOpen(fd);
      if (isRegularFile(stat)) return { fd, stat };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    closeSync(fd);
    return undefined;
  }

  /** Takes over the descriptor. */
  #regular(source: EntrySource, fd: number, onDisk: FileStat): PendingPayload | undefined {
    let handedOn = false;
    try {
      const stat = this.#owned(onDisk, source, fd);
      const linkKey = stat.nlink > 1 ? inodeKey(stat) : undefined;
      if (linkKey !== undefined && this.#links.has(linkKey)) {
        this.#hardLink(source, stat, linkKey, fd);
        return undefined;
      }
      const xattrs = this.#attributes(source, fd);
      this.header(entryHeader(stat, details(source.archiveName, xattrs), this.#options));
      if (stat.size > INLINE_LIMIT) {
        handedOn = true;
        return { fd, size: stat.size, source, linkKey };
      }
      const outcome = stat.size === 0 ? 'exact' : readSmallFile(this.output, fd, stat.size, source.path);
      this.#finishFile(source, stat.size, outcome, linkKey);
      return undefined;
    } finally {
      if (!handedOn) closeSync(fd);
    }
  }

  /** Links, devices, FIFOs, and whatever the listing did not tell. */
  #other(source: EntrySource): PendingPayload | undefined {
    const { parent, name, archiveName } = source;
    const stat = parent.lstat(name);
    if (isRegularFile(stat)) {
      const opened = this.#openRegular(source);
      if (opened !== undefined) return this.#regular(source, opened.fd, opened.stat);
      this.warn('vanished', source.path);
      return undefined;
    }
    if (isDirectory(stat)) {
      using directory = parent.openDirectory(name);
      this.#directory(source, directory);
      return undefined;
    }
    if ((stat.mode & S_IFMT) === S_IFSOCK) {
      this.warn('socket-skipped', source.path);
      return undefined;
    }
    if (this.#options.overlayWhiteouts && isOverlayWhiteout(stat)) {
      this.header(overlayWhiteoutHeader(stat, archiveName, this.#options));
      return undefined;
    }
    const linkKey = stat.nlink > 1 ? inodeKey(stat) : undefined;
    if (linkKey !== undefined && this.#links.has(linkKey)) {
      this.#hardLink(source, stat, linkKey, undefined);
      return undefined;
    }
    const linkName = isSymbolicLink(stat) ? parent.readlink(name) : undefined;
    const xattrs = this.#attributes(source, undefined);
    this.header(entryHeader(stat, { ...details(archiveName, xattrs), linkName }, this.#options));
    if (linkKey !== undefined) this.#links.set(linkKey, archiveName);
    return undefined;
  }

  #hardLink(source: EntrySource, stat: FileStat, linkKey: string, fd: number | undefined): void {
    const xattrs = this.#attributes(source, fd);
    const linkName = this.#links.get(linkKey);
    this.header(
      entryHeader(stat, { ...details(source.archiveName, xattrs), linkName, hardLink: true }, this.#options),
    );
  }

  /** With the owner and mode that count. */
  #owned(stat: FileStat, { parent, name, path }: EntrySource, fd: number): FileStat {
    if (!this.#options.recordedOwners) return stat;
    return withRecordedOwner(stat, this.#xattrs, { parent, name, path, fd }, (invalid) =>
      this.warn('owner-record-invalid', invalid),
    );
  }

  /** A name becomes a link target only now: before, its entry was not complete. */
  #finishFile(source: EntrySource, size: number, outcome: PayloadOutcome, linkKey: string | undefined): void {
    this.output.zeros(tarPadding(size));
    if (outcome === 'grew') this.warn('file-grew', source.path);
    if (outcome === 'shrank') this.warn('file-shrank', source.path);
    if (linkKey !== undefined) this.#links.set(linkKey, canonicalTarName(source.archiveName, false));
  }

  #attributes(source: EntrySource, fd: number | undefined): readonly TarXattr[] {
    const xattrs = this.#xattrs.read(source.parent, source.name, source.path, fd);
    if (xattrs.length === 0) return xattrs;
    const stored: TarXattr[] = [];
    for (const { name, value } of xattrs) {
      const key = nameOf(name);
      // A pax record ends its key at the first `=`: such a name cannot be said in a tar, and must not stop a commit.
      if (key.includes('=')) this.warn('xattr-skipped', source.path);
      else stored.push({ name, value: portableXattr(key, value) });
    }
    return stored;
  }
}

function details(
  name: string,
  xattrs: readonly TarXattr[],
): { name: string; xattrs: readonly TarXattr[]; linkName: undefined; hardLink: false } {
  return { name, xattrs, linkName: undefined, hardLink: false };
}
