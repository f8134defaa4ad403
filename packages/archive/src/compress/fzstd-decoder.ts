import { Worker } from 'node:worker_threads';
import { type ErrorCode, LayerStoreError } from '../errors.js';
import type { FzstdReply, FzstdRequest, FzstdWorkerData } from './fzstd-messages.js';
import type { SourceReader } from './source-reader.js';
import { StallWatch } from './stall-watch.js';

/** Output messages (1 MiB each) the worker may be ahead of the consumer. */
const OUTPUT_AHEAD = 2;
/** Inputs posted and not used up yet: one being decoded, one waiting. */
const INPUT_AHEAD = 2;
/** An input message is copied into the worker, so a source that gives one huge chunk is cut. */
const INPUT_BYTES = 1024 * 1024;

/**
 * Decodes zstd in a worker with the optional package `fzstd`. `undefined` when that is not installed, with the reader
 * untouched.
 */
export async function openFzstd(
  reader: SourceReader,
  stallTimeout: number,
): Promise<AsyncGenerator<Uint8Array, void, undefined> | undefined> {
  const decoder = new FzstdDecoder();
  const first = await decoder.reply();
  if (first.kind === 'ready') return decodeWithFzstd(decoder, reader, stallTimeout);
  await decoder.close();
  if (first.kind === 'missing') return undefined;
  throw failureOf(first);
}

async function* decodeWithFzstd(
  decoder: FzstdDecoder,
  reader: SourceReader,
  stallTimeout: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const watch = new StallWatch(stallTimeout, () =>
    decoder.fail(
      new LayerStoreError(
        'COMPRESSION_FAILED',
        `The zstd decoder made no progress for ${stallTimeout} ms and was stopped`,
      ),
    ),
  );
  const feeding = feedWorker(reader, decoder, watch);
  try {
    for (;;) {
      watch.wanted = true;
      const reply = await decoder.reply();
      watch.wanted = false;
      if (reply.kind === 'end') break;
      if (reply.kind === 'output') {
        decoder.addCredit();
        yield reply.bytes;
      } else if (reply.kind === 'ready') decoder.inputUsed();
      else throw failureOf(reply);
    }
  } finally {
    watch.stop();
    await decoder.close();
    await reader.close();
    await feeding;
  }
}

async function feedWorker(reader: SourceReader, decoder: FzstdDecoder, watch: StallWatch): Promise<void> {
  try {
    for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) {
      for (let from = 0; from < chunk.byteLength; from += INPUT_BYTES) {
        if (!(await decoder.inputRoom())) return;
        decoder.send({ bytes: chunk.subarray(from, from + INPUT_BYTES) });
        watch.fed = true;
      }
      watch.fed = decoder.inputsPending > 0;
    }
    decoder.send({ end: true });
    watch.fed = true;
  } catch (reason) {
    decoder.fail(reason);
  }
}

function failureOf(reply: FzstdReply): LayerStoreError {
  if (reply.kind === 'failed') return new LayerStoreError(reply.code as ErrorCode, reply.message);
  return new LayerStoreError('COMPRESSION_FAILED', `The zstd decoder answered "${reply.kind}" out of turn`);
}

/** The main thread's end of the worker: a queue of its replies, and the two counts that bound what is in flight. */
class FzstdDecoder {
  readonly #credit = new Int32Array(new SharedArrayBuffer(4));
  readonly #worker: Worker;
  readonly #replies: FzstdReply[] = [];
  #waiting: { resolve(reply: FzstdReply): void; reject(reason: unknown): void } | undefined;
  #failure: { readonly reason: unknown } | undefined;
  #room: ((open: boolean) => void) | undefined;
  #closed = false;
  inputsPending = 0;

  constructor() {
    Atomics.store(this.#credit, 0, OUTPUT_AHEAD);
    const workerData: FzstdWorkerData = { credit: this.#credit.buffer as SharedArrayBuffer };
    this.#worker = new Worker(new URL('./fzstd-worker.js', import.meta.url), {
      workerData,
      env: {},
      execArgv: [],
      name: 'layer-store zstd',
    });
    this.#worker.on('message', (reply: FzstdReply) => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      if (waiting === undefined) this.#replies.push(reply);
      else waiting.resolve(reply);
    });
    this.#worker.on('error', (cause: unknown) =>
      this.fail(new LayerStoreError('COMPRESSION_FAILED', 'The zstd decoder thread failed', { cause })),
    );
    this.#worker.on('exit', () =>
      this.fail(new LayerStoreError('COMPRESSION_FAILED', 'The zstd decoder thread ended')),
    );
  }

  /** The next reply; output that came before a failure is given first. */
  reply(): Promise<FzstdReply> {
    const queued = this.#replies.shift();
    if (queued !== undefined) return Promise.resolve(queued);
    if (this.#failure !== undefined) return Promise.reject(this.#failure.reason);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  fail(reason: unknown): void {
    if (this.#closed || this.#failure !== undefined) return;
    this.#failure = { reason };
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(reason);
  }

  send(request: FzstdRequest): void {
    if (this.#closed) return;
    this.inputsPending += 1;
    this.#worker.postMessage(request);
  }

  inputUsed(): void {
    this.inputsPending -= 1;
    this.#room?.(true);
  }

  /** Waits until another input may be sent; false once closed. */
  async inputRoom(): Promise<boolean> {
    while (!this.#closed && this.inputsPending >= INPUT_AHEAD) {
      await new Promise<boolean>((resolve) => {
        this.#room = resolve;
      });
    }
    return !this.#closed;
  }

  addCredit(): void {
    Atomics.add(this.#credit, 0, 1);
    Atomics.notify(this.#credit, 0);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#room?.(false);
    await this.#worker.terminate();
  }
}
