import { createHash, randomBytes } from 'node:crypto';
import { LayerStoreError } from '@x/archive';

declare const brand: unique symbol;
type Brand<Name extends string> = string & { readonly [brand]: Name };

/** Digest of the uncompressed tar stream of one layer, every input byte counted: `sha256:` + 64 lower-case hex digits. */
export type DiffId = Brand<'DiffId'>;
/** Identity of a layer with all its ancestors (spec/layer-archive.md 1.1); same text form as {@link DiffId}. */
export type ChainId = Brand<'ChainId'>;
/** Random name of a layer's directory in its driver; unrelated to the content. */
export type CacheId = Brand<'CacheId'>;
/** Random driver id of a read-write layer; its init layer has the same id with `-init` appended. */
export type MountId = Brand<'MountId'>;

const SHA256_TEXT = /^sha256:[0-9a-f]{64}$/;
const RANDOM_ID = /^[0-9a-f]{64}(-init)?$/;

/** DiffID and ChainID of the layer without content: the digest of 1024 NUL bytes. */
export const EMPTY_LAYER_DIFF_ID: DiffId =
  'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef' as DiffId;
/** The empty layer has no parent, so its ChainID is its DiffID. */
export const EMPTY_LAYER_CHAIN_ID: ChainId = EMPTY_LAYER_DIFF_ID as string as ChainId;
/** Length of the empty layer's tar stream: two zero blocks. */
export const EMPTY_LAYER_BYTES = 1024;

/** True when the DiffID is that of the empty layer. */
export function isEmptyDiffId(diffId: string): boolean {
  return diffId === EMPTY_LAYER_DIFF_ID;
}

/** Checks a DiffID given as text. Throws DIGEST_INVALID. */
export function parseDiffId(text: string): DiffId {
  return parseSha256(text, 'diff id') as DiffId;
}

/** Checks a ChainID given as text. Throws DIGEST_INVALID. */
export function parseChainId(text: string): ChainId {
  return parseSha256(text, 'chain id') as ChainId;
}

function parseSha256(text: string, what: string): string {
  if (typeof text === 'string' && SHA256_TEXT.test(text)) return text;
  throw new LayerStoreError(
    'DIGEST_INVALID',
    `${JSON.stringify(text)} is not a ${what}: give sha256: and 64 lower-case hex digits`,
    { actual: String(text) },
  );
}

/**
 * Folds DiffIDs onto a parent chain: `chain(P, d) = sha256(P + " " + d)`, the first DiffID without a parent is the seed
 * (spec/layer-archive.md 1.1, OCI image-spec config.md "Layer ChainID"). No DiffIDs: the parent unchanged, and without
 * a parent `undefined`, which stands for Docker's empty string.
 */
export function chainIdOf(parent: ChainId | undefined, diffIds: readonly DiffId[]): ChainId | undefined {
  let chain: string | undefined = parent;
  for (const diffId of diffIds) {
    chain = chain === undefined ? diffId : extend(chain, diffId);
  }
  return chain as ChainId | undefined;
}

/** The ChainID of one layer on a parent. */
export function childChainId(parent: ChainId | undefined, diffId: DiffId): ChainId {
  return (parent === undefined ? (diffId as string) : extend(parent, diffId)) as ChainId;
}

function extend(parent: string, diffId: string): string {
  return `sha256:${createHash('sha256').update(`${parent} ${diffId}`, 'latin1').digest('hex')}`;
}

/** 64 hex digits from the CSPRNG; never with twelve leading decimals, which host names once could not bear. */
export function randomId(): string {
  for (;;) {
    const id = randomBytes(32).toString('hex');
    if (!/^[0-9]{12}/.test(id)) return id;
  }
}

/** True for an id as the store makes them: 64 lower-case hex digits, `-init` may follow. */
export function isRandomId(text: string): boolean {
  return RANDOM_ID.test(text);
}
