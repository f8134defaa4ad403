import { LayerStoreError } from '../errors.js';

/** A part of a zstd frame: bytes of the chunk last pushed (or of the frame's magic), in stream order. */
export interface FramePart {
  readonly bytes: Uint8Array;
  readonly first: boolean;
  readonly last: boolean;
  /** With the last part, if the frame has one: the low 32 bits of the XXH64 of its content (RFC 8878 3.1.1). */
  readonly checksum?: number;
}

/** What zstd(1) accepts without `--long`: a frame may not make the decoder hold more than this. */
export const MAX_WINDOW_BYTES: number = 128 * 1024 * 1024;

const FRAME_MAGIC = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd);
const BLOCK_HEADER_BYTES = 3;
const CHECKSUM_BYTES = 4;
/** RFC 8878 3.1.1.2.4, and what the reference decoder enforces. */
const MAX_BLOCK_BYTES = 128 * 1024;

type Field = 'magic' | 'skip-length' | 'descriptor' | 'header' | 'block-header' | 'checksum';

/**
 * Finds where zstd frames begin and end (RFC 8878 section 3.1), without decoding them. The decoders need it: Node's stops at
 * the end of the first frame and drops what follows in the same write, fzstd allocates whatever window a frame asks
 * for. Skippable frames are taken out. Synchronous; memory is a few bytes.
 */
export class ZstdFrames {
  readonly #field = new Uint8Array(14);
  #have = 0;
  #need = 4;
  #state: Field | 'skip' | 'block' = 'magic';
  /** Bytes left of a skippable frame or a block. */
  #left = 0;
  #lastBlock = false;
  #hasChecksum = false;
  #singleSegment = false;
  #contentSizeBytes = 0;
  #dictionaryBytes = 0;

  /** Parts of the frames in `chunk`; @throws COMPRESSION_FAILED for what is not zstd, ARCHIVE_LIMIT_EXCEEDED for a window over 128 MiB */
  *push(chunk: Uint8Array): Generator<FramePart, void, undefined> {
    let at = 0;
    let from = 0;
    while (at < chunk.byteLength) {
      if (this.#state === 'skip' || this.#state === 'block') {
        const step = Math.min(this.#left, chunk.byteLength - at);
        at += step;
        this.#left -= step;
        if (this.#left > 0) break;
        if (this.#state === 'skip') {
          from = at;
          this.#expect('magic', 4);
        } else if (!this.#lastBlock) {
          this.#expect('block-header', BLOCK_HEADER_BYTES);
        } else if (this.#hasChecksum) {
          this.#expect('checksum', CHECKSUM_BYTES);
        } else {
          yield { bytes: chunk.subarray(from, at), first: false, last: true };
          from = at;
          this.#expect('magic', 4);
        }
        continue;
      }
      const step = Math.min(this.#need - this.#have, chunk.byteLength - at);
      this.#field.set(chunk.subarray(at, at + step), this.#have);
      this.#have += step;
      at += step;
      if (this.#have < this.#need) break;
      switch (this.#state) {
        case 'magic':
          from = at;
          if (this.#field.subarray(0, 4).every((byte, index) => byte === FRAME_MAGIC[index])) {
            yield { bytes: FRAME_MAGIC, first: true, last: false };
            this.#expect('descriptor', 1);
          } else this.#expectSkippable();
          break;
        case 'skip-length':
          from = at;
          this.#run('skip', this.#number(0, 4));
          if (this.#left === 0) this.#expect('magic', 4);
          break;
        case 'descriptor':
          this.#readDescriptor();
          break;
        case 'header':
          this.#checkWindow();
          this.#expect('block-header', BLOCK_HEADER_BYTES);
          break;
        case 'block-header':
          // An empty last block without checksum ends the frame right here; the run of no bytes cannot say so.
          if (this.#readBlockHeader()) break;
          if (this.#lastBlock && !this.#hasChecksum) {
            yield { bytes: chunk.subarray(from, at), first: false, last: true };
            from = at;
            this.#expect('magic', 4);
          } else if (this.#lastBlock) this.#expect('checksum', CHECKSUM_BYTES);
          else this.#expect('block-header', BLOCK_HEADER_BYTES);
          break;
        case 'checksum':
          yield {
            bytes: chunk.subarray(from, at),
            first: false,
            last: true,
            checksum: this.#number(0, CHECKSUM_BYTES),
          };
          from = at;
          this.#expect('magic', 4);
          break;
      }
    }
    const inFrame = this.#state !== 'skip' && this.#state !== 'skip-length' && this.#state !== 'magic';
    if (inFrame && from < at) yield { bytes: chunk.subarray(from, at), first: false, last: false };
  }

  /** @throws COMPRESSION_FAILED when the stream ends inside a frame */
  end(): void {
    if (this.#state === 'magic' && this.#have === 0) return;
    throw damagedFrame('it ends inside a frame');
  }

  #expect(field: Field, bytes: number): void {
    this.#state = field;
    this.#have = 0;
    this.#need = bytes;
  }

  #run(state: 'skip' | 'block', bytes: number): void {
    this.#state = state;
    this.#left = bytes;
  }

  #expectSkippable(): void {
    if ((this.#number(0, 4) & 0xffff_fff0) >>> 0 !== 0x184d_2a50) {
      throw damagedFrame('there is something that is neither a frame nor a skippable frame');
    }
    this.#expect('skip-length', 4);
  }

  #readDescriptor(): void {
    const descriptor = this.#field[0] ?? 0;
    if ((descriptor & 0x08) !== 0) throw damagedFrame('a reserved bit of a frame header is set');
    this.#singleSegment = (descriptor & 0x20) !== 0;
    this.#hasChecksum = (descriptor & 0x04) !== 0;
    this.#dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
    this.#contentSizeBytes = [this.#singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
    const bytes = (this.#singleSegment ? 0 : 1) + this.#dictionaryBytes + this.#contentSizeBytes;
    this.#expect('header', bytes);
  }

  #checkWindow(): void {
    const first = this.#field[0] ?? 0;
    const base = 2 ** (10 + (first >> 3));
    const window = this.#singleSegment
      ? this.#number(this.#dictionaryBytes, this.#contentSizeBytes) + (this.#contentSizeBytes === 2 ? 256 : 0)
      : base + (base / 8) * (first & 7);
    if (window <= MAX_WINDOW_BYTES) return;
    throw new LayerStoreError(
      'ARCHIVE_LIMIT_EXCEEDED',
      `A zstd frame needs a window of ${window} bytes, over the limit of ${MAX_WINDOW_BYTES}; ` +
        'compress it again without --long or --ultra',
    );
  }

  /** True when a block body follows. */
  #readBlockHeader(): boolean {
    const header = this.#number(0, BLOCK_HEADER_BYTES);
    this.#lastBlock = (header & 1) !== 0;
    const type = (header >> 1) & 3;
    const size = header >> 3;
    if (type === 3) throw damagedFrame('a block has the reserved type');
    if (size > MAX_BLOCK_BYTES) throw damagedFrame('a block is larger than 128 KiB');
    // A run-length block stores one byte whatever size it expands to.
    const stored = type === 1 ? 1 : size;
    this.#run('block', stored);
    return stored > 0;
  }

  #number(offset: number, bytes: number): number {
    let value = 0;
    for (let index = bytes - 1; index >= 0; index -= 1)
      value = value * 256 + (this.#field[offset + index] ?? 0);
    return value;
  }
}

function damagedFrame(why: string): LayerStoreError {
  return new LayerStoreError('COMPRESSION_FAILED', `The zstd data is damaged: ${why}`);
}
