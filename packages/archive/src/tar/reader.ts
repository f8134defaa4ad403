/**
 * The synchronous tar reader: bytes in, entries out, every byte accounted for. What is an entry, and where it ends, is
 * decided exactly as by the reader that Docker has for tar-split (spec/layer-archive.md 3.6, 3.8), so that both agree on
 * every archive that both accept.
 */
import { LayerStoreError } from '../errors.js';
import { EMPTY_BYTES } from './bytes.js';
import { blockSum } from './checksum.js';
import type { SparseFragment, TarHandler } from './entry.js';
import { applyGlobal, ExtendedHeader } from './extended-header.js';
import { checkSize, type DecodedHeader, HeaderDecoder, hasGnuMagic, invalidHeader } from './header-decode.js';
import * as at from './layout.js';
import { resolveTarLimits, type TarLimits } from './limits.js';
import { parseNumeric } from './numeric.js';
import { parsePaxBody } from './pax-records.js';
import {
  applyPaxSparse,
  invalidSparse,
  paxSparseVersion,
  setSparseMap,
  sparseMapOfRecords,
} from './pax-sparse.js';
import { readOldGnuPairs, SparseMapReader } from './sparse-map.js';

/**
 * What the next byte belongs to.
 * - `header`, `end` (the block after one NUL block), `sparse-extension`, `sparse-map`: a whole block is waited for
 * - `extended` (body of an extended header), `payload`, `padding`: a known number of bytes is left
 * - `trailer`: after the end marker, where nothing is looked at any more
 */
type Phase =
  | 'header'
  | 'end'
  | 'sparse-extension'
  | 'sparse-map'
  | 'extended'
  | 'payload'
  | 'padding'
  | 'trailer';

const NO_VIEW: DataView = new DataView(new ArrayBuffer(0));

/**
 * Push-based: `write` takes chunks of any size, `end` says that there are no more. Both throw {@link LayerStoreError}
 * (codes `ARCHIVE_INVALID_HEADER`, `ARCHIVE_INVALID_PAX`, `ARCHIVE_INVALID_SPARSE`, `ARCHIVE_TRUNCATED`,
 * `ARCHIVE_FIELD_TOO_LONG`, `ARCHIVE_SIZE_UNSUPPORTED`, `ARCHIVE_LIMIT_EXCEEDED`), and once one has thrown, or the
 * handler has, every further call throws the same. Errors carry the byte `offset` in the archive.
 *
 * @example
 * const reader = new TarReader(handler);
 * for await (const chunk of source) reader.write(chunk);
 * reader.end();
 */
export class TarReader {
  readonly #handler: TarHandler;
  readonly #limits: Required<TarLimits>;
  readonly #decoder = new HeaderDecoder();
  readonly #extended = new ExtendedHeader();

  #phase: Phase = 'header';
  /** Bytes left of the body, payload or padding. */
  #remaining = 0;
  /** Padding that follows the body or payload now being read. */
  #padding = 0;
  #entries = 0;
  #ended = false;
  #failed = false;
  #failure: unknown;

  /** The chunk being written; its first byte is at `#base` in the archive and `#reported` bytes were handed on. */
  #chunk: Uint8Array = EMPTY_BYTES;
  #view: DataView = NO_VIEW;
  #base = 0;
  #reported = 0;

  /** A block of which only a part has come. */
  readonly #block: Uint8Array = new Uint8Array(at.BLOCK_SIZE);
  readonly #blockView: DataView = new DataView(this.#block.buffer);
  #blockFill = 0;

  /** The header whose extended body or sparse map is being read, and where its block starts in the archive. */
  #open: DecodedHeader | undefined;
  #openOffset = 0;
  #body: Uint8Array = EMPTY_BYTES;
  #bodyFill = 0;
  #fragments: SparseFragment[] = [];
  #map = new SparseMapReader();
  #mapBytes = 0;

  constructor(handler: TarHandler, limits: TarLimits = {}) {
    this.#handler = handler;
    this.#limits = resolveTarLimits(limits);
  }

