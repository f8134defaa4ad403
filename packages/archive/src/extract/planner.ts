/**
 * Turns what the tar reader sees into operations for an executor and into what a recorder must know. Pure: nothing here
 * touches a file. Synchronous and almost free of allocation, because it runs once per entry on the hot path.
 */
import { LayerStoreError } from '../errors.js';
import type { OperationBatch } from '../execute/batch-encoder.js';
import {
  type ExecutorWarning,
  FLAG_ROOT,
  FLAG_SPARSE,
  FLAG_TOLERATE,
  NO_INDEX,
} from '../execute/operation.js';
import { S_IFBLK, S_IFCHR, S_IFIFO } from '../root/file-stat.js';
import type { TarHandler, TarHeader } from '../tar/entry.js';
import { EntryMetadata } from './entry-metadata.js';
import {
  cleanName,
  depthOf,
  directoryOf,
  duplicateKey,
  hasComponent,
  isAbsolute,
  isIndirect,
  shownName,
} from './entry-name.js';
import type { LayerRecorder } from './layer-recorder.js';
import { NameSet } from './name-set.js';
import { PayloadWriter } from './payload-writer.js';
import { PlinkSources } from './plink-sources.js';
import type { UnpackPolicy } from './unpack-policy.js';
import { isAufsMetadata, isMarkName, isPlink, roleOf, whiteoutTarget } from './whiteout-name.js';

/** GNU tar's dump directory: a directory whose payload is a list of names. */
const GNU_DUMP_DIRECTORY = 0x44;
const MAX_LINK_TEXT_BYTES = 4095;
const MAX_DEVICE_NUMBER = 0xffff_ffff;
/** Told apart from relative names when duplicates are looked for: `/a` is not `a` to tar-split. */
const ABSOLUTE = 1;

/** Totals so far. */
export interface PlanTotals {
  readonly entries: number;
  /** Sum of the sizes in all headers: what Docker reports as the size of a layer. */
  readonly size: number;
  /** Payload bytes written to regular files. */
  readonly payloadBytes: number;
}

export class ExtractionPlanner implements TarHandler {
  readonly #policy: UnpackPolicy;
  readonly #recorder: LayerRecorder | undefined;
  readonly #meta: EntryMetadata;
  readonly #plinks: PlinkSources;
  readonly #writer = new PayloadWriter();
  readonly #names = new NameSet();
  #batch: OperationBatch;
  #chunk: Uint8Array = new Uint8Array(0);
  /** The payload in progress is written to a file. */
  #writing = false;
  /** The payload in progress is part of the segments, not of a recorded file. */
  #inlined = true;
  #fileCount = 0;
  #entries = 0;
  #size = 0;
  #logicalBytes = 0;
  #payloadBytes = 0;

  constructor(
    policy: UnpackPolicy,
    batch: OperationBatch,
    recorder: LayerRecorder | undefined,
    onWarning: (warning: ExecutorWarning) => void,
  ) {
    this.#policy = policy;
    this.#batch = batch;
    this.#recorder = recorder;
    this.#meta = new EntryMetadata(policy, onWarning);
    this.#plinks = new PlinkSources(policy.scratchName);
  }

