/**
 * The pipeline both unpackers share: while the executor writes chunk N, the main thread hashes and parses those behind it
 * (DESIGN 3). A fixed number of chunks and batches is in flight whatever the size of the archive; nothing is allocated per file.
 */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isPromise } from 'node:util/types';
import { type ByteSource, type FileReader, recyclingHooks } from '../byte-source.js';
import { SourceReader } from '../compress/source-reader.js';
import { isLayerStoreError, LayerStoreError } from '../errors.js';
import { OperationBatch } from '../execute/batch-encoder.js';
import { openExtractExecutor } from '../execute/open.js';
import type {
  ExecutorOptions,
  ExecutorResult,
  ExecutorWarning,
  ExtractExecutor,
} from '../execute/operation.js';
import { hasFewProcessors } from '../few-processors.js';
import { TarReader } from '../tar/reader.js';
import { ChunkJoiner } from './chunk-joiner.js';
import type { LayerRecorder } from './layer-recorder.js';
import { ExtractionPlanner, type PlanTotals } from './planner.js';
import type { UnpackPolicy } from './unpack-policy.js';

/** How far an unpack has come: bytes of the (uncompressed) archive, entries met. */
export interface UnpackProgress {
  readonly bytes: number;
  readonly entries: number;
}

/** What the caller wants to see while it runs. What they throw ends the unpack. */
export interface UnpackHooks {
  readonly recorder?: LayerRecorder | undefined;
  readonly onChunk?: ((chunk: Uint8Array) => unknown) | undefined;
  readonly recycle?: ((chunk: Uint8Array) => void) | undefined;
  readonly lendReader?: ((reader: FileReader | undefined) => void) | undefined;
  readonly onWarning?: ((warning: ExecutorWarning) => void) | undefined;
  readonly onProgress?: ((progress: UnpackProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface UnpackJob extends UnpackHooks {
  readonly source: ByteSource;
  readonly root: string;
  readonly policy: Omit<UnpackPolicy, 'scratchName'>;
  readonly executor: ExecutorOptions & { readonly portable?: boolean };
}

export interface UnpackOutcome extends PlanTotals {
  /** The first {@link MAX_KEPT_WARNINGS}; `onWarning` gets all. */
  readonly warnings: readonly ExecutorWarning[];
}

/** A layer of a foreign owner gives one warning an entry: keep what a person would read. */
export const MAX_KEPT_WARNINGS = 1000;

/** Unpacks a whole source and closes it, whatever happens. Rejects with one error, after everything has stopped. */
export async function unpack(job: UnpackJob): Promise<UnpackOutcome> {
  const unpacking = new Unpacking(job);
  try {
    return await unpacking.run();
  } catch (error) {
    throw job.signal?.aborted === true ? job.signal.reason : error;
  } finally {
    await unpacking.close();
  }
}

const NOTHING = new Uint8Array(0);

/** A chunk that the executor, or whoever is shown the chunks, works on. */
interface ChunkAtWork {
  readonly result: Promise<ExecutorResult> | undefined;
  readonly seen: Promise<unknown> | undefined;
  readonly batch: OperationBatch;
  readonly chunk: Uint8Array;
}

class Unpacking {
  readonly #job: UnpackJob;
  readonly #reader: SourceReader;
  readonly #planner: ExtractionPlanner;
  readonly #tar: TarReader;
  readonly #warnings: ExecutorWarning[] = [];
  /** Batches nobody works on. */
  readonly #idle: OperationBatch[] = [];
  /** Oldest first. */
  readonly #running: ChunkAtWork[] = [];
  readonly #scratchName = `.unpack-${randomBytes(16).toString('hex')}`;
  #executor: ExtractExecutor | undefined;
  #bytes = 0;
  #finished = false;

  constructor(job: UnpackJob) {
    const { recycle, lendReader } = recyclingHooks(job.source);
    this.#job = { ...job, recycle: job.recycle ?? recycle, lendReader: job.lendReader ?? lendReader };
    this.#reader = new SourceReader(job.source, job.signal);
    const policy = { ...job.policy, scratchName: this.#scratchName };
    this.#planner = new ExtractionPlanner(policy, new OperationBatch(), job.recorder, (warning) =>
      this.#warn(warning),
    );
    this.#tar = new TarReader(this.#planner);
  }

  async run(): Promise<UnpackOutcome> {
    const { signal, root, executor: options } = this.#job;
    signal?.throwIfAborted();
    const executor = await openExtractExecutor(root, options);
    this.#executor = executor;
    if (hasFewProcessors()) this.#job.lendReader?.(executor.read?.bind(executor));
    const chunks = new ChunkJoiner(() => this.#pull(), executor.depth + 1);
    for (let chunk = await chunks.next(); chunk !== undefined; chunk = await chunks.next()) {
      const batch = this.#parse(chunk);
      while (this.#running.length >= executor.depth) await this.#settleOldest();
      const result = this.#start(executor, batch, chunk);
      // Hashed last: the executor has its work by then.
      const seen = this.#show(chunk);
      if (result === undefined && seen === undefined) this.#free(batch, chunk);
      else this.#running.push({ result, seen, batch, chunk });
    }
    // The executor may have failed and closed the source: its error comes before "truncated".
    await this.#settleAll();
    signal?.throwIfAborted();
    this.#tar.end();
    const last = this.#nextBatch(NOTHING);
    this.#planner.finish();
    this.#take(await this.#start(executor, last, NOTHING));
    this.#take(await executor.finish());
    this.#finished = true;
    return { ...this.#planner.totals, warnings: this.#warnings };
  }

  /** Idempotent; never rejects. */
  async close(): Promise<void> {
    this.#job.lendReader?.(undefined);
    await this.#reader.close();
    await Promise.allSettled(this.#running.map(({ result }) => result ?? Promise.resolve()));
    await Promise.allSettled(this.#running.map(({ seen }) => seen ?? Promise.resolve()));
    await this.#executor?.close();
    // The root is of no use after a failure, but file content must not stay behind under a name nobody knows.
    if (!this.#finished && this.#planner.usedScratch) {
      await rm(join(this.#job.root, this.#scratchName), { recursive: true, force: true }).catch(
        () => undefined,
      );
    }
  }

  async #pull(): Promise<Uint8Array | undefined> {
    try {
      return await this.#reader.next();
    } catch (error) {
      if (isLayerStoreError(error) || this.#job.signal?.aborted === true) throw error;
      throw new LayerStoreError('ARCHIVE_IO', `the archive could not be read to its end: ${String(error)}`, {
        cause: error,
      });
    }
  }

  #nextBatch(chunk: Uint8Array): OperationBatch {
    const batch = this.#idle.pop() ?? new OperationBatch();
    batch.reset();
    this.#planner.begin(batch, chunk);
    return batch;
  }

  #parse(chunk: Uint8Array): OperationBatch {
    const batch = this.#nextBatch(chunk);
    this.#tar.write(chunk);
    return batch;
  }

  #show(chunk: Uint8Array): Promise<unknown> | undefined {
    const { onChunk, onProgress } = this.#job;
    const shown = onChunk?.(chunk);
    const seen = isPromise(shown) ? shown : undefined;
    this.#stopOnFailure(seen);
    this.#bytes += chunk.length;
    onProgress?.({ bytes: this.#bytes, entries: this.#planner.totals.entries });
    return seen;
  }

  /** Undefined when there is nothing to do. */
  #start(
    executor: ExtractExecutor,
    batch: OperationBatch,
    chunk: Uint8Array,
  ): Promise<ExecutorResult> | undefined {
    if (batch.empty) return undefined;
    const result = executor.run(batch.bytes(), chunk);
    this.#stopOnFailure(result);
    return result;
  }

  /** Also marks the promise as handled: a failure is seen when it is settled, and a stalled source must not delay that. */
  #stopOnFailure(work: Promise<unknown> | undefined): void {
    work?.catch(() => this.#reader.close());
  }

  async #settleAll(): Promise<void> {
    while (this.#running.length > 0) await this.#settleOldest();
  }

  async #settleOldest(): Promise<void> {
    const [oldest] = this.#running;
    if (oldest === undefined) return;
    const result = await oldest.result;
    await oldest.seen;
    this.#running.shift();
    this.#take(result);
    this.#free(oldest.batch, oldest.chunk);
  }

  #free(batch: OperationBatch, chunk: Uint8Array): void {
    this.#idle.push(batch);
    this.#job.recycle?.(chunk);
  }

  #take(result: ExecutorResult | undefined): void {
    if (result === undefined) return;
    const { checksums, displaced, warnings } = result;
    const { recorder } = this.#job;
    if (recorder !== undefined) {
      for (const { fileIndex, crc } of checksums) recorder.checksum(fileIndex, crc);
      for (const fileIndex of displaced) recorder.displaced(fileIndex);
    }
    for (const warning of warnings) this.#warn(warning);
  }

  #warn(warning: ExecutorWarning): void {
    if (this.#warnings.length < MAX_KEPT_WARNINGS) this.#warnings.push(warning);
    this.#job.onWarning?.(warning);
  }
}
