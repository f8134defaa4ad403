/** What goes where when one path is copied to another: the rules of `docker cp`. */
import type { ByteSource } from '../../byte-source.js';
import { createArchive } from '../../create/create-archive.js';
import { LayerStoreError } from '../../errors.js';
import { untar } from '../../extract/untar.js';
import { assertBoolean, assertKnownKeys, assertPath, assertSignal } from '../../options/validate.js';
import { type CopyInfo, copyInfoDestinationPath, copyInfoSourcePath } from './copy-info.js';
import { rebaseArchiveEntries } from './rebase-archive.js';
import {
  assertsDirectory,
  cleanHostPath,
  preserveTrailingDotOrSeparator,
  splitPathDirEntry,
} from './trailing-path.js';

/** Where an archive is to be unpacked, and under which names. */
export interface PreparedCopy {
  readonly directory: string;
  readonly content: ByteSource;
}

/**
 * | destination        | source    | result                                     |
 * |--------------------|-----------|--------------------------------------------|
 * | directory          | any       | unpacked in it                             |
 * | file               | directory | ARCHIVE_COPY_CONFLICT                      |
 * | file               | file      | its entry renamed, the file replaced       |
 * | missing            | directory | the top entry renamed                      |
 * | missing, ends in / | file      | ARCHIVE_COPY_CONFLICT (no such directory)  |
 * | missing            | file      | its entry renamed                          |
 *
 * @param content the source as an archive, its top entry named as the source
 */
export function prepareArchiveCopy(
  content: ByteSource,
  source: CopyInfo,
  destination: CopyInfo,
): PreparedCopy {
  const { directory, base } = splitPathDirEntry(destination.path);
  const sourceBase = splitPathDirEntry(source.path).base;
  const renamed = (): PreparedCopy => ({
    directory,
    content: rebaseArchiveEntries(content, source.rebaseName === '' ? sourceBase : source.rebaseName, base),
  });
  if (destination.exists && destination.isDirectory) return { directory: destination.path, content };
  if (destination.exists && source.isDirectory) {
    throw conflict(`cannot copy a directory over the file "${destination.path}"`, destination.path);
  }
  if (destination.exists || source.isDirectory) return renamed();
  if (assertsDirectory(destination.path))
    throw conflict(`no such directory "${destination.path}"`, destination.path);
  return renamed();
}

export interface CopyResourceOptions {
  /** Copy what the source points to when it is a link. Default false. */
  readonly followLink?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Copies a file or directory of the host as `docker cp` does. `dir/.` means the content of `dir`.
 * @throws OPTION_INVALID, OPTION_UNKNOWN, ARCHIVE_COPY_CONFLICT, ARCHIVE_IO, and what `untar` throws
 */
export async function copyResource(
  source: string,
  destination: string,
  options: CopyResourceOptions = {},
): Promise<void> {
  const where = 'copyResource';
  assertPath(where, 'source', source);
  assertPath(where, 'destination', destination);
  assertKnownKeys(where, options, ['followLink', 'signal']);
  const { followLink = false, signal } = options;
  assertBoolean(where, 'followLink', followLink);
  if (signal !== undefined) assertSignal(where, 'signal', signal);
  const aborting = signal === undefined ? {} : { signal };
  const from = preserveTrailingDotOrSeparator(cleanHostPath(source), source);
  const to = preserveTrailingDotOrSeparator(cleanHostPath(destination), destination);
  const sourceInfo = await copyInfoSourcePath(from, followLink);
  const destinationInfo = await copyInfoDestinationPath(to);
  const { directory, base } = splitPathDirEntry(sourceInfo.path);
  const archive = createArchive(directory, {
    ...aborting,
    includeFiles: [base],
    includeSourceDir: true,
    ...(sourceInfo.rebaseName === '' ? {} : { rebaseNames: new Map([[base, sourceInfo.rebaseName]]) }),
  });
  const prepared = prepareArchiveCopy(archive, sourceInfo, destinationInfo);
  await untar(prepared.content, prepared.directory, { ...aborting, noOverwriteDirNonDir: true });
}

function conflict(message: string, path: string): LayerStoreError {
  return new LayerStoreError('ARCHIVE_COPY_CONFLICT', message, { path });
}