  get totals(): PlanTotals {
    return { entries: this.#entries, size: this.#size, payloadBytes: this.#payloadBytes };
  }

  /** True when a private directory was put into the root; `finish` plans its removal. */
  get usedScratch(): boolean {
    return this.#plinks.used;
  }

  /** From now on operations go to `batch` and payload is found in `chunk`. */
  begin(batch: OperationBatch, chunk: Uint8Array): void {
    this.#batch = batch;
    this.#chunk = chunk;
  }

  /** After the last entry. */
  finish(): void {
    this.#plinks.finish(this.#batch);
  }

  raw(bytes: Uint8Array, start: number, end: number): void {
    this.#recorder?.segment(bytes, start, end);
  }

  header(header: TarHeader): void {
    this.#writing = false;
    this.#inlined = true;
    this.#count(header);
    // Nothing in the root may depend on a global header, not even a parent directory.
    if (header.kind === 'global') {
      this.#recordNameOnly(header, duplicateKey(header.name));
      return;
    }
    const path = cleanName(header.name);
    if (depthOf(path) > this.#policy.limits.depth)
      throw this.#overLimit(`a name of ${depthOf(path)} components`, header);
    if (path.length === 0) this.#root(header);
    else if (this.#isLayer && isAufsMetadata(path)) this.#aufsMetadata(header, path);
    else if (!this.#isExcluded(path)) this.#named(header, path);
  }

  payload(bytes: Uint8Array, start: number, end: number): void {
    if (this.#inlined) this.#recorder?.segment(bytes, start, end);
    if (!this.#writing) return;
    // The reader passes on its input; a view of the same memory may still begin elsewhere.
    const shift = bytes === this.#chunk ? 0 : bytes.byteOffset - this.#chunk.byteOffset;
    this.#writer.write(this.#batch, start + shift, end - start);
  }

  entryEnd(): void {
    if (this.#writing) this.#batch.fileEnd();
    this.#writing = false;
    this.#inlined = true;
  }

  get #isLayer(): boolean {
    return this.#policy.semantics === 'layer';
  }

  #count(header: TarHeader): void {
    const { limits } = this.#policy;
    this.#entries++;
    this.#size += header.size;
    if (header.kind === 'file' || header.kind === 'sparse') this.#logicalBytes += header.size;
    if (this.#entries > limits.entries) throw this.#overLimit(`more than ${limits.entries} entries`, header);
    if (this.#logicalBytes > limits.bytes)
      throw this.#overLimit(`more than ${limits.bytes} bytes of files`, header);
  }

  /** The root is only ever described, never replaced. Unpack leaves its metadata alone (spec/layer-archive.md 4.5). */
  #root(header: TarHeader): void {
    if (!isDirectory(header)) {
      const path = shownName(header.name);
      throw new LayerStoreError(
        'ARCHIVE_INVALID_NAME',
        `entry "${path}" names the extraction root and is not a directory; do not trust this archive`,
        { path },
      );
    }
    if (this.#isLayer) {
      const meta = this.#meta.loadRecorded(header, 'directory');
      this.#batch.directory(new Uint8Array(0), meta, meta.xattrs, FLAG_ROOT);
    }
    this.#recordNameOnly(header, header.name.subarray(0, 0));
  }

  #aufsMetadata(header: TarHeader, path: Uint8Array): void {
    if (header.kind === 'file' && isPlink(path)) {
      const place = this.#plinks.add(this.#batch, path, this.#meta);
      this.#openFile(header, place, NO_INDEX);
    }
    this.#recordNameOnly(header, path);
  }

  #named(header: TarHeader, path: Uint8Array): void {
    const role = this.#policy.whiteouts === 'literal' ? 'ordinary' : roleOf(path);
    this.#refuseMarks(header, role === 'ordinary' ? path : directoryOf(path));
    if (role === 'ordinary') {
      this.#object(header, path);
      return;
    }
    const { uid, gid } = this.#meta.load(header);
    if (role === 'opaque') this.#batch.opaque(directoryOf(path), uid, gid);
    else this.#batch.whiteout(whiteoutTarget(path), uid, gid);
    this.#recordNameOnly(header, path);
  }

  #object(header: TarHeader, path: Uint8Array): void {
    const { kind } = header;
    if (kind === 'file' || kind === 'sparse') {
      this.#openFile(header, path, kind === 'file' ? this.#recordFile(header, path) : NO_INDEX);
      if (kind === 'sparse') this.#recordNameOnly(header, path);
      return;
    }
    if (isDirectory(header)) {
      const meta = this.#meta.loadRecorded(header, 'directory');
      this.#batch.directory(path, meta, meta.xattrs);
      this.#recordNameOnly(header, path);
      return;
    }
    this.#meta.load(header);
    if (kind === 'hardlink') this.#hardlink(header, path);
    else if (kind === 'symlink') this.#symlink(header, path);
    else if (kind === 'fifo') this.#node(header, path, S_IFIFO);
    else if (kind === 'char') this.#node(header, path, S_IFCHR);
    else if (kind === 'block') this.#node(header, path, S_IFBLK);
    else throw unsupportedType(header);
    this.#recordNameOnly(header, path);
  }

  #openFile(header: TarHeader, path: Uint8Array, fileIndex: number): void {
    const meta = this.#meta.loadRecorded(header, 'file');
    const flags = header.kind === 'sparse' ? FLAG_SPARSE : 0;
    this.#batch.file(path, meta, meta.xattrs, header.size, fileIndex, flags);
    this.#writer.begin(header.sparse);
    this.#writing = true;
    this.#payloadBytes += header.payloadSize;
  }

  #hardlink(header: TarHeader, path: Uint8Array): void {
    const target = cleanName(header.linkName);
    if (this.#isLayer && isAufsMetadata(target)) {
      const source = this.#plinks.find(target);
      if (source === undefined)
        throw invalidLink(header, 'invalid aufs hardlink: its source is not in this layer');
      this.#batch.hardlink(path, source);
      return;
    }
    if (target.length === 0) throw invalidLink(header, 'a hard link to the extraction root');
    this.#refuseMarks(header, target);
    this.#batch.hardlink(path, target);
  }

  /** The text is stored as it is: what a link means is decided when it is followed, inside some root. */
  #symlink(header: TarHeader, path: Uint8Array): void {
    const text = header.linkName;
    if (text.length === 0) throw invalidLink(header, 'a symbolic link to nothing');
    if (text.length > MAX_LINK_TEXT_BYTES)
      throw invalidLink(header, `a symbolic link text of ${text.length} bytes, over 4095`);
    this.#batch.symlink(path, text, this.#meta, this.#meta.wantedXattrs(header));
  }

