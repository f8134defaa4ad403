/** The digest of a stream of large chunks, computed beside the thread that reads them where that can be had. */
import { loadNative } from '@x/native';
import { type Digest, type DigestAlgorithm, formatDigest } from './digest.js';
import { createDigester } from './digester.js';

/** Below this a chunk is hashed in less time than it takes to hand it over. Bytes. */
const WORTH_A_THREAD = 128 << 10;

/** Takes chunks in order and gives their digest. */
export interface ChunkDigester extends Disposable {
  /** Bytes taken so far. */
  readonly size: number;
  /** When a promise comes back the chunk must not change before it settles. */
  update(chunk: Uint8Array): Promise<void> | undefined;
  /** Ends the input. Once only. */
  digest(): Promise<Digest>;
}

interface Hashing {
  update(chunk: Uint8Array): Promise<void> | undefined;
  digest(): Promise<Digest>;
  close(): void;
}

/**
 * A digester for the chunks of a layer. Whether it takes a thread of the addon, which leaves the caller's free to parse, is
 * decided by the first chunk. Dispose of it, whatever happened.
 */
export function createChunkDigester(algorithm: DigestAlgorithm = 'sha256'): ChunkDigester {
  let hashing: Hashing | undefined;
  let size = 0;
  return {
    get size() {
      return size;
    },
    update(chunk) {
      hashing ??= openHashing(algorithm, chunk.length);
      size += chunk.length;
      return hashing.update(chunk);
    },
    digest() {
      hashing ??= openHashing(algorithm, 0);
      return hashing.digest();
    },
    [Symbol.dispose]() {
      hashing?.close();
    },
  };
}

function openHashing(algorithm: DigestAlgorithm, firstChunk: number): Hashing {
  const native = loadNative();
  if (firstChunk < WORTH_A_THREAD || !native.available || !native.calls.knowsDigest(algorithm)) {
    return hashHere(algorithm);
  }
  const digester = new native.calls.NativeDigester(algorithm);
  return {
    update: (chunk) => digester.update(chunk),
    digest: async () => formatDigest(algorithm, (await digester.finish()).toString('hex')),
    close: () => digester.close(),
  };
}

function hashHere(algorithm: DigestAlgorithm): Hashing {
  const digester = createDigester(algorithm);
  return {
    update(chunk) {
      digester.update(chunk);
      return undefined;
    },
    digest: async () => digester.digest(),
    close: () => undefined,
  };
}
