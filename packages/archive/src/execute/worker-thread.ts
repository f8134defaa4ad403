/** Entry of the worker thread: owns the extraction, runs one request at a time, turns failures into plain data. */
import { parentPort, workerData } from 'node:worker_threads';
import { isLayerStoreError, type LayerStoreError } from '../errors.js';
import { ioError } from '../root/io-error.js';
import { BatchDecoder } from './worker-batch.js';
import { Extraction } from './worker-extraction.js';
import type { PlainError, WorkerReply, WorkerRequest, WorkerStart } from './worker-protocol.js';

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
  let ops: Buffer = Buffer.alloc(0);
  let chunk: Buffer = Buffer.alloc(0);
  port.on('message', (request: WorkerRequest) => {
    if (request.kind === 'close') {
      extraction.close();
      port.close();
      return;
    }
    try {
      if (request.kind === 'finish') extraction.finish();
      else {
        if (request.buffers !== undefined) {
          ops = Buffer.from(request.buffers.ops);
          chunk = Buffer.from(request.buffers.chunk);
        }
        decoder.run(ops.subarray(0, request.opsLength), chunk.subarray(0, request.chunkLength));
      }
      reply({ kind: 'done', report: extraction.report() });
    } catch (error) {
      reply({ kind: 'failed', error: plain(error, extraction.currentPath) });
    }
  });
  reply({ kind: 'ready' });
}

// Most failures in here are answers (EEXIST, ENOENT): taking a stack trace of each would cost more than the call.
Error.stackTraceLimit = 0;
if (parentPort !== null) serve(parentPort, workerData as WorkerStart);
