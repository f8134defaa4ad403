/**
 * Incremental digests from one of two providers: `node`, OpenSSL through `node:crypto` (1,785 MB/s where measured), and
 * `portable`, @noble/hashes in plain JavaScript (154 MB/s) for runtimes whose OpenSSL lacks the algorithm.
 */
import { createHash } from 'node:crypto';
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { LayerStoreError } from '../errors.js';
import { type Digest, type DigestAlgorithm, formatDigest, isDigestAlgorithm } from './digest.js';

export type DigestProvider = 'node' | 'portable';

/** Takes bytes and gives their digest, once or many times. */
export interface Digester {
  readonly algorithm: DigestAlgorithm;
  /** The provider that does the work, after any fallback. */
  readonly provider: DigestProvider;
  /** Bytes taken so far. */
  readonly size: number;
  /** @throws OPTION_INVALID after {@link digest} was called */
  update(bytes: Uint8Array): this;
  /** Ends the input. Further calls give the same digest. */
  digest(): Digest;
}

interface Hash {
  update(bytes: Uint8Array): unknown;
  hex(): string;
}

/** Opens a hash of `node:crypto`; a parameter so that tests can take it away. */
export type OpenNodeHash = (algorithm: DigestAlgorithm) => Hash;

function openNodeHash(algorithm: DigestAlgorithm): Hash {
  const hash = createHash(algorithm);
  return { update: (bytes) => hash.update(bytes), hex: () => hash.digest('hex') };
}

const PORTABLE = { sha256, sha384, sha512 } as const;

function openPortableHash(algorithm: DigestAlgorithm): Hash {
  const hash = PORTABLE[algorithm].create();
  return { update: (bytes) => hash.update(bytes), hex: () => Buffer.from(hash.digest()).toString('hex') };
}

class HashDigester implements Digester {
  readonly algorithm: DigestAlgorithm;
  readonly provider: DigestProvider;
  readonly #hash: Hash;
  #size = 0;
  #digest: Digest | undefined;

  constructor(algorithm: DigestAlgorithm, provider: DigestProvider, hash: Hash) {
    this.algorithm = algorithm;
    this.provider = provider;
    this.#hash = hash;
  }

  get size(): number {
    return this.#size;
  }

  update(bytes: Uint8Array): this {
    if (this.#digest !== undefined) {
      throw new LayerStoreError(
        'OPTION_INVALID',
        'Digester.update: the digest was taken already; create another digester',
      );
    }
    this.#hash.update(bytes);
    this.#size += bytes.byteLength;
    return this;
  }

  digest(): Digest {
    this.#digest ??= formatDigest(this.algorithm, this.#hash.hex());
    return this.#digest;
  }
}

/**
 * A digester. With `'node'` (the default) an algorithm that this OpenSSL refuses falls back to `'portable'`.
 * @throws DIGEST_UNSUPPORTED for an unknown algorithm, OPTION_INVALID for an unknown provider
 */
export function createDigester(
  algorithm: DigestAlgorithm = 'sha256',
  provider: DigestProvider = 'node',
  openHash: OpenNodeHash = openNodeHash,
): Digester {
  if (!isDigestAlgorithm(algorithm)) {
    throw new LayerStoreError(
      'DIGEST_UNSUPPORTED',
      `The digest algorithm "${String(algorithm)}" is not supported; use sha256, sha384 or sha512`,
    );
  }
  const requested: unknown = provider;
  if (requested !== 'node' && requested !== 'portable') {
    throw new LayerStoreError('OPTION_INVALID', 'createDigester: provider must be "node" or "portable"', {
      option: 'provider',
    });
  }
  if (provider === 'node') {
    try {
      return new HashDigester(algorithm, 'node', openHash(algorithm));
    } catch {
      // A FIPS or stripped OpenSSL: the digest is the same whoever computes it, so the fallback needs no asking.
    }
  }
  return new HashDigester(algorithm, 'portable', openPortableHash(algorithm));
}

/** The digest of bytes that are in memory already. */
export function digestBytes(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return createDigester(algorithm).update(bytes).digest();
}
