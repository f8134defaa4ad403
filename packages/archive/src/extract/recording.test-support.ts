/** A recorder that keeps everything, and puts the archive together again as tar-split would. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Crc64 } from '../digest/crc64.js';
import { NO_INDEX } from '../execute/operation.js';
import type { LayerRecorder } from './layer-recorder.js';

export interface RecordedEntry {
  readonly name: string;
  readonly size: number;
  readonly fileIndex: number;
}

export class Recording implements LayerRecorder {
  readonly #parts: (Buffer | RecordedEntry)[] = [];
  readonly #checksums = new Map<number, string>();
  readonly #displaced = new Set<number>();
  /** The longest segment seen. */
  longest = 0;

  segment(bytes: Uint8Array, start: number, end: number): void {
    this.#parts.push(Buffer.from(bytes.subarray(start, end)));
    this.longest = Math.max(this.longest, end - start);
  }

  entry(name: Uint8Array, size: number, fileIndex: number): void {
    if ((size === 0) !== (fileIndex === NO_INDEX)) throw new Error('size and fileIndex disagree');
    this.#parts.push({ name: Buffer.from(name).toString('latin1'), size, fileIndex });
  }

  checksum(fileIndex: number, crc: Uint8Array): void {
    if (fileIndex !== this.#checksums.size) throw new Error('checksums out of order');
    this.#checksums.set(fileIndex, Buffer.from(crc).toString('hex'));
  }

  displaced(fileIndex: number): void {
    this.#displaced.add(fileIndex);
  }

  get entries(): readonly RecordedEntry[] {
    return this.#parts.filter((part): part is RecordedEntry => !Buffer.isBuffer(part));
  }

  /** Names of entries whose payload is read back from the tree. */
  get filed(): readonly string[] {
    return this.entries.filter(({ size }) => size > 0).map(({ name }) => name);
  }

  get displacedNames(): readonly string[] {
    return this.entries.filter(({ fileIndex }) => this.#displaced.has(fileIndex)).map(({ name }) => name);
  }

  /** @throws when a payload is missing or does not have its checksum */
  assemble(root: string, stash: string): Buffer {
    const bytes = this.#parts.map((part) => {
      if (Buffer.isBuffer(part)) return part;
      if (part.size === 0) return Buffer.alloc(0);
      const saved = this.#displaced.has(part.fileIndex);
      const content = readFileSync(saved ? join(stash, `${part.fileIndex}`) : join(root, part.name));
      const crc = Buffer.from(new Crc64().update(content).digest()).toString('hex');
      if (content.length !== part.size || crc !== this.#checksums.get(part.fileIndex)) {
        throw new Error(`payload of ${part.name} is not what was unpacked`);
      }
      return content;
    });
    return Buffer.concat(bytes);
  }
}
