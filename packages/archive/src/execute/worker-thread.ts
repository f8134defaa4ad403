/** Entry of the worker thread: owns the extraction, runs one request at a time, turns failures into plain data. */
import { parentPort, workerData } from 'node:worker_threads';
import { isLayerStoreError, type LayerStoreError } from '../errors.js';
import { ioError } from '../root/io-error.js';
import { BatchDecoder } from './worker-batch.js';
import { Extraction } from './worker-extraction.js';
import {
  type PlainError,
  SLOTS,
  type WorkerReply,
  type WorkerRequest,
  type WorkerStart,
} from './worker-protocol.js';

function plain(error: unknown, path: string): PlainError {
  const coded = isLayerStoreError(error) ? error : ioError(error, 'unpack', path);
  const { code, message, cause } = coded;
  return {
    code,
    message,
    fields: fieldsOf(coded),
    causeMessage: messageOf(cause),
  };
}

function messageOf(cause: unknown): string | undefined {
  if (typeof cause !== 'object' || cause === null || !('message' in cause)) return undefined;
  return typeof cause.message === 'string' ? cause.message : undefined;
}

function fieldsOf(error: LayerStoreError): PlainError['fields'] {
  const { path, errno, syscall, expected, actual } = error;
  return {
    ...(path === undefined ? {} : { path }),
    ...(errno === undefined ? {} : { errno }),
    ...(syscall === undefined ? {} : { syscall }),
    ...(expected === undefined ? {} : { expected }),
    ...(actual === undefined ? {} : { actual }),
  };
}

function serve(port: NonNullable<typeof parentPort>, { root, options }: WorkerStart): void {
  const reply = (message: WorkerReply): void => port.postMessage(message);
  let extraction: Extraction;
  try {
    extraction = new Extraction(root, options);
  } catch (error) {
    reply({ kind: 'failed', error: plain(error, root) });
    return;
  }
  const decoder = new BatchDecoder(extraction);
  const slots: { ops: Buffer; chunk: Buffer }[] = Array.from({ length: SLOTS }, () => ({
    ops: Buffer.alloc(0),
    chunk: Buffer.alloc(0),
  }));
  /** Of the first batch that failed: those behind it do nothing. */
  let failure: PlainError | undefined;
  port.on('message', (request: WorkerRequest) => {
    if (request.kind === 'close') {
      extraction.close();
      port.close();
      return;
    }
    if (failure !== undefined) {
      reply({ kind: 'failed', error: failure });
      return;
    }
    try {
      if (request.kind === 'finish') extraction.finish();
      else {
        const { slot, buffers, opsLength, chunkLength } = request;
        if (buffers !== undefined) {
          slots[slot] = { ops: Buffer.from(buffers.ops), chunk: Buffer.from(buffers.chunk) };
        }
        const { ops, chunk } = slots[slot] as (typeof slots)[number];
        decoder.run(ops.subarray(0, opsLength), chunk.subarray(0, chunkLength));
      }
      reply({ kind: 'done', report: extraction.report() });
    } catch (error) {
      failure = plain(error, extraction.currentPath);
      reply({ kind: 'failed', error: failure });
    }
  });
  reply({ kind: 'ready' });
}

// Most failures in here are answers (EEXIST, ENOENT): taking a stack trace of each would cost more than the call.
Error.stackTraceLimit = 0;
if (parentPort !== null) serve(parentPort, workerData as WorkerStart);
