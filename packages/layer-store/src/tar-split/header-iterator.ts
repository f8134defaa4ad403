import { type TarHandler, type TarHeader, TarReader } from '@x/archive';
import { TYPE_SEGMENT } from './entry.js';
import { invalid } from './invalid.js';
import { type ReadOptions, readTarSplit, type TarSplitSource } from './reader.js';

/** Stands for payloads that are not in the record. */
const ZEROS: Uint8Array = new Uint8Array(1024 * 1024);

/**
 * The tar headers of a layer from its record alone, in the order of the archive. Fails with TAR_SPLIT_INVALID and the codes
 * of the tar reader.
 */
export async function* iterateHeaders(
  source: TarSplitSource,
  options: ReadOptions = {},
): AsyncGenerator<TarHeader, void, undefined> {
  const found = new HeaderQueue();
  const reader = new TarReader(found);
  for await (const entry of readTarSplit(source, options)) {
    if (entry.type === TYPE_SEGMENT) {
      reader.write(entry.payload);
    } else if (entry.size > 0) {
      if (found.payloadDue !== entry.size) {
        throw invalid(`an entry of ${entry.size} bytes follows a header of ${found.payloadDue}`);
      }
      for (let left = entry.size; left > 0; left -= Math.min(left, ZEROS.length)) {
        reader.write(left < ZEROS.length ? ZEROS.subarray(0, left) : ZEROS);
      }
    }
    yield* found.take();
  }
  reader.end();
  yield* found.take();
}

class HeaderQueue implements TarHandler {
  payloadDue = 0;
  #headers: TarHeader[] = [];

  take(): readonly TarHeader[] {
    const taken = this.#headers;
    if (taken.length > 0) this.#headers = [];
    return taken;
  }

  raw(): void {}

  header(header: TarHeader): void {
    this.payloadDue = header.payloadSize;
    this.#headers.push(header);
  }

  payload(_bytes: Uint8Array, start: number, end: number): void {
    this.payloadDue -= end - start;
  }

  entryEnd(): void {}
}