  /** The next bytes of the archive. The chunk is not kept. */
  write(chunk: Uint8Array): void {
    this.#assertUsable();
    if (this.#ended) throw new LayerStoreError('STORE_INVARIANT', 'TarReader: write after end');
    try {
      this.#chunk = chunk;
      this.#view = NO_VIEW;
      this.#reported = 0;
      this.#consume(chunk);
      this.#reportRaw(chunk.length);
      this.#base += chunk.length;
      this.#chunk = EMPTY_BYTES;
    } catch (error) {
      this.#failed = true;
      this.#failure = error;
      throw error;
    }
  }

  /** The archive is complete. @throws ARCHIVE_TRUNCATED when it stops inside a block, a body or a payload */
  end(): void {
    this.#assertUsable();
    this.#ended = true;
    const inBlock = this.#blockFill > 0 || this.#phase === 'sparse-extension' || this.#phase === 'sparse-map';
    const inBody = this.#phase === 'payload' || this.#phase === 'extended';
    if (!inBlock && !inBody) return;
    this.#failed = true;
    this.#failure = new LayerStoreError(
      'ARCHIVE_TRUNCATED',
      `tar archive ends at byte ${this.#base}, inside ${inBody ? `a body with ${this.#remaining} bytes to come` : 'a header'}`,
      { offset: this.#base },
    );
    throw this.#failure;
  }

  #assertUsable(): void {
    if (this.#failed) throw this.#failure;
  }

  /** Hands on everything before `end` in the chunk that was not handed on yet. */
  #reportRaw(end: number): void {
    if (end <= this.#reported) return;
    this.#handler.raw(this.#chunk, this.#reported, end);
    this.#reported = end;
  }

  #consume(chunk: Uint8Array): void {
    let position = 0;
    while (position < chunk.length) {
      switch (this.#phase) {
        case 'payload':
          position = this.#takePayload(position);
          break;
        case 'padding':
          position = this.#takePadding(position);
          break;
        case 'extended':
          position = this.#takeExtended(position);
          break;
        case 'trailer':
          return;
        case 'header':
        case 'end':
        case 'sparse-extension':
        case 'sparse-map':
          position = this.#takeBlock(position);
          break;
      }
    }
  }

  // --- runs of bytes

  #takePayload(position: number): number {
    const stop = Math.min(position + this.#remaining, this.#chunk.length);
    this.#handler.payload(this.#chunk, position, stop);
    this.#reported = stop;
    this.#remaining -= stop - position;
    if (this.#remaining === 0) this.#endEntry();
    return stop;
  }

  #endEntry(): void {
    this.#handler.entryEnd();
    this.#enterPadding();
  }

  #enterPadding(): void {
    this.#remaining = this.#padding;
    this.#phase = this.#padding === 0 ? 'header' : 'padding';
  }

