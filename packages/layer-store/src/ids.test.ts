import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { isLayerStoreError } from '@x/archive';
import {
  type ChainId,
  chainIdOf,
  childChainId,
  type DiffId,
  EMPTY_LAYER_BYTES,
  EMPTY_LAYER_DIFF_ID,
  isEmptyDiffId,
  isRandomId,
  parseChainId,
  parseDiffId,
  randomId,
} from './ids.js';

const sha256 = (text: string | Uint8Array): DiffId =>
  parseDiffId(`sha256:${createHash('sha256').update(text).digest('hex')}`);

const A = sha256('a');
const B = sha256('b');
const C = sha256('c');
const D = EMPTY_LAYER_DIFF_ID;

describe('chain ids', () => {
  it('fold digests as Docker does', () => {
    expect(chainIdOf(undefined, [D, D])).toBe(
      'sha256:170b376f64fb30995c140276be3d71dfb256b308d86183ca3b22aa93a79ad548',
    );
    expect(chainIdOf(undefined, [D, D, D])).toBe(
      'sha256:7800f80a93336d416612f372faa5f69eb67b353ce6ae9535fa0848f8784c74b1',
    );
    expect(chainIdOf(undefined, [A, B])).toBe(
      'sha256:51c0c8ace48498d6f5fee6b0592cc06f2da0f3cbe09c5a34a97dce85c3889676',
    );
    expect(chainIdOf(undefined, [A, B, C])).toBe(
      'sha256:2fce7f8ce91bcf0a1428b36e1024639fdbd9469eea762dba98aa749631885106',
    );
  });

  it('are the diff id for a base layer', () => {
    expect(chainIdOf(undefined, [A])).toBe(A);
    expect(childChainId(undefined, A)).toBe(A);
  });

  it('can be folded on from a known chain', () => {
    const parent = chainIdOf(undefined, [A, B]);
    expect(chainIdOf(parent, [C])).toBe(chainIdOf(undefined, [A, B, C]));
    expect(chainIdOf(parent, [])).toBe(parent);
    expect(chainIdOf(undefined, [])).toBeUndefined();
    expect(childChainId(parent as ChainId, C)).toBe(chainIdOf(undefined, [A, B, C]));
  });

  it.each([
    '',
    'sha256:',
    `sha256:${'A'.repeat(64)}`,
    `sha256:${'a'.repeat(63)}`,
    `sha256:${'a'.repeat(65)}`,
    `md5:${'a'.repeat(64)}`,
    'a'.repeat(64),
    `sha256:${'a'.repeat(64)}\n`,
  ])('refuse %j', (text) => {
    expect(() => parseChainId(text)).toThrow(expect.objectContaining({ code: 'DIGEST_INVALID' }));
    try {
      parseDiffId(text);
    } catch (error) {
      expect(isLayerStoreError(error, 'DIGEST_INVALID')).toBe(true);
    }
  });
});

describe('the empty layer', () => {
  it('has the digest of 1024 NUL bytes', () => {
    expect(EMPTY_LAYER_DIFF_ID).toBe(sha256(new Uint8Array(EMPTY_LAYER_BYTES)));
    expect(isEmptyDiffId(EMPTY_LAYER_DIFF_ID)).toBe(true);
    expect(isEmptyDiffId(A)).toBe(false);
  });
});

describe('random ids', () => {
  const hex = '0123456789abcdef'.repeat(4);

  it.each<[string, boolean]>([
    [hex, true],
    [`${hex}-init`, true],
    [hex.slice(1), false],
    [`${hex}0`, false],
    [hex.toUpperCase(), false],
    [`${hex.slice(1)}g`, false],
    ['', false],
    ['-init', false],
  ])('validity of %j is %s (IsValidID)', (id, valid) => {
    expect(isRandomId(id)).toBe(valid);
  });

  it('are 64 hex digits, all different, never twelve decimals in front', () => {
    const ids = Array.from({ length: 2000 }, randomId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) {
      expect(id).toMatch(/^[0-9a-f]{64}$/);
      expect(id).not.toMatch(/^[0-9]{12}/);
    }
  });
});
