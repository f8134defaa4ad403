/** The executor of the addon: batches run in C++ on a thread of their own, results come back as one buffer. */

import type { NativeCalls, NativeExtractor } from '@x/native';
import { LayerStoreError } from '../errors.js';
import { nativeFailure } from './native-failure.js';
import type {
  ExecutorOptions,
  ExecutorResult,
  ExecutorWarning,
  ExtractExecutor,
  FileChecksum,
} from './operation.js';

/**
 * Opens the addon's executor on `root`, an existing directory that is not a symbolic link.
 * Fails with ARCHIVE_IO when the root or the stash directory cannot be opened.
 */
export function openNativeExecutor(
  calls: NativeCalls,
  root: string,
  options: ExecutorOptions,
): ExtractExecutor {
  try {
    return new NativeExecutor(new calls.NativeExtractor(root, options));
  } catch (error) {
    throw nativeFailure(error);
  }
}

class NativeExecutor implements ExtractExecutor {
  /** The thread takes the next batch from its queue without waiting for the event loop. */
  readonly depth = 3;
  readonly #extractor: NativeExtractor;
  /** The batches under way, and the last of them or of the reads between them: they end in order. */
  #waiting = 0;
  #last: Promise<unknown> | undefined;
  #failed = false;
  #closed = false;

  constructor(extractor: NativeExtractor) {
    this.#extractor = extractor;
  }

  run(ops: Uint8Array, chunk: Uint8Array): Promise<ExecutorResult> {
    return this.#perform(() => this.#extractor.run(ops, chunk));
  }

  /** The descriptor and the buffer must stay until the promise settles. */
  async read(fd: number, buffer: Uint8Array, position: number): Promise<number> {
    if (this.#closed)
      throw new LayerStoreError('STORE_INVARIANT', 'the extraction executor is closed; please report it');
    const reading = this.#extractor.read(fd, buffer, position);
    this.#last = reading;
    return await reading;
  }

  finish(): Promise<ExecutorResult> {
    return this.#perform(() => this.#extractor.finish());
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // The thread is joined on this one, so it must be idle first.
    await this.#last?.catch(() => undefined);
    this.#extractor.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #perform(call: () => Promise<Uint8Array>): Promise<ExecutorResult> {
    if (this.#closed || this.#failed || this.#waiting === this.depth) {
      const state = this.#closed
        ? 'is closed'
        : this.#failed
          ? 'failed before'
          : `still runs the ${this.depth} batches before`;
      throw new LayerStoreError('STORE_INVARIANT', `the extraction executor ${state}; please report it`);
    }
    try {
      this.#waiting += 1;
      const running = call();
      this.#last = running;
      return unpackResult(await running);
    } catch (error) {
      this.#failed = true;
      throw nativeFailure(error);
    } finally {
      this.#waiting -= 1;
    }
  }
}

/** The layout is native/src/core/extract_result.hh. Checksums are views of `packed`. */
function unpackResult(packed: Uint8Array): ExecutorResult {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  let at = 0;
  const uint32 = (): number => {
    const value = view.getUint32(at, true);
    at += 4;
    return value;
  };
  const text = (): string => {
    const length = uint32();
    at += length;
    return Buffer.from(packed.buffer, packed.byteOffset + at - length, length).toString('latin1');
  };

  const checksums: FileChecksum[] = [];
  for (let left = uint32(); left > 0; left--) {
    const fileIndex = uint32();
    // Not subarray: of a Buffer it costs more than everything else here.
    checksums.push({ fileIndex, crc: new Uint8Array(packed.buffer, packed.byteOffset + at, 8) });
    at += 8;
  }
  const displaced: number[] = [];
  for (let left = uint32(); left > 0; left--) displaced.push(uint32());
  const warnings: ExecutorWarning[] = [];
  for (let left = uint32(); left > 0; left--) {
    warnings.push({ syscall: text(), errno: text(), path: text(), detail: text() });
  }
  return { checksums, displaced, warnings };
}
