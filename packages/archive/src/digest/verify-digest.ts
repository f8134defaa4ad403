import type { ByteSource } from '../byte-source.js';
import { LayerStoreError } from '../errors.js';
import { type Digest, digestAlgorithm, parseDigest } from './digest.js';
import { createDigester } from './digester.js';

/**
 * Passes a stream on and fails at its end unless it has the expected digest. Chunks come out before they are verified:
 * make nothing visible under its final name before the iteration has ended without error.
 * @throws LAYER_DIGEST_MISMATCH with `expected` and `actual`, after the last chunk; DIGEST_INVALID, DIGEST_UNSUPPORTED
 * at once
 */
export function verifyDigest(
  source: ByteSource,
  expected: Digest,
): AsyncGenerator<Uint8Array, void, undefined> {
  return verify(source, parseDigest(expected));
}

async function* verify(source: ByteSource, expected: Digest): AsyncGenerator<Uint8Array, void, undefined> {
  const digester = createDigester(digestAlgorithm(expected));
  for await (const chunk of source) {
    digester.update(chunk);
    yield chunk;
  }
  const actual = digester.digest();
  if (actual === expected) return;
  throw new LayerStoreError(
    'LAYER_DIGEST_MISMATCH',
    `The stream of ${digester.size} bytes has digest ${actual}, not ${expected}; fetch it again`,
    { expected, actual },
  );
}
