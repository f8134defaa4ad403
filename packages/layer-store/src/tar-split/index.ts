export { type AssembleOptions, assembleTar, assemblyPool } from './assembler.js';
export {
  type DisassembleOptions,
  type DisassembleResult,
  disassembleTar,
  type PayloadSink,
} from './disassembler.js';
export {
  SEGMENT_LIMIT,
  sortByPosition,
  type TarSplitEntry,
  type TarSplitFile,
  type TarSplitSegment,
  TYPE_FILE,
  TYPE_SEGMENT,
} from './entry.js';
export { iterateHeaders } from './header-iterator.js';
export { refuseDuplicates, TarSplitPacker } from './packer.js';
export { inflateTarSplit, type ReadOptions, readTarSplit, type TarSplitSource } from './reader.js';
export { TarSplitWriter, type TarSplitWriterOptions } from './writer.js';