  #node(header: TarHeader, path: Uint8Array, type: number): void {
    const { userNamespace } = this.#policy;
    let major = 0;
    let minor = 0;
    if (type !== S_IFIFO) {
      major = deviceNumber(header, header.deviceMajor);
      minor = deviceNumber(header, header.deviceMinor);
      if (userNamespace) return;
    }
    const flags = userNamespace ? FLAG_TOLERATE : 0;
    this.#batch.node(path, this.#meta, this.#meta.wantedXattrs(header), type, major, minor, flags);
  }

  /** In an aufs branch a file of such a name would delete something, now or after the next mount. */
  #refuseMarks(header: TarHeader, path: Uint8Array): void {
    if (this.#policy.whiteouts !== 'aufs' || !hasComponent(path, isMarkName)) return;
    const shown = shownName(header.name);
    throw new LayerStoreError(
      'ARCHIVE_INVALID_WHITEOUT',
      `"${shown}" would put a file that aufs takes for a mark into the branch; do not trust this archive`,
      { path: shown },
    );
  }

  /** @returns the number of the payload, NO_INDEX when there is none to read back or it is kept in the segments */
  #recordFile(header: TarHeader, path: Uint8Array): number {
    const { size } = header;
    if (this.#recorder === undefined) return NO_INDEX;
    // A name that is clean as it stands is its own path.
    if (size === 0 || (path !== header.name && isIndirect(header.name))) {
      this.#recordNameOnly(header, path);
      return NO_INDEX;
    }
    // No second record of one name (tar-split's readers refuse it): the bytes alone give the archive back.
    if (!this.#isNewName(header, path)) return NO_INDEX;
    const fileIndex = this.#fileCount++;
    this.#inlined = false;
    this.#recorder.entry(header.name, size, fileIndex);
    return fileIndex;
  }

  #recordNameOnly(header: TarHeader, path: Uint8Array): void {
    if (this.#recorder === undefined || !this.#isNewName(header, path)) return;
    this.#recorder.entry(header.name, 0, NO_INDEX);
  }

  #isNewName(header: TarHeader, path: Uint8Array): boolean {
    return this.#names.add(path, isAbsolute(header.name) ? ABSOLUTE : 0);
  }

  #isExcluded(path: Uint8Array): boolean {
    return this.#policy.excluded.some((prefix) => {
      if (prefix.length > path.length) return false;
      for (let index = 0; index < prefix.length; index++) if (prefix[index] !== path[index]) return false;
      return true;
    });
  }

  #overLimit(what: string, header: TarHeader): LayerStoreError {
    const path = shownName(header.name);
    return new LayerStoreError(
      'ARCHIVE_LIMIT_EXCEEDED',
      `the archive has ${what} (at "${path}"); raise the limit to trust it`,
      {
        path,
      },
    );
  }
}

function isDirectory({ kind, typeflag }: TarHeader): boolean {
  return kind === 'directory' || (kind === 'other' && typeflag === GNU_DUMP_DIRECTORY);
}

function unsupportedType({ name, typeflag }: TarHeader): LayerStoreError {
  const path = shownName(name);
  return new LayerStoreError(
    'ARCHIVE_TYPE_UNSUPPORTED',
    `unhandled tar header type ${typeflag} of "${path}"`,
    { path },
  );
}

function invalidLink({ name }: TarHeader, what: string): LayerStoreError {
  const path = shownName(name);
  return new LayerStoreError('ARCHIVE_INVALID_LINK', `"${path}" is ${what}; rebuild the archive`, { path });
}

function deviceNumber({ name }: TarHeader, number: number): number {
  if (Number.isInteger(number) && number >= 0 && number <= MAX_DEVICE_NUMBER) return number;
  const path = shownName(name);
  throw new LayerStoreError(
    'ARCHIVE_DEVICE_RANGE',
    `device "${path}" has the number ${number}, outside 0 to 2^32-1`,
    {
      path,
      actual: `${number}`,
    },
  );
}
