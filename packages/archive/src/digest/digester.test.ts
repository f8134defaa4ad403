import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type DigestAlgorithm,
  digestAlgorithm,
  digestHex,
  formatDigest,
  isDigest,
  parseDigest,
} from './digest.js';
import { createDigester, type DigestProvider, digestBytes } from './digester.js';
import { verifyDigest } from './verify-digest.js';

/** FIPS 180-4 example values for "abc". */
const ABC: Readonly<Record<DigestAlgorithm, string>> = {
  sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  sha384: 'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
  sha512:
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
};
const ALGORITHMS = Object.keys(ABC) as DigestAlgorithm[];
const EMPTY_LAYER = 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef';

describe.each<DigestProvider>(['node', 'portable'])('createDigester with provider %s', (provider) => {
  it.each(ALGORITHMS)('gives the published %s of "abc", in one piece and in three', (algorithm) => {
    const expected = `${algorithm}:${ABC[algorithm]}`;
    expect(createDigester(algorithm, provider).update(Buffer.from('abc')).digest()).toBe(expected);
    const digester = createDigester(algorithm, provider);
    for (const letter of ['a', 'b', 'c']) digester.update(Buffer.from(letter));
    expect(digester.digest()).toBe(expected);
    expect(digester.digest()).toBe(expected);
    expect(digester).toMatchObject({ algorithm, provider, size: 3 });
  });

  it('gives the digest of the empty layer', () => {
    expect(createDigester('sha256', provider).update(new Uint8Array(1024)).digest()).toBe(EMPTY_LAYER);
  });

  it('agrees with OpenSSL for any input in any pieces', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 })),
        fc.constantFrom(...ALGORITHMS),
        (pieces, algorithm) => {
          const digester = createDigester(algorithm, provider);
          for (const piece of pieces) digester.update(piece);
          expect(digestHex(digester.digest())).toBe(
            createHash(algorithm).update(Buffer.concat(pieces)).digest('hex'),
          );
        },
      ),
      { numRuns: 50 },
    );
  });

  it('takes nothing more once the digest was taken', () => {
    const digester = createDigester('sha256', provider);
    digester.digest();
    expect(() => digester.update(new Uint8Array(1))).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    );
  });
});

describe('createDigester', () => {
  it('falls back to the portable provider when OpenSSL refuses the algorithm', () => {
    const digester = createDigester('sha512', 'node', () => {
      throw new Error('digital envelope routines::unsupported');
    });
    expect(digester.provider).toBe('portable');
    expect(digester.update(Buffer.from('abc')).digest()).toBe(`sha512:${ABC.sha512}`);
  });

  it('refuses algorithms and providers that do not exist', () => {
    for (const name of ['md5', 'SHA256', 'constructor', '']) {
      expect(() => createDigester(name as DigestAlgorithm)).toThrow(
        expect.objectContaining({ code: 'DIGEST_UNSUPPORTED' }),
      );
    }
    expect(() => createDigester('sha256', 'gpu' as DigestProvider)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    );
  });
});

describe('parseDigest', () => {
  it('accepts exactly algorithm, colon and lower-case hex of the right length', () => {
    for (const algorithm of ALGORITHMS) {
      const digest = parseDigest(`${algorithm}:${ABC[algorithm]}`);
      expect(digestAlgorithm(digest)).toBe(algorithm);
      expect(formatDigest(algorithm, digestHex(digest))).toBe(digest);
    }
  });

  it.each([
    ['', 'DIGEST_INVALID'],
    ['sha256', 'DIGEST_INVALID'],
    ['sha256:', 'DIGEST_INVALID'],
    [`sha256:${ABC.sha256.toUpperCase()}`, 'DIGEST_INVALID'],
    [`sha256:${ABC.sha256.slice(1)}`, 'DIGEST_INVALID'],
    [`sha256:${ABC.sha256}0`, 'DIGEST_INVALID'],
    [`sha256:${ABC.sha256}\n`, 'DIGEST_INVALID'],
    [` sha256:${ABC.sha256}`, 'DIGEST_INVALID'],
    [`sha256:${'g'.repeat(64)}`, 'DIGEST_INVALID'],
    [`sha512:${ABC.sha256}`, 'DIGEST_INVALID'],
    [`SHA256:${ABC.sha256}`, 'DIGEST_INVALID'],
    [ABC.sha256, 'DIGEST_INVALID'],
    ['md5:900150983cd24fb0d6963f7d28e17f72', 'DIGEST_UNSUPPORTED'],
    [`toString:${ABC.sha256}`, 'DIGEST_INVALID'],
    [`constructor:${ABC.sha256}`, 'DIGEST_UNSUPPORTED'],
  ])('refuses "%s" (SEC-48)', (text, code) => {
    expect(isDigest(text)).toBe(false);
    expect(() => parseDigest(text)).toThrow(expect.objectContaining({ code }));
  });

  it('is not a digest if it is not a string', () => {
    for (const value of [undefined, null, 1, {}, [`sha256:${ABC.sha256}`]])
      expect(isDigest(value)).toBe(false);
  });
});

describe('verifyDigest', () => {
  async function* chunks(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
    for (const text of texts) yield Buffer.from(text);
  }
  async function read(source: AsyncIterable<Uint8Array>): Promise<string> {
    let text = '';
    for await (const chunk of source) text += Buffer.from(chunk).toString();
    return text;
  }

  it('passes a stream with the expected digest on', async () => {
    for (const algorithm of ALGORITHMS) {
      expect(await read(verifyDigest(chunks('a', 'bc'), parseDigest(`${algorithm}:${ABC[algorithm]}`)))).toBe(
        'abc',
      );
    }
  });

  it('fails at the end of any other, naming both digests', async () => {
    const expected = digestBytes(Buffer.from('abd'));
    await expect(read(verifyDigest(chunks('a', 'bc'), expected))).rejects.toMatchObject({
      code: 'LAYER_DIGEST_MISMATCH',
      expected,
      actual: `sha256:${ABC.sha256}`,
    });
  });
});
