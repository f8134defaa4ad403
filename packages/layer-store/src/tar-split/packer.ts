import { Buffer } from 'node:buffer';
import { LayerStoreError } from '@x/archive';
import { type TarSplitEntry, TYPE_SEGMENT } from './entry.js';
import { duplicateKey } from './entry-name.js';
import { LineBlocks } from './line-blocks.js';
import { fillBase64Rooms } from './line-encoder.js';

/**
 * Turns entries into the JSON text of a record, with the strictness of Docker's own packer: a second entry whose clean
 * name repeats is refused. For tools and migrations; layers are recorded by `TarSplitWriter`.
 */
export class TarSplitPacker {
  readonly #names = new Set<string>();
  readonly #blocks: Uint8Array[] = [];
  readonly #lines = new LineBlocks(({ lines, rooms }) => {
    fillBase64Rooms(lines, rooms);
    this.#blocks.push(lines);
  });
  #files = 0;

  /** Appends an entry; `position` is assigned here. Fails with TAR_SPLIT_DUPLICATE. */
  add(entry: TarSplitEntry): void {
    if (entry.type === TYPE_SEGMENT) {
      const { buffer, byteOffset, length } = entry.payload;
      this.#lines.segment(Buffer.from(buffer, byteOffset, length), 0, length);
      return;
    }
    checkNotRepeated(this.#names, entry.name);
    if (entry.crc === undefined) {
      this.#lines.file(entry.name, 0, 0);
      return;
    }
    this.#lines.file(entry.name, entry.size, this.#files);
    this.#lines.checksum(this.#files++, entry.crc);
  }

  /** The text so far, uncompressed; the packer starts over. */
  take(): Buffer {
    this.#lines.end();
    return Buffer.concat(this.#blocks.splice(0));
  }
}

/**
 * Passes entries through and refuses, as Docker's reader does, a second one whose clean name repeats. Fails with
 * TAR_SPLIT_DUPLICATE.
 */
export async function* refuseDuplicates(
  entries: AsyncIterable<TarSplitEntry>,
): AsyncGenerator<TarSplitEntry, void, undefined> {
  const names = new Set<string>();
  for await (const entry of entries) {
    if (entry.type !== TYPE_SEGMENT) checkNotRepeated(names, entry.name);
    yield entry;
  }
}

function checkNotRepeated(names: Set<string>, name: Uint8Array): void {
  const key = duplicateKey(name);
  if (names.has(key)) {
    throw new LayerStoreError(
      'TAR_SPLIT_DUPLICATE',
      `a second entry is named "${key}"; readers of the format refuse that`,
      {
        path: key,
      },
    );
  }
  names.add(key);
}