  /** A stream that ends in here is complete: Docker's reader says so too. */
  #takePadding(position: number): number {
    const stop = Math.min(position + this.#remaining, this.#chunk.length);
    this.#remaining -= stop - position;
    if (this.#remaining === 0) this.#phase = 'header';
    return stop;
  }

  #takeExtended(position: number): number {
    const stop = Math.min(position + this.#remaining, this.#chunk.length);
    const whole = this.#bodyFill === 0 && stop - position === this.#remaining;
    this.#remaining -= stop - position;
    if (whole) {
      this.#finishExtended(this.#chunk, position, stop);
      return stop;
    }
    if (this.#bodyFill === 0) this.#body = new Uint8Array(stop - position + this.#remaining);
    this.#body.set(this.#chunk.subarray(position, stop), this.#bodyFill);
    this.#bodyFill += stop - position;
    if (this.#remaining === 0) this.#finishExtended(this.#body, 0, this.#bodyFill, stop);
    return stop;
  }

  /** `stop` is where the body ends in the chunk, when `body` is not the chunk. */
  #finishExtended(body: Uint8Array, start: number, end: number, stop: number = end): void {
    const header = this.#open;
    this.#open = undefined;
    this.#body = EMPTY_BYTES;
    this.#bodyFill = 0;
    const typeflag = header?.typeflag;
    if (typeflag === at.TYPE_GNU_LONG_NAME) this.#extended.setLongName(body, start, end);
    else if (typeflag === at.TYPE_GNU_LONG_LINK) this.#extended.setLongLink(body, start, end);
    else {
      const records = parsePaxBody(body, start, end, this.#openOffset + at.BLOCK_SIZE);
      if (header?.kind === 'global') {
        applyGlobal(header, records);
        this.#extended.clear();
        this.#reportRaw(stop);
        this.#announce(header);
        this.#handler.entryEnd();
      } else {
        this.#extended.setPax(records);
      }
    }
    this.#enterPadding();
  }

  // --- blocks

  #takeBlock(position: number): number {
    const available = this.#chunk.length - position;
    if (this.#blockFill === 0 && available >= at.BLOCK_SIZE) {
      if (this.#view === NO_VIEW) {
        this.#view = new DataView(this.#chunk.buffer, this.#chunk.byteOffset, this.#chunk.length);
      }
      this.#finishBlock(this.#chunk, this.#view, position, position + at.BLOCK_SIZE);
      return position + at.BLOCK_SIZE;
    }
    const stop = position + Math.min(at.BLOCK_SIZE - this.#blockFill, available);
    this.#block.set(this.#chunk.subarray(position, stop), this.#blockFill);
    this.#blockFill += stop - position;
    if (this.#blockFill < at.BLOCK_SIZE) return stop;
    this.#blockFill = 0;
    this.#finishBlock(this.#block, this.#blockView, 0, stop);
    return stop;
  }

  /** A whole block, at `start` of `block`; the chunk goes on at `stop`. */
  #finishBlock(block: Uint8Array, view: DataView, start: number, stop: number): void {
    if (this.#phase === 'sparse-extension') {
      this.#readSparseExtension(block, start, stop);
      return;
    }
    if (this.#phase === 'sparse-map') {
      this.#readSparseMap(block, start, stop);
      return;
    }
    const offset = this.#base + stop - at.BLOCK_SIZE;
    const sum = blockSum(view, start);
    // Only NULs add up to nothing.
    if (sum === 0) {
      this.#phase = this.#phase === 'end' ? 'trailer' : 'end';
      return;
    }
    if (this.#phase === 'end')
      invalidHeader(offset, 'comes after a block of NULs, where only the end may be');
    this.#readHeader(block, start, sum, offset, stop);
  }

  #readHeader(block: Uint8Array, start: number, sum: number, offset: number, stop: number): void {
    const header = this.#decoder.decode(block, start, sum, offset);
    switch (header.typeflag) {
      case at.TYPE_PAX_LOCAL:
      case at.TYPE_PAX_GLOBAL:
      case at.TYPE_GNU_LONG_NAME:
      case at.TYPE_GNU_LONG_LINK:
        this.#beginExtended(header, offset, stop);
        return;
      default:
    }
    this.#extended.applyTo(header, offset);
    this.#padding = at.tarPadding(header.payloadSize);
    if (header.kind === 'sparse') this.#beginOldGnuSparse(header, block, start, offset, stop);
    else if (header.pax.size > 0) this.#beginPaxEntry(header, offset, stop);
    else this.#beginPayload(header, stop);
  }

  #beginExtended(header: DecodedHeader, offset: number, stop: number): void {
    this.#assertExtendedSize(header.size, offset);
    this.#open = header;
    this.#openOffset = offset;
    this.#padding = at.tarPadding(header.size);
    this.#remaining = header.size;
    this.#phase = 'extended';
    if (header.size === 0) this.#finishExtended(EMPTY_BYTES, 0, 0, stop);
  }

  #assertExtendedSize(size: number, offset: number): void {
    if (size <= this.#limits.maxExtendedHeader) return;
    throw new LayerStoreError(
      'ARCHIVE_FIELD_TOO_LONG',
      `extended header or sparse map of the tar header at byte ${offset} is over the limit of ${this.#limits.maxExtendedHeader} bytes`,
      { offset },
    );
  }

  #beginPayload(header: DecodedHeader, stop: number): void {
    this.#reportRaw(stop);
    this.#announce(header);
    this.#remaining = header.payloadSize;
    if (this.#remaining === 0) this.#endEntry();
    else this.#phase = 'payload';
  }

  #announce(header: DecodedHeader): void {
    if (this.#entries >= this.#limits.maxEntries) {
      throw new LayerStoreError(
        'ARCHIVE_LIMIT_EXCEEDED',
        `tar archive has more than ${this.#limits.maxEntries} entries; raise maxEntries if it is trusted`,
        { offset: this.#base + this.#reported },
      );
    }
    this.#entries++;
    this.#handler.header(header);
  }

  // --- sparse files

  #beginOldGnuSparse(
    header: DecodedHeader,
    block: Uint8Array,
    start: number,
    offset: number,
    stop: number,
  ): void {
    // star has a sparse type of the same letter and another layout.
    if (!hasGnuMagic(block, start)) invalidHeader(offset, 'is sparse but not in GNU format');
    header.size = checkSize(
      parseNumeric(block, start + at.GNU_REAL_SIZE_OFFSET, at.LONG_NUMBER_LENGTH),
      offset,
    );
    this.#openSparse(header, offset);
    readOldGnuPairs(block, start + at.GNU_SPARSE_OFFSET, at.GNU_SPARSE_PAIRS, this.#fragments);
    if (block[start + at.GNU_EXTENDED_OFFSET] === 0) this.#finishSparse(this.#fragments, stop);
    else this.#phase = 'sparse-extension';
  }

  #openSparse(header: DecodedHeader, offset: number): void {
    this.#open = header;
    this.#openOffset = offset;
    this.#mapBytes = 0;
    this.#fragments = [];
  }

  #readSparseExtension(block: Uint8Array, start: number, stop: number): void {
    this.#countMapBlock();
    readOldGnuPairs(block, start, at.GNU_EXTENSION_PAIRS, this.#fragments);
    if (block[start + at.GNU_EXTENSION_EXTENDED_OFFSET] === 0) this.#finishSparse(this.#fragments, stop);
  }

  #countMapBlock(): void {
    this.#mapBytes += at.BLOCK_SIZE;
    this.#assertExtendedSize(this.#mapBytes, this.#openOffset);
  }

