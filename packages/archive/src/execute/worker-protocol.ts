/** What the portable executor and its worker thread say to each other. */
import type { ErrorCode, ErrorFields } from '../errors.js';
import type { ExecutorOptions } from './operation.js';
import type { WorkReport } from './worker-extraction.js';

export interface WorkerStart {
  readonly root: string;
  readonly options: ExecutorOptions;
}

/** Batches that may be with the worker, each in shared memory of its own. */
export const SLOTS = 2;

/** `buffers` replaces the shared memory of a slot; the lengths say how much of it counts. */
export type WorkerRequest =
  | {
      readonly kind: 'run';
      readonly slot: number;
      readonly buffers: SharedBuffers | undefined;
      readonly opsLength: number;
      readonly chunkLength: number;
    }
  | { readonly kind: 'finish' }
  | { readonly kind: 'close' };

export interface SharedBuffers {
  readonly ops: SharedArrayBuffer;
  readonly chunk: SharedArrayBuffer;
}

export type WorkerReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly report: WorkReport }
  | { readonly kind: 'failed'; readonly error: PlainError };

/** A LayerStoreError as plain data: classes do not survive the way between threads. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly fields: ErrorFields;
  readonly causeMessage: string | undefined;
}
