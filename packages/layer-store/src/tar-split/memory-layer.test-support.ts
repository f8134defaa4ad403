import { Buffer } from 'node:buffer';
import { Crc64, type Gatherer, GatherRecords, LayerStoreError } from '@x/archive';
import type { PayloadSink } from './disassembler.js';
import { pathInLayer } from './entry-name.js';

/** The files of a layer in memory: takes what a disassembly leaves out and gives it to an assembly. */
export class MemoryLayer implements PayloadSink, Gatherer {
  readonly files: Map<string, Buffer> = new Map();
  #name = '';
  #parts: Buffer[] = [];
  #reading: Buffer = Buffer.alloc(0);
  #read = 0;

  begin(name: Uint8Array): void {
    this.#name = pathInLayer(Buffer.from(name)).toString('latin1');
    this.#parts = [];
  }

  write(bytes: Uint8Array): void {
    this.#parts.push(Buffer.from(bytes));
  }

  end(): void {
    this.files.set(this.#name, Buffer.concat(this.#parts));
  }

  async gather(plan: Uint8Array, out: Uint8Array): Promise<void> {
    const records = new GatherRecords(plan);
    while (records.next()) {
      if (records.begins) {
        const path = Buffer.from(records.path()).toString('latin1');
        const file = this.files.get(path);
        if (file?.length !== records.fileSize) {
          throw new LayerStoreError('ARCHIVE_FILE_CORRUPT', 'no such file of that size', { path });
        }
        this.#reading = file;
        this.#read = 0;
      }
      out.set(this.#reading.subarray(this.#read, this.#read + records.length), records.outOffset);
      this.#read += records.length;
      if (
        records.ends &&
        Buffer.compare(new Crc64().update(this.#reading).digest(), records.checksum()) !== 0
      ) {
        throw new LayerStoreError('ARCHIVE_FILE_CORRUPT', 'file integrity checksum failed');
      }
    }
  }

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}
