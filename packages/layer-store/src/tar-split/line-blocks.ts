import { Buffer } from 'node:buffer';
import { LayerStoreError } from '@x/archive';
import {
  FileLineEncoder,
  fileLineRoom,
  patchChecksum,
  SegmentLineEncoder,
  segmentLineRoom,
} from './line-encoder.js';

/** Lines are gathered to this much before they go to zlib: one trip to its thread costs as much as 40 KiB of work. */
const SEAL_AT = 1024 * 1024;
const BLOCK_SIZE = 1280 * 1024;
/** Blocks kept for reuse, by the next record too; two are filled while two are compressed. */
const SPARE_BLOCKS = 4;
/** Rooms of a new block; a line of a header takes some 700 bytes. */
const FIRST_ROOMS = 2048;

/** Finished lines, but for the base64 of segments. */
export interface LineBlock {
  readonly lines: Buffer;
  /** For `fillBase64Rooms`. */
  readonly rooms: Uint32Array;
}

const spareBlocks: Block[] = [];

interface Block {
  readonly bytes: Buffer;
  length: number;
  rooms: Uint32Array;
  /** Numbers in `rooms`. */
  roomNumbers: number;
  /** Checksums of this block that have not come yet. */
  awaited: number;
  sealed: boolean;
}

/** An entry line whose checksum is still a placeholder. */
interface OpenChecksum {
  readonly fileIndex: number;
  readonly block: Block;
  readonly at: number;
}

/** Takes a finished block; `done` gives it back. */
export type BlockSink = (block: LineBlock, done: () => void) => void;

/**
 * Tar-split lines as bytes in large blocks. A block goes to the sink when it is full and every checksum in it has come:
 * the executor reports checksums a chunk or two after the entry was recorded.
 */
export class LineBlocks {
  readonly #sink: BlockSink;
  readonly #files = new FileLineEncoder();
  readonly #segments = new SegmentLineEncoder();
  /** Sealed blocks that wait for checksums, and behind them complete ones: the order of lines is kept. */
  readonly #sealed: Block[] = [];
  #current: Block;
  #open: OpenChecksum[] = [];
  #openHead = 0;
  #position = 0;

  constructor(sink: BlockSink) {
    this.#sink = sink;
    this.#current = this.#newBlock(BLOCK_SIZE);
  }

  /** `raw[start…end)` as one segment line; nothing for an empty range. */
  segment(raw: Buffer, start: number, end: number): void {
    if (end <= start) return;
    const block = this.#room(segmentLineRoom(end - start));
    block.length = this.#segments.encode(block.bytes, block.length, raw, start, end, this.#position++);
    if (block.roomNumbers === block.rooms.length) block.rooms = doubled(block.rooms);
    block.rooms[block.roomNumbers++] = this.#segments.roomAt;
    block.rooms[block.roomNumbers++] = end - start;
  }

  file(name: Uint8Array, size: number, fileIndex: number): void {
    const block = this.#room(fileLineRoom(name.length));
    block.length = this.#files.encode(block.bytes, block.length, name, size, this.#position++);
    if (size === 0) return;
    block.awaited++;
    this.#open.push({ fileIndex, block, at: this.#files.checksumAt });
  }

  /** Fails with STORE_INVARIANT when it is not the turn of `fileIndex`. */
  checksum(fileIndex: number, crc: Uint8Array): void {
    const open = this.#open[this.#openHead];
    if (open === undefined || open.fileIndex !== fileIndex || crc.length !== 8) {
      throw new LayerStoreError(
        'STORE_INVARIANT',
        `the checksum of payload ${fileIndex} came when that of payload ${open?.fileIndex ?? '(none)'} was due`,
      );
    }
    patchChecksum(open.block.bytes, open.at, crc);
    open.block.awaited--;
    this.#openHead++;
    if (this.#openHead === this.#open.length || this.#openHead > 4096) {
      this.#open = this.#open.slice(this.#openHead);
      this.#openHead = 0;
    }
    if (open.block.sealed && open.block.awaited === 0) this.#handOver();
  }

  /** Hands over what is left. Fails with STORE_INVARIANT when a checksum never came. */
  end(): void {
    this.#seal();
    if (this.#sealed.length > 0) {
      const open = this.#open[this.#openHead];
      throw new LayerStoreError('STORE_INVARIANT', `the checksum of payload ${open?.fileIndex} never came`);
    }
  }

  #room(needed: number): Block {
    const { bytes, length } = this.#current;
    if (length >= SEAL_AT || bytes.length - length < needed) {
      this.#seal();
      this.#current = this.#newBlock(Math.max(BLOCK_SIZE, needed));
    }
    return this.#current;
  }

  #newBlock(size: number): Block {
    const spare = size === BLOCK_SIZE ? spareBlocks.pop() : undefined;
    if (spare === undefined) {
      const bytes = Buffer.allocUnsafeSlow(size);
      return {
        bytes,
        length: 0,
        rooms: new Uint32Array(FIRST_ROOMS),
        roomNumbers: 0,
        awaited: 0,
        sealed: false,
      };
    }
    return Object.assign(spare, { length: 0, roomNumbers: 0, awaited: 0, sealed: false });
  }

  #seal(): void {
    if (this.#current.length === 0) return;
    this.#current.sealed = true;
    this.#sealed.push(this.#current);
    this.#handOver();
  }

  #handOver(): void {
    for (let block = this.#sealed[0]; block !== undefined && block.awaited === 0; block = this.#sealed[0]) {
      this.#sealed.shift();
      const { bytes, length, rooms, roomNumbers } = block;
      this.#sink({ lines: bytes.subarray(0, length), rooms: rooms.subarray(0, roomNumbers) }, () => {
        if (bytes.length === BLOCK_SIZE && spareBlocks.length < SPARE_BLOCKS) spareBlocks.push(block);
      });
    }
  }
}

function doubled(rooms: Uint32Array): Uint32Array {
  const larger = new Uint32Array(rooms.length * 2);
  larger.set(rooms);
  return larger;
}
