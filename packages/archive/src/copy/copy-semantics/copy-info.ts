/** What a copy's two ends are, links looked through where `docker cp` does. */
import type { Stats } from 'node:fs';
import { lstat, readlink, realpath } from 'node:fs/promises';
import { posix } from 'node:path';
import { errnoOf, LayerStoreError } from '../../errors.js';
import { nameOfText } from '../../root/byte-name.js';
import { ioError } from '../../root/io-error.js';
import { hasTrailingSeparator, preserveTrailingDotOrSeparator, splitPathDirEntry } from './trailing-path.js';

export interface CopyInfo {
  readonly path: string;
  readonly exists: boolean;
  readonly isDirectory: boolean;
  /** What the source was called before a link was followed, when that is another name; else empty. */
  readonly rebaseName: string;
}

/** A chain longer than this is taken for a cycle. */
const MAX_DESTINATION_LINKS = 10;

/**
 * The source of a copy. Without `followLink` only the directory that holds it is resolved.
 * @throws ARCHIVE_IO when it does not exist, ENOTDIR when a file is named with a trailing slash
 */
export async function copyInfoSourcePath(path: string, followLink: boolean): Promise<CopyInfo> {
  try {
    const { resolved, rebaseName } = followLink ? await followed(path) : await unfollowed(path);
    const stat = await lstat(resolved);
    return { path: resolved, exists: true, isDirectory: stat.isDirectory(), rebaseName };
  } catch (error) {
    throw ioError(error, 'copy', nameOfText(path));
  }
}

async function followed(path: string): Promise<{ resolved: string; rebaseName: string }> {
  const resolved = preserveTrailingDotOrSeparator(await realpath(path), path);
  return { resolved, rebaseName: renamed(path, resolved) };
}

async function unfollowed(path: string): Promise<{ resolved: string; rebaseName: string }> {
  const { directory, base } = splitPathDirEntry(path);
  const parent = await realpath(directory);
  const resolved = preserveTrailingDotOrSeparator(posix.join(parent, base), path);
  return { resolved, rebaseName: hasTrailingSeparator(path) ? renamed(path, resolved) : '' };
}

function renamed(path: string, resolved: string): string {
  const base = posix.basename(path);
  return base === posix.basename(resolved) ? '' : base;
}

/**
 * The destination of a copy: links are followed, at most ten, to where the copy will end up; that need not exist, but
 * the directory that is to hold it must.
 * @throws ARCHIVE_COPY_CONFLICT for a chain of links or a parent that is no directory, ARCHIVE_IO for a missing parent
 */
export async function copyInfoDestinationPath(path: string): Promise<CopyInfo> {
  let current = path;
  for (let links = 0; ; links++) {
    const stat = await lstatOrMissing(current);
    if (stat === undefined) return await missingDestination(path, current);
    if (!stat.isSymbolicLink()) {
      return { path: current, exists: true, isDirectory: stat.isDirectory(), rebaseName: '' };
    }
    if (links >= MAX_DESTINATION_LINKS) {
      throw new LayerStoreError('ARCHIVE_COPY_CONFLICT', `too many symbolic links in "${path}"`, {
        path,
        errno: 'ELOOP',
      });
    }
    const target = await readlink(current);
    current = posix.isAbsolute(target) ? target : posix.join(splitPathDirEntry(current).directory, target);
  }
}

async function missingDestination(path: string, resolved: string): Promise<CopyInfo> {
  const { directory } = splitPathDirEntry(resolved);
  const parent = await lstatOrMissing(directory);
  if (parent === undefined) {
    throw new LayerStoreError(
      'ARCHIVE_IO',
      `cannot copy to "${path}": there is no directory "${directory}"`,
      {
        path,
        errno: 'ENOENT',
        syscall: 'lstat',
      },
    );
  }
  if (!parent.isDirectory() && !(parent.isSymbolicLink() && (await leadsToDirectory(directory)))) {
    throw new LayerStoreError(
      'ARCHIVE_COPY_CONFLICT',
      `cannot copy to "${path}": "${directory}" is not a directory`,
      {
        path,
        errno: 'ENOTDIR',
      },
    );
  }
  return { path: resolved, exists: false, isDirectory: false, rebaseName: '' };
}

async function leadsToDirectory(path: string): Promise<boolean> {
  return (await lstatOrMissing(`${path}/`))?.isDirectory() === true;
}

/** A file named with a trailing slash is an error, not something missing. */
async function lstatOrMissing(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    if (errnoOf(error) === 'ENOTDIR') {
      throw new LayerStoreError('ARCHIVE_COPY_CONFLICT', `"${path}" is not a directory`, {
        cause: error,
        path,
        errno: 'ENOTDIR',
      });
    }
    throw ioError(error, 'copy to', nameOfText(path));
  }
}
