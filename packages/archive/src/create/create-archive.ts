/** A tree as a tar stream. */
import { lstatSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { assertPath } from '../options/validate.js';
import { displayName, joinName, nameOfText } from '../root/byte-name.js';
import { isDirectory, S_IFDIR } from '../root/file-stat.js';
import { ioError } from '../root/io-error.js';
import { RootDirectory } from '../root/root-directory.js';
import { openXattrSource } from '../root/xattr-source.js';
import { type ArchiveItem, archiveStream } from './archive-stream.js';
import { type CreateOptions, type ResolvedCreateOptions, resolveCreateOptions } from './create-options.js';
import { attributesBesides, EntryEmitter } from './entry-emitter.js';
import { openInclude } from './include-root.js';
import type { ParentMatches } from './pattern-matcher.js';
import { walkTree } from './tree-walk.js';

/**
 * Archives what is below `root`: names sorted bytewise, a directory before its content, the root itself left out, so that
 * the same tree gives the same bytes on every driver (spec/layer-archive.md 4.4). No lookup leaves the root, whatever
 * links it holds. A root that is no directory is archived alone under its base name.
 *
 * Files that vanish are skipped, that grow are cut, that shrink are filled with zeros, sockets are left out: each is
 * reported to `onWarning`. Any other failure rejects the iteration, so that no archive is silently incomplete.
 * Nothing is opened before the first chunk is asked for; ending the iteration early closes everything.
 *
 * @throws at once OPTION_INVALID, OPTION_UNKNOWN, ARCHIVE_PATTERN_INVALID; while iterating ARCHIVE_IO,
 *   ARCHIVE_INVALID_NAME, ARCHIVE_ID_UNMAPPED, ARCHIVE_HEADER_UNENCODABLE, or the signal's reason
 */
export function createArchive(root: string, options: CreateOptions = {}): AsyncIterable<Uint8Array> {
  assertPath('createArchive', 'root', root);
  const resolved = resolveCreateOptions(options);
  return resolved.compress(generate(root, resolved));
}

async function* generate(
  path: string,
  options: ResolvedCreateOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  options.signal?.throwIfAborted();
  const place = locate(path, options);
  await using root = RootDirectory.open(place.root, { portable: options.portable });
  const { source, includes } = sourceOf(root, place.source, place.includes);
  const xattrs = await openXattrSource(root, {
    policy: options.xattrPolicy,
    also: attributesBesides(options),
    signal: options.signal,
  });
  const emitter = new EntryEmitter(options, xattrs);
  if (!xattrs.available) emitter.warn('xattrs-unavailable', '');
  yield* archiveStream(items(root, source, includes, options, emitter), emitter, options.signal);
}

interface Place {
  readonly root: string;
  readonly source: string;
  readonly includes: readonly string[];
}

function locate(path: string, options: ResolvedCreateOptions): Place {
  try {
    const trailing = path.endsWith('/') || path.endsWith('/.');
    if (trailing || !lstatSync(path).isFile()) {
      return { root: path, source: options.source, includes: options.includeFiles };
    }
    return { root: dirname(path), source: '', includes: [basename(path)] };
  } catch (error) {
    throw ioError(error, 'archive', nameOfText(path));
  }
}

/** A source that is no directory is archived alone: its parent is the source, its base name the include. */
function sourceOf(
  root: RootDirectory,
  source: string,
  includes: readonly string[],
): { readonly source: string; readonly includes: readonly string[] } {
  if (source === '' || source.endsWith('/') || source.endsWith('/.')) return { source, includes };
  const stat = root.lstat(source);
  if (isDirectory(stat) || includes.length !== 1 || includes[0] !== '.') return { source, includes };
  return { source: dirname(source), includes: [basename(source)] };
}

function* items(
  root: RootDirectory,
  source: string,
  includes: readonly string[],
  options: ResolvedCreateOptions,
  emitter: EntryEmitter,
): Generator<ArchiveItem, void, undefined> {
  // One include meets every path once; only several can overlap.
  const seen = includes.length > 1 ? new Set<string>() : undefined;
  for (const include of includes) {
    const start = openInclude(root, source, include);
    const nameFor = archiveNames(include, options);
    const { path } = start;
    if (start.kind === 'object') {
      try {
        const { parent, name, type, treePath } = start;
        if (
          !isNew(seen, path) ||
          (path !== nameOfText(include) && options.excludes.excludes(displayName(path)))
        )
          continue;
        const entry = {
          parent,
          name,
          path: treePath,
          archiveName: nameFor(path),
          type,
          directory: undefined,
        };
        yield { kind: 'object', source: entry };
      } finally {
        start.parent.close();
      }
      continue;
    }
    const { directory, treePath } = start;
    let walked = false;
    try {
      const top = path === '.';
      if ((!top || options.includeSourceDir) && isNew(seen, path)) {
        const entry = {
          parent: directory,
          name: '.',
          path: treePath,
          archiveName: nameFor(path),
          type: S_IFDIR,
          directory,
        };
        yield { kind: 'object', source: entry };
      }
      const below = top ? '' : path;
      const walk = walkTree(directory, below, parentMatches(path, options), {
        excludes: options.excludes,
        onVanished: (vanished) => emitter.warn('vanished', vanished),
      });
      walked = true;
      for (const entry of walk) {
        if (!isNew(seen, entry.path)) continue;
        const inTree = joinName(treePath, below === '' ? entry.path : entry.path.slice(below.length + 1));
        yield { kind: 'object', source: { ...entry, path: inTree, archiveName: nameFor(entry.path) } };
      }
    } finally {
      if (!walked) directory.close();
    }
  }
}

/** An include named outright is archived whatever the patterns say; what is below it is matched as ever. */
function parentMatches(path: string, options: ResolvedCreateOptions): ParentMatches | undefined {
  if (options.excludes.empty || path === '.') return undefined;
  let matches: ParentMatches | undefined;
  const parts = displayName(path).split('/');
  for (let length = 1; length <= parts.length; length++) {
    matches = options.excludes.match(parts.slice(0, length).join('/'), matches).parentMatches;
  }
  return matches;
}

function isNew(seen: Set<string> | undefined, path: string): boolean {
  if (seen === undefined) return true;
  if (seen.has(path)) return false;
  seen.add(path);
  return true;
}

/** The archive name of a path: rebased at the first occurrence of the include, below `./` with the source directory. */
function archiveNames(include: string, options: ResolvedCreateOptions): (path: string) => string {
  const prefix = options.includeSourceDir && include === '.';
  const rebase = options.rebaseNames.get(include);
  const from = nameOfText(include);
  const to = rebase === undefined || rebase === '/' ? '' : nameOfText(rebase);
  return (path) => {
    const name = prefix && path !== '.' ? `./${path}` : path;
    // A function as replacement: `$&` and the like in a name are just characters.
    return rebase === undefined || rebase === '' ? name : name.replace(from, () => to);
  };
}
