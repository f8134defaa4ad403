/**
 * The executor for hosts without the addon: a worker thread that obeys the same batches with Node's synchronous calls. What
 * plain Node cannot do: times finer than a microsecond (libuv cuts them), and device nodes and xattrs, which go through
 * `mknod` and `setfattr` where installed.
 */
import { Worker } from 'node:worker_threads';
import { isLayerStoreError, LayerStoreError } from '../errors.js';
import type { ExecutorOptions, ExecutorResult, ExtractExecutor, FileChecksum } from './operation.js';
import { CHECKSUM_RECORD_BYTES } from './worker-checksums.js';
import type { WorkReport } from './worker-extraction.js';
import {
  type PlainError,
  type SharedBuffers,
  SLOTS,
  type WorkerReply,
  type WorkerRequest,
  type WorkerStart,
} from './worker-protocol.js';

const INITIAL_OPS_BYTES = 256 * 1024;
const INITIAL_CHUNK_BYTES = 1024 * 1024;

/** Memory both threads see, for one batch; replaced when a batch or chunk does not fit. */
interface Slot {
  ops: Uint8Array<SharedArrayBuffer>;
  chunk: Uint8Array<SharedArrayBuffer>;
  knownToWorker: boolean;
}

interface Pending {
  resolve(report: WorkReport | undefined): void;
  reject(error: unknown): void;
}

/**
 * Opens the worker-thread executor on `root`, an existing directory that is not a symbolic link.
 * @throws ARCHIVE_IO when the root cannot be opened
 */
export async function openPortableExecutor(root: string, options: ExecutorOptions): Promise<ExtractExecutor> {
  const executor = new PortableExecutor({ root, options });
  try {
    await executor.ready();
    return executor;
  } catch (error) {
    await executor.close();
    throw error;
  }
}

class PortableExecutor implements ExtractExecutor {
  /** One batch is worked on while the next is being copied. */
  readonly depth = SLOTS;
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  /** Used in turn: batches end in order, so that the next one's is free when there is room in the queue. */
  readonly #slots: readonly Slot[] = Array.from({ length: SLOTS }, emptySlot);
  #turn = 0;
  /** Oldest first: the worker answers in order. */
  readonly #pending: Pending[] = [];
  #lost: unknown;
  #closed = false;

  constructor(start: WorkerStart) {
    this.#worker = new Worker(new URL('./worker-thread.js', import.meta.url), {
      name: 'layer-store-extract',
      workerData: start,
      execArgv: [],
    });
    this.#worker.on('message', (reply: WorkerReply) => this.#settle(reply));
    this.#worker.on('error', (error) => this.#lose(error));
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#lose(
          new LayerStoreError('ARCHIVE_IO', 'the extraction thread ended; unpack again into an empty root'),
        );
        resolve();
      });
    });
  }

  async ready(): Promise<void> {
    await this.#next();
  }

  async run(ops: Uint8Array, chunk: Uint8Array): Promise<ExecutorResult> {
    this.#requireRoom();
    const slot = this.#turn;
    this.#turn = (slot + 1) % SLOTS;
    const buffers = this.#share(slot, ops, chunk);
    return toResult(
      await this.#ask({ kind: 'run', slot, buffers, opsLength: ops.length, chunkLength: chunk.length }),
    );
  }

  async finish(): Promise<ExecutorResult> {
    this.#requireRoom();
    return toResult(await this.#ask({ kind: 'finish' }));
  }

  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#worker.postMessage({ kind: 'close' } satisfies WorkerRequest);
    }
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Copies a batch into shared memory. A copy of 1 MiB costs a tenth of a millisecond; a transfer would take the caller's. */
  #share(turn: number, ops: Uint8Array, chunk: Uint8Array): SharedBuffers | undefined {
    const slot = this.#slots[turn] ?? emptySlot();
    if (ops.length > slot.ops.length || chunk.length > slot.chunk.length) {
      slot.ops = shared(Math.max(slot.ops.length, ops.length * 2));
      slot.chunk = shared(Math.max(slot.chunk.length, chunk.length));
      slot.knownToWorker = false;
    }
    slot.ops.set(ops);
    slot.chunk.set(chunk);
    if (slot.knownToWorker) return undefined;
    slot.knownToWorker = true;
    return { ops: slot.ops.buffer, chunk: slot.chunk.buffer };
  }

  #requireRoom(): void {
    if (!this.#closed && this.#pending.length < this.depth) return;
    const state = this.#closed ? 'is closed' : `still runs the ${this.depth} batches before`;
    throw new LayerStoreError('STORE_INVARIANT', `the extraction executor ${state}; please report it`);
  }

  #ask(request: WorkerRequest): Promise<WorkReport | undefined> {
    this.#worker.postMessage(request);
    return this.#next();
  }

  #next(): Promise<WorkReport | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) reject(this.#lost);
      else this.#pending.push({ resolve, reject });
    });
  }

  #settle(reply: WorkerReply): void {
    const pending = this.#pending.shift();
    if (reply.kind === 'failed') pending?.reject(revive(reply.error));
    else pending?.resolve(reply.kind === 'done' ? reply.report : undefined);
  }

  #lose(error: unknown): void {
    this.#lost ??= isLayerStoreError(error)
      ? error
      : new LayerStoreError('ARCHIVE_IO', 'the extraction thread failed', { cause: error });
    for (const pending of this.#pending.splice(0)) pending.reject(this.#lost);
  }
}

function emptySlot(): Slot {
  return { ops: shared(INITIAL_OPS_BYTES), chunk: shared(INITIAL_CHUNK_BYTES), knownToWorker: false };
}

function shared(length: number): Uint8Array<SharedArrayBuffer> {
  return new Uint8Array(new SharedArrayBuffer(length));
}

function revive({ code, message, fields, causeMessage }: PlainError): LayerStoreError {
  return new LayerStoreError(code, message, {
    ...fields,
    ...(causeMessage === undefined ? {} : { cause: new Error(causeMessage) }),
  });
}

function toResult(report: WorkReport | undefined): ExecutorResult {
  if (report === undefined) return { checksums: [], displaced: [], warnings: [] };
  const { checksums: packed, displaced, warnings } = report;
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const checksums: FileChecksum[] = [];
  for (let at = 0; at < packed.length; at += CHECKSUM_RECORD_BYTES) {
    checksums.push({
      fileIndex: view.getUint32(at, true),
      crc: packed.subarray(at + 4, at + CHECKSUM_RECORD_BYTES),
    });
  }
  return { checksums, displaced, warnings };
}
