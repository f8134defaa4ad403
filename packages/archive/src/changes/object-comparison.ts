/** Whether an object changed between two trees: metadata, then link text, attributes and, where needed, bytes. */
import { withRecordedOwner } from '../owner-record/owner-record-reader.js';
import { type FileStat, isRegularFile, isSymbolicLink } from '../root/file-stat.js';
import type { OpenDirectory } from '../root/root-directory.js';
import { sameXattrs } from '../root/xattr-policy.js';
import type { XattrSource } from '../root/xattr-source.js';
import type { ResolvedCompareOptions } from './compare-options.js';
import { type ComparisonBuffers, comparisonBuffers, sameContent } from './content-comparison.js';
import { contentEvidence, metadataDiffers } from './entry-comparison.js';

/** One tree's view of an object. */
export interface ObjectView {
  readonly parent: OpenDirectory;
  readonly stat: FileStat;
  /** The object itself, when it is a directory. */
  readonly directory: OpenDirectory | undefined;
  readonly xattrs: XattrSource;
}

/** Compares objects of one pair of trees; keeps the buffers. */
export class ObjectComparison {
  readonly #options: ResolvedCompareOptions;
  #buffers: ComparisonBuffers | undefined;

  constructor(options: ResolvedCompareOptions) {
    this.#options = options;
  }

  /** With the owner and mode that count. */
  statOf({ parent, stat, directory, xattrs }: ObjectView, name: string, path: string): FileStat {
    if (!this.#options.recordedOwners) return stat;
    return withRecordedOwner(stat, xattrs, { parent, name, path, fd: directory?.fd });
  }

  /** @throws what the system calls throw */
  *differs(
    older: ObjectView,
    newer: ObjectView,
    name: string,
    path: string,
  ): Generator<void, boolean, undefined> {
    if (metadataDiffers(this.statOf(older, name, path), this.statOf(newer, name, path))) return true;
    const { contentCheck, snapshotTime } = this.#options;
    const evidence = contentEvidence(older.stat, newer.stat, snapshotTime);
    // ctime moves with attributes and owner too: one proof for all that is left to compare.
    if (snapshotTime !== undefined && evidence === 'untouched' && contentCheck === 'racy') return false;
    if (isSymbolicLink(newer.stat) && older.parent.readlink(name) !== newer.parent.readlink(name))
      return true;
    if (!sameXattrs(attributes(older, name, path), attributes(newer, name, path))) return true;
    if (!isRegularFile(newer.stat) || newer.stat.size === 0 || contentCheck === 'never') return false;
    if (contentCheck === 'racy' && evidence === 'untouched') return false;
    this.#buffers ??= comparisonBuffers();
    return !(yield* sameContent(older.parent, newer.parent, name, this.#buffers));
  }
}

function attributes(view: ObjectView, name: string, path: string): ReturnType<XattrSource['read']> {
  return view.xattrs.read(view.parent, name, path, view.directory?.fd);
}
