import { parentPort, workerData } from 'node:worker_threads';
import { isLayerStoreError, LayerStoreError } from '../errors.js';
import { FileGatherer } from './file-gatherer.js';
import type { GatherFailure, GatherReply, GatherRequest } from './portable-gatherer.js';

/** Errors do not keep their class between threads; their fields do. */
function describe(error: unknown): GatherFailure {
  const coded = isLayerStoreError(error)
    ? error
    : new LayerStoreError('STORE_INVARIANT', `the gathering thread failed: ${String(error)}`);
  const { path, errno, syscall, expected, actual } = coded;
  return {
    code: coded.code,
    message: coded.message,
    fields: {
      ...(path === undefined ? {} : { path }),
      ...(errno === undefined ? {} : { errno }),
      ...(syscall === undefined ? {} : { syscall }),
      ...(expected === undefined ? {} : { expected }),
      ...(actual === undefined ? {} : { actual }),
    },
  };
}

const port = parentPort;
if (port !== null) {
  const reply = (work: () => void): boolean => {
    let answer: GatherReply = { done: true };
    try {
      work();
    } catch (error) {
      answer = { done: false, failure: describe(error) };
    }
    port.postMessage(answer);
    return answer.done;
  };
  let gatherer: FileGatherer | undefined;
  const opened = reply(() => {
    gatherer = new FileGatherer((workerData as { roots: readonly string[] }).roots);
  });
  if (opened) {
    port.on('message', (request: GatherRequest) => {
      if (request.plan === undefined) {
        gatherer?.close();
        port.close();
        return;
      }
      const { plan, out } = request;
      reply(() => gatherer?.gather(plan, new Uint8Array(out)));
    });
  }
}
