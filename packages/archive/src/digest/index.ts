export { type ChunkDigester, createChunkDigester } from './chunk-digester.js';
export {
  type Digest,
  type DigestAlgorithm,
  digestAlgorithm,
  digestHex,
  formatDigest,
  isDigest,
  isDigestAlgorithm,
  parseDigest,
} from './digest.js';
export { createDigester, type Digester, type DigestProvider, digestBytes } from './digester.js';
export { verifyDigest } from './verify-digest.js';
