import {
  type ByteSource,
  Crc64,
  type LayerRecorder,
  NO_INDEX,
  type TarHandler,
  type TarHeader,
  TarReader,
} from '@x/archive';
import { duplicateKey } from './entry-name.js';

/** Receives the payloads that the record leaves out; chunks are valid during the call only. */
export interface PayloadSink {
  begin(name: Uint8Array, size: number): void;
  write(bytes: Uint8Array): void;
  end(): void;
}

export interface DisassembleOptions {
  readonly signal?: AbortSignal;
  readonly payloads?: PayloadSink;
  /** Awaited after every chunk: `TarSplitWriter.drain`. */
  readonly drain?: () => Promise<void>;
}

export interface DisassembleResult {
  readonly bytes: number;
  /** Visible headers. */
  readonly entries: number;
}

/**
 * Records a tar stream without unpacking it: the payloads of regular files are left to `payloads` (or are already on disk,
 * when a layer of another store is migrated), everything else goes to the record. Payloads that nobody could read back by
 * name (sparse files, unknown types, a name that was seen before) are recorded as they are. Fails with the codes of the tar
 * reader.
 */
export async function disassembleTar(
  source: ByteSource,
  recorder: LayerRecorder,
  options: DisassembleOptions = {},
): Promise<DisassembleResult> {
  const { signal, drain } = options;
  const handler = new Disassembly(recorder, options.payloads);
  const reader = new TarReader(handler);
  let bytes = 0;
  for await (const chunk of source) {
    signal?.throwIfAborted();
    reader.write(chunk);
    bytes += chunk.length;
    await drain?.();
  }
  reader.end();
  return { bytes, entries: handler.entries };
}

class Disassembly implements TarHandler {
  entries = 0;
  readonly #recorder: LayerRecorder;
  readonly #payloads: PayloadSink | undefined;
  readonly #names = new Set<string>();
  readonly #crc = new Crc64();
  #files = 0;
  #readBack = false;

  constructor(recorder: LayerRecorder, payloads: PayloadSink | undefined) {
    this.#recorder = recorder;
    this.#payloads = payloads;
  }

  raw(bytes: Uint8Array, start: number, end: number): void {
    this.#recorder.segment(bytes, start, end);
  }

  header(header: TarHeader): void {
    this.entries++;
    const key = duplicateKey(header.name);
    const repeated = this.#names.has(key);
    this.#readBack = !repeated && header.kind === 'file' && header.payloadSize > 0;
    if (repeated) return;
    this.#names.add(key);
    this.#recorder.entry(
      header.name,
      this.#readBack ? header.payloadSize : 0,
      this.#readBack ? this.#files : NO_INDEX,
    );
    if (this.#readBack) this.#payloads?.begin(header.name, header.payloadSize);
  }

  payload(bytes: Uint8Array, start: number, end: number): void {
    if (!this.#readBack) {
      this.#recorder.segment(bytes, start, end);
      return;
    }
    const part = bytes.subarray(start, end);
    this.#crc.update(part);
    this.#payloads?.write(part);
  }

  entryEnd(): void {
    if (!this.#readBack) return;
    this.#readBack = false;
    this.#recorder.checksum(this.#files++, this.#crc.digest());
    this.#crc.reset();
    this.#payloads?.end();
  }
}
