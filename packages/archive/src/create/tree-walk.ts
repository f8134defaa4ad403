/** The order in which a tree is archived: names sorted bytewise, a directory before what is in it. */
import { errnoOf } from '../errors.js';
import { displayName, joinName } from '../root/byte-name.js';
import { S_IFDIR } from '../root/file-stat.js';
import { ioError, isMissing } from '../root/io-error.js';
import type { OpenDirectory } from '../root/root-directory.js';
import type { DirectoryEntry } from '../root/tree-calls.js';
import type { ParentMatches, PatternMatcher } from './pattern-matcher.js';

/** An object met on the walk. */
export interface WalkEntry {
  /** The open directory that holds it. */
  readonly parent: OpenDirectory;
  readonly name: string;
  /** Path from the source, latin-1. */
  readonly path: string;
  /** S_IF* of the listing; 0 when it is not known. */
  readonly type: number;
  /** The object itself, when it is a directory; closed by the walk. */
  readonly directory: OpenDirectory | undefined;
}

interface Frame {
  readonly directory: OpenDirectory;
  readonly path: string;
  readonly entries: readonly DirectoryEntry[];
  readonly matches: ParentMatches | undefined;
  next: number;
}

export interface WalkOptions {
  readonly excludes: PatternMatcher;
  /** Told of directories that vanished before they could be opened. */
  readonly onVanished: (path: string) => void;
}

/**
 * Everything below `directory`, not the directory itself, which the walk takes over and closes. One descriptor per
 * level of the tree is open at a time. An excluded directory is entered only when an exception may concern what it
 * holds, and is not yielded.
 * @throws ARCHIVE_IO when a directory cannot be opened or listed
 */
export function* walkTree(
  directory: OpenDirectory,
  path: string,
  matches: ParentMatches | undefined,
  options: WalkOptions,
): Generator<WalkEntry, void, undefined> {
  const stack: Frame[] = [];
  const { excludes } = options;
  const enter = (opened: OpenDirectory, at: string, parentMatches: ParentMatches | undefined): void => {
    const frame = {
      directory: opened,
      path: at,
      entries: listing(opened, at),
      matches: parentMatches,
      next: 0,
    };
    stack.push(frame);
  };
  try {
    try {
      enter(directory, path, matches);
    } catch (error) {
      directory.close();
      throw error;
    }
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const entry = frame.entries[frame.next++];
      if (entry === undefined) {
        stack.pop()?.directory.close();
        continue;
      }
      const child = joinName(frame.path, entry.name);
      const match = excludes.empty ? undefined : excludes.match(displayName(child), frame.matches);
      const excluded = match?.excluded === true;
      if (excluded && !excludes.mayHoldExceptions(displayName(child))) continue;
      const type = entry.type === 0 ? typeOf(frame.directory, entry.name) : entry.type;
      if (type !== S_IFDIR) {
        if (!excluded)
          yield { parent: frame.directory, name: entry.name, path: child, type, directory: undefined };
        continue;
      }
      const opened = openChild(frame.directory, entry.name, child, options);
      if (opened === 'vanished') continue;
      if (opened === 'replaced') {
        if (!excluded)
          yield { parent: frame.directory, name: entry.name, path: child, type: 0, directory: undefined };
        continue;
      }
      let entered = false;
      try {
        if (!excluded)
          yield { parent: frame.directory, name: entry.name, path: child, type, directory: opened };
        enter(opened, child, match?.parentMatches);
        entered = true;
      } finally {
        // Also when the consumer stops at the yield above, which runs no catch block.
        if (!entered) opened.close();
      }
    }
  } finally {
    for (const frame of stack) frame.directory.close();
  }
}

function listing(directory: OpenDirectory, path: string): readonly DirectoryEntry[] {
  try {
    return directory.list();
  } catch (error) {
    // A directory removed while it is open lists as missing on some file systems: it holds nothing.
    if (isMissing(error)) return [];
    throw ioError(error, 'list the directory', path);
  }
}

function typeOf(directory: OpenDirectory, name: string): number {
  try {
    return directory.lstat(name).mode & 0o170000;
  } catch {
    // Whoever uses the entry meets the same failure and knows how to report it.
    return 0;
  }
}

/** `replaced`: it was a directory when listed and is something else now. */
function openChild(
  parent: OpenDirectory,
  name: string,
  path: string,
  options: WalkOptions,
): OpenDirectory | 'vanished' | 'replaced' {
  try {
    return parent.openDirectory(name);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT') {
      options.onVanished(path);
      return 'vanished';
    }
    if (errno === 'ENOTDIR' || errno === 'ELOOP') return 'replaced';
    throw ioError(error, 'open the directory', path);
  }
}
