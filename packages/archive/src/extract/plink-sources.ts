/**
 * AUFS's pseudo-links: a branch keeps the file once under `.wh..wh.plnk/` and the archive links to it. The file is unpacked
 * into a private directory, every link is a hard link to it (Docker makes separate copies), and the directory goes at the end.
 */
import type { OperationBatch } from '../execute/batch-encoder.js';
import { nameOf } from '../root/byte-name.js';
import type { EntryMetadata } from './entry-metadata.js';
import { baseStart } from './entry-name.js';

const PRIVATE_MODE = 0o700;

export class PlinkSources {
  readonly #scratch: Uint8Array;
  /** Name under `.wh..wh.plnk/` → path in the scratch directory. */
  readonly #sources = new Map<string, Uint8Array>();
  #count = 0;

  constructor(scratchName: string) {
    this.#scratch = Buffer.from(scratchName);
  }

  /** True once there is something in the root that must be removed, also when unpacking fails. */
  get used(): boolean {
    return this.#count > 0;
  }

  /** Where the source `path` is to be unpacked. A source of the same name that comes later is a new file. */
  add(batch: OperationBatch, path: Uint8Array, meta: EntryMetadata): Uint8Array {
    if (this.#count === 0) batch.directory(this.#scratch, meta.loadImplied(PRIVATE_MODE), []);
    const place = Buffer.concat([this.#scratch, Buffer.from(`/${this.#count++}`)]);
    this.#sources.set(keyOf(path), place);
    return place;
  }

  /** The source that a link to the clean name `target` means. */
  find(target: Uint8Array): Uint8Array | undefined {
    return this.#sources.get(keyOf(target));
  }

  finish(batch: OperationBatch): void {
    if (this.used) batch.remove(this.#scratch);
  }
}

function keyOf(path: Uint8Array): string {
  return nameOf(path.subarray(baseStart(path)));
}
