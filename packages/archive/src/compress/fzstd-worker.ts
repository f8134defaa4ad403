/** A worker thread that decodes zstd with the optional package `fzstd`, so that pure-JS decoding blocks nobody. */
import { parentPort, workerData } from 'node:worker_threads';
import { isLayerStoreError } from '../errors.js';
import { OUTPUT_CHUNK_BYTES } from './chunks.js';
import { messageOf } from './error-message.js';
import type { FzstdReply, FzstdRequest, FzstdWorkerData } from './fzstd-messages.js';
import { XxHash64 } from './xx-hash-64.js';
import { ZstdFrames } from './zstd-frames.js';

type Decompress = import('fzstd').Decompress;

const credit = new Int32Array((workerData as FzstdWorkerData).credit);

function reply(message: FzstdReply, transfer: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

/** Collects decoded blocks (128 KiB at most each) into full chunks and posts them when the consumer has room. */
class OutputPoster {
  #buffer = new Uint8Array(OUTPUT_CHUNK_BYTES);
  #used = 0;

  write(block: Uint8Array): void {
    for (let from = 0; from < block.byteLength; ) {
      const part = block.subarray(from, from + this.#buffer.byteLength - this.#used);
      this.#buffer.set(part, this.#used);
      this.#used += part.byteLength;
      from += part.byteLength;
      if (this.#used === this.#buffer.byteLength) this.flush();
    }
  }

  flush(): void {
    if (this.#used === 0) return;
    while (Atomics.load(credit, 0) <= 0) Atomics.wait(credit, 0, 0);
    Atomics.sub(credit, 0, 1);
    const buffer = this.#buffer;
    const bytes = buffer.subarray(0, this.#used);
    this.#buffer = new Uint8Array(OUTPUT_CHUNK_BYTES);
    this.#used = 0;
    reply({ kind: 'output', bytes }, [buffer.buffer]);
  }
}

function decodeMessages(create: (ondata: (block: Uint8Array) => void) => Decompress): void {
  const output = new OutputPoster();
  const frames = new ZstdFrames();
  let decoder: Decompress | undefined;
  let content = new XxHash64();

  const use = (request: FzstdRequest): void => {
    if ('end' in request) {
      frames.end();
      output.flush();
      reply({ kind: 'end' });
      return;
    }
    for (const part of frames.push(request.bytes)) {
      // A decoder per frame: fzstd calls itself for each next frame, so many small ones would exhaust its stack.
      if (part.first) {
        content = new XxHash64();
        decoder = create((block) => {
          content.update(block);
          output.write(block);
        });
      }
      decoder?.push(part.bytes, part.last);
      // fzstd passes over content checksums, and so would pass damage on as data.
      if (part.checksum !== undefined && part.checksum !== content.low32())
        throw new Error('content checksum differs');
    }
    reply({ kind: 'ready' });
  };

  parentPort?.on('message', (request: FzstdRequest) => {
    try {
      use(request);
    } catch (error) {
      // What was decoded before the damage is still delivered.
      output.flush();
      const message = messageOf(error);
      const coded = isLayerStoreError(error);
      reply({
        kind: 'failed',
        code: coded ? error.code : 'COMPRESSION_FAILED',
        message: coded ? message : `The zstd data is damaged: ${message}`,
      });
    }
  });
  reply({ kind: 'ready' });
}

import('fzstd').then(
  ({ Decompress }) => decodeMessages((ondata) => new Decompress(ondata)),
  () => reply({ kind: 'missing' }),
);
