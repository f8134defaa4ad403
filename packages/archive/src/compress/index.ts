export { BUILT_IN_CODECS } from './built-in-codecs.js';
export { type Codec, type CodecContext, CodecRegistry } from './codec.js';
export { type CommandStreamOptions, commandStream } from './command-stream.js';
export { type CompressOptions, compress } from './compress.js';
export { type Compression, compressionExtension, detectCompression } from './compression.js';
export { type DecompressOptions, decompress } from './decompress.js';
export type { OutputLimits } from './output-limits.js';
export { SourceReader } from './source-reader.js';
