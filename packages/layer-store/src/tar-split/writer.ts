import { Buffer } from 'node:buffer';
import type { LayerRecorder } from '@x/archive';
import { inlineDisplacedPayloads } from './displaced-payloads.js';
import { SEGMENT_LIMIT } from './entry.js';
import { GzipFile } from './gzip-file.js';
import { LineBlocks } from './line-blocks.js';

/** Raw bytes between two entries are a few blocks; the buffer grows from here to {@link SEGMENT_LIMIT} when they are not. */
const FIRST_RAW_BUFFER = 16 * 1024;

export interface TarSplitWriterOptions {
  /** Where the executor leaves payloads that a later entry destroyed, named by decimal fileIndex. */
  readonly stashDirectory?: string;
}

/**
 * Records one layer as a tar-split file while it is unpacked. Calls are synchronous and cheap (about 2 µs an entry);
 * compression and disk are elsewhere, so the caller awaits {@link drain} between chunks to keep memory bounded.
 *
 * There is exactly one segment before each entry, as header-reading tools expect, unless the headers of one entry pass
 * {@link SEGMENT_LIMIT}.
 *
 * @example
 * const record = await TarSplitWriter.open(`${staging}/tar-split.json.gz`, { stashDirectory });
 * await applyLayer(source, root, { recorder: record, stashDirectory });
 * const { bytes } = await record.finish();
 */
export class TarSplitWriter implements LayerRecorder, AsyncDisposable {
  readonly #path: string;
  readonly #stashDirectory: string | undefined;
  readonly #file: GzipFile;
  readonly #lines: LineBlocks;
  readonly #displaced = new Set<number>();
  #raw: Buffer = Buffer.allocUnsafeSlow(FIRST_RAW_BUFFER);
  #rawLength = 0;
  #settled = false;

  private constructor(path: string, file: GzipFile, stashDirectory: string | undefined) {
    this.#path = path;
    this.#file = file;
    this.#stashDirectory = stashDirectory;
    this.#lines = new LineBlocks((block, done) => file.write(block, done));
  }

  /** Creates `path`, which must not exist. Fails with ARCHIVE_IO. */
  static async open(path: string, options: TarSplitWriterOptions = {}): Promise<TarSplitWriter> {
    return new TarSplitWriter(path, await GzipFile.create(path), options.stashDirectory);
  }

  segment(bytes: Uint8Array, start: number, end: number): void {
    let from = start;
    while (from < end) {
      if (this.#rawLength === SEGMENT_LIMIT) this.#flushRaw();
      const count = Math.min(end - from, SEGMENT_LIMIT - this.#rawLength);
      this.#growRaw(this.#rawLength + count);
      // Not subarray: of a Buffer it costs more than the copy.
      this.#raw.set(new Uint8Array(bytes.buffer, bytes.byteOffset + from, count), this.#rawLength);
      this.#rawLength += count;
      from += count;
    }
  }

  entry(name: Uint8Array, size: number, fileIndex: number): void {
    this.#flushRaw();
    this.#lines.file(name, size, fileIndex);
  }

  checksum(fileIndex: number, crc: Uint8Array): void {
    this.#lines.checksum(fileIndex, crc);
  }

  displaced(fileIndex: number): void {
    this.#displaced.add(fileIndex);
  }

  /** Resolves when the lines handed over so far have been compressed or nearly so; throws what went wrong with them. */
  drain(): Promise<void> {
    return this.#file.drain();
  }

  /**
   * Completes the record, puts displaced payloads in place of their entries, and makes the file durable (its directory is
   * the caller's). Resolves to the size of the file. Every write error ends here (ARCHIVE_IO); the file is then removed.
   */
  async finish(): Promise<{ readonly bytes: number }> {
    try {
      this.#flushRaw();
      this.#lines.end();
      let bytes = await this.#file.finish();
      if (this.#displaced.size > 0) {
        bytes = await inlineDisplacedPayloads(this.#path, this.#displaced, this.#stashDirectory);
      }
      this.#settled = true;
      return { bytes };
    } catch (error) {
      await this.abort();
      throw error;
    }
  }

  /** Gives the record up and removes the file. */
  async abort(): Promise<void> {
    if (this.#settled) return;
    this.#settled = true;
    await this.#file.abort();
  }

  /** {@link abort}, unless the record was finished. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.abort();
  }

  #flushRaw(): void {
    this.#lines.segment(this.#raw, 0, this.#rawLength);
    this.#rawLength = 0;
  }

  #growRaw(needed: number): void {
    if (needed <= this.#raw.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.min(SEGMENT_LIMIT, Math.max(needed, this.#raw.length * 2)));
    larger.set(this.#raw.subarray(0, this.#rawLength));
    this.#raw = larger;
  }
}