  #beginPaxEntry(header: DecodedHeader, offset: number, stop: number): void {
    const version = header.kind === 'other' ? 'none' : paxSparseVersion(header.pax);
    if (version === 'none') {
      this.#beginPayload(header, stop);
      return;
    }
    if (header.kind !== 'file') throw invalidSparse(offset, 'is sparse but not a file');
    this.#openSparse(header, offset);
    applyPaxSparse(header, offset);
    if (version === 'in-records') {
      this.#finishSparse(sparseMapOfRecords(header.pax, offset), stop);
      return;
    }
    this.#map = new SparseMapReader();
    this.#phase = 'sparse-map';
    this.#assertMapBlock(header);
  }

  /** The map is counted in the stored size; a block more than that would be the next header. */
  #assertMapBlock(header: DecodedHeader): void {
    if (header.payloadSize < at.BLOCK_SIZE) {
      throw invalidSparse(this.#openOffset, 'has a sparse map that is longer than its data');
    }
  }

  #readSparseMap(block: Uint8Array, start: number, stop: number): void {
    const header = this.#open;
    if (header === undefined) return;
    this.#countMapBlock();
    header.payloadSize -= at.BLOCK_SIZE;
    const progress = this.#map.feed(block, start, start + at.BLOCK_SIZE);
    if (progress === 'invalid') throw invalidSparse(this.#openOffset, 'has a malformed sparse map');
    if (progress === 'more') this.#assertMapBlock(header);
    else this.#finishSparse(this.#map.map(), stop);
  }

  #finishSparse(map: readonly SparseFragment[], stop: number): void {
    const header = this.#open;
    if (header === undefined) return;
    this.#open = undefined;
    this.#fragments = [];
    setSparseMap(header, map, this.#limits.maxLogicalSize, this.#openOffset);
    this.#beginPayload(header, stop);
  }
}
