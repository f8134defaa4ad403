/** The tar codec: what other rooms and users may import. It has no Node types and does no I/O. */
export * from './entry.js';
export {
  type EncodeFormat,
  type EncodeTarHeaderOptions,
  encodeTarHeader,
} from './header-encode.js';
export type { EncodableKind, TarHeaderInit } from './header-init.js';
export { END_OF_ARCHIVE, tarPadding } from './layout.js';
export type { TarLimits } from './limits.js';
export { TarReader } from './reader.js';
export { SparseCursor } from './sparse-map.js';
export {
  type Abortable,
  type TarBody,
  type TarEntryInput,
  type WriteTarOptions,
  writeTar,
} from './writer.js';
