/** From the metadata of a header to what is applied: ids, times, attributes (spec/layer-archive.md 4.5, 4.12). */
import { LayerStoreError } from '../errors.js';
import type { OperationMeta } from '../execute/batch-encoder.js';
import type { ExecutorWarning } from '../execute/operation.js';
import { encodeOwnerRecord, isPrivateXattr, OWNER_RECORD_XATTR } from '../owner-record/owner-record.js';
import { workableMode } from '../owner-record/workable-mode.js';
import { nameBytes, nameOf } from '../root/byte-name.js';
import type { TarHeader, TarTime, TarXattr } from '../tar/entry.js';
import { shownName } from './entry-name.js';
import type { UnpackPolicy } from './unpack-policy.js';

export const EPOCH: TarTime = { seconds: 0, nanoseconds: 0 };
/** The last second of a signed 64-bit count of nanoseconds (April 2262), which is what times are kept in. */
const LAST_SECOND = 9_223_372_036;
const PERMISSIONS = 0o7777;
/** 2^32-1 means "leave as it is" to chown(2). */
const LAST_ID = 0xffff_fffe;

const NO_XATTRS: readonly TarXattr[] = [];
const OWNER_RECORD_NAME = nameBytes(OWNER_RECORD_XATTR);
const SELINUX = 'security.selinux';
const OVERLAY_PREFIXES = ['trusted.overlay.', 'user.overlay.'];

/** One object that is filled anew for every entry: the batch copies it at once. */
export class EntryMetadata implements OperationMeta {
  mode = 0;
  uid = 0;
  gid = 0;
  mtime: TarTime = EPOCH;
  atime: TarTime = EPOCH;
  /** Set by `loadRecorded`. */
  xattrs: readonly TarXattr[] = NO_XATTRS;
  readonly #policy: UnpackPolicy;
  readonly #onWarning: (warning: ExecutorWarning) => void;
  #lastUid = Number.NaN;
  #lastGid = Number.NaN;

  constructor(policy: UnpackPolicy, onWarning: (warning: ExecutorWarning) => void) {
    this.#policy = policy;
    this.#onWarning = onWarning;
  }

  /** @throws ARCHIVE_ID_UNMAPPED */
  load(header: TarHeader): this {
    this.mode = header.mode & PERMISSIONS;
    this.#own(header);
    this.mtime = representable(header.mtime);
    const atime = header.atime === undefined ? EPOCH : representable(header.atime);
    this.atime = isLater(atime, this.mtime) ? atime : this.mtime;
    return this;
  }

  /**
   * As {@link load}, for an object that can have an owner record; the result also has its attributes, the record among
   * them, until the next call.
   * @throws ARCHIVE_ID_UNMAPPED
   */
  loadRecorded(header: TarHeader, kind: 'file' | 'directory'): this {
    this.load(header);
    this.xattrs = this.wantedXattrs(header);
    const { ownerRecords } = this.#policy;
    if (ownerRecords === undefined) return this;
    this.xattrs = [...this.xattrs, { name: OWNER_RECORD_NAME, value: encodeOwnerRecord(this) }];
    if (ownerRecords.workableModes) this.mode = workableMode(kind, this.mode);
    return this;
  }

  /** For a directory that the planner itself wants. */
  loadImplied(mode: number): this {
    this.mode = mode;
    this.uid = this.#policy.implied.uid;
    this.gid = this.#policy.implied.gid;
    this.#lastUid = Number.NaN;
    this.mtime = EPOCH;
    this.atime = EPOCH;
    return this;
  }

  /**
   * The attributes to set. SELinux labels belong to the host. overlay's own attributes are never taken from a layer: they
   * would redirect lookups to other directories of the store. Nor are a store's own: they would pass for its bookkeeping.
   */
  wantedXattrs(header: TarHeader): readonly TarXattr[] {
    if (header.xattrs.length === 0) return NO_XATTRS;
    return header.xattrs.filter((xattr) => this.#wanted(header, nameOf(xattr.name)));
  }

  #wanted(header: TarHeader, name: string): boolean {
    if (name === SELINUX) return false;
    if (!isPrivateXattr(name) && !this.#isOverlays(name)) return true;
    this.#onWarning({ syscall: 'setxattr', errno: 'EPERM', path: nameOf(header.name), detail: name });
    return false;
  }

  #isOverlays(name: string): boolean {
    const { semantics, whiteouts } = this.#policy;
    if (semantics === 'tree' && whiteouts === 'literal') return false;
    return OVERLAY_PREFIXES.some((prefix) => name.startsWith(prefix));
  }

  #own(header: TarHeader): void {
    const { chown, owner, idMap } = this.#policy;
    if (!chown || owner !== undefined) {
      this.uid = owner?.uid ?? 0;
      this.gid = owner?.gid ?? 0;
      return;
    }
    // Most entries have the owner of the one before.
    if (header.uid === this.#lastUid && header.gid === this.#lastGid) return;
    const pair = idMap === undefined ? header : idMap.toHost(header.uid, header.gid);
    this.uid = usableId('user', pair.uid, header);
    this.gid = usableId('group', pair.gid, header);
    this.#lastUid = header.uid;
    this.#lastGid = header.gid;
  }
}

function usableId(kind: string, id: number, header: TarHeader): number {
  if (Number.isInteger(id) && id >= 0 && id <= LAST_ID) return id;
  const path = shownName(header.name);
  throw new LayerStoreError(
    'ARCHIVE_ID_UNMAPPED',
    `"${path}" has the ${kind} id ${id}, which no Linux system has`,
    {
      path,
      actual: `${id}`,
    },
  );
}

function representable(time: TarTime): TarTime {
  return time.seconds < 0 || time.seconds >= LAST_SECOND ? EPOCH : time;
}

function isLater(a: TarTime, b: TarTime): boolean {
  return a.seconds === b.seconds ? a.nanoseconds > b.nanoseconds : a.seconds > b.seconds;
}
