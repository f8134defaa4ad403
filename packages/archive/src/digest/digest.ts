import { LayerStoreError } from '../errors.js';

declare const digestBrand: unique symbol;

/** `algorithm:hex`, checked: a known algorithm and its exact number of lower-case hex digits. */
export type Digest = string & { readonly [digestBrand]: true };

/** The algorithms the OCI image specification registers (descriptor.md), and sha384. */
export type DigestAlgorithm = 'sha256' | 'sha384' | 'sha512';

const HEX_DIGITS: Readonly<Record<DigestAlgorithm, number>> = Object.freeze({
  sha256: 64,
  sha384: 96,
  sha512: 128,
});

/** Whether `name` is an algorithm that digests may have. */
export function isDigestAlgorithm(name: string): name is DigestAlgorithm {
  return Object.hasOwn(HEX_DIGITS, name);
}

function hexOk(algorithm: DigestAlgorithm, hex: string): boolean {
  return hex.length === HEX_DIGITS[algorithm] && /^[0-9a-f]+$/.test(hex);
}

/** Whether `value` is a well-formed digest of a known algorithm. */
export function isDigest(value: unknown): value is Digest {
  if (typeof value !== 'string') return false;
  const at = value.indexOf(':');
  const algorithm = value.slice(0, Math.max(at, 0));
  return isDigestAlgorithm(algorithm) && hexOk(algorithm, value.slice(at + 1));
}

/**
 * Checks the text form of a digest. Nothing is repaired: upper-case hex, blanks and other lengths are refused, because
 * one content must have one name.
 * @throws DIGEST_INVALID for a wrong form or length, DIGEST_UNSUPPORTED for a well-formed digest of another algorithm
 */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  const shown = typeof text === 'string' ? JSON.stringify(text.slice(0, 160)) : `a ${typeof text}`;
  const form =
    typeof text === 'string' ? /^([a-z0-9]+(?:[+._-][a-z0-9]+)*):[a-zA-Z0-9=_-]+$/.exec(text) : null;
  const algorithm = form?.[1];
  if (algorithm !== undefined && !isDigestAlgorithm(algorithm)) {
    throw new LayerStoreError(
      'DIGEST_UNSUPPORTED',
      `The digest algorithm "${algorithm.slice(0, 40)}" is not supported; use sha256, sha384 or sha512`,
      { name: algorithm },
    );
  }
  const wanted =
    algorithm === undefined
      ? 'algorithm:hex'
      : `${algorithm}: and ${HEX_DIGITS[algorithm]} lower-case hex digits`;
  throw new LayerStoreError('DIGEST_INVALID', `${shown} is not a digest; it must be ${wanted}`, {
    actual: shown,
  });
}

/** The algorithm of a digest. */
export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.slice(0, digest.indexOf(':')) as DigestAlgorithm;
}

/** The hex digits of a digest. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** Puts a digest together. @throws DIGEST_INVALID when the hex does not fit the algorithm */
export function formatDigest(algorithm: DigestAlgorithm, hex: string): Digest {
  return parseDigest(`${algorithm}:${hex}`);
}
