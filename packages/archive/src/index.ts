export * from './byte-source.js';
export {
  CHANGE_LETTER,
  CHANGE_NUMBER,
  type Change,
  type ChangeKind,
  compareChanges,
  displayPath,
  formatChange,
} from './changes/change.js';
export { changesBetween } from './changes/changes-between.js';
export { changesFromUpper, type UpperOptions } from './changes/changes-from-upper.js';
export type { CompareOptions } from './changes/compare-options.js';
export { changesSize, type SizeOptions, treeSize } from './changes/tree-size.js';
export * from './chunk-pool.js';
export * from './compress/index.js';
export type { CopyTreeOptions, CopyTreeResult, CopyWarning } from './copy/copy-options.js';
export {
  type CopyInfo,
  copyInfoDestinationPath,
  copyInfoSourcePath,
} from './copy/copy-semantics/copy-info.js';
export {
  type CopyResourceOptions,
  copyResource,
  type PreparedCopy,
  prepareArchiveCopy,
} from './copy/copy-semantics/copy-resource.js';
export { rebaseArchiveEntries } from './copy/copy-semantics/rebase-archive.js';
export { preserveTrailingDotOrSeparator, splitPathDirEntry } from './copy/copy-semantics/trailing-path.js';
export { copyTree } from './copy/copy-tree.js';
export {
  copyFileWithTar,
  copyWithTar,
  type TarCopyOptions,
  tarUntar,
  untarPath,
} from './copy/copy-with-tar.js';
export { type RemoveTreeOptions, removeTree } from './copy/remove-tree.js';
export type { ArchiveWarning, ArchiveWarningKind } from './create/archive-warning.js';
export { createArchive } from './create/create-archive.js';
export type { CreateOptions, EntryOptions, Owner, OwnerMap } from './create/create-options.js';
export { type ExportOptions, exportChanges } from './create/export-changes.js';
export { PatternMatcher } from './create/pattern-matcher.js';
export * from './digest/crc64.js';
export * from './digest/index.js';
export * from './errors.js';
export * from './execute/gather.js';
export * from './execute/gather-plan.js';
export * from './execute/gather-records.js';
export { openExtractExecutor, openGatherer } from './execute/open.js';
export * from './execute/operation.js';
export { type ApplyLayerOptions, type ApplyLayerResult, applyLayer } from './extract/apply-layer.js';
export * from './extract/layer-recorder.js';
export { type UntarOptions, type UntarResult, untar } from './extract/untar.js';
export * from './file-source.js';
export { findProgram, PROGRAM_DIRECTORIES, SYSTEM_PROGRAM_DIRECTORIES } from './find-program.js';
export * from './idmap/index.js';
export * from './interop/index.js';
export * from './options/index.js';
export {
  encodeOwnerRecord,
  OWNER_RECORD_XATTR,
  type OwnerRecord,
  parseOwnerRecord,
} from './owner-record/owner-record.js';
export * from './rewrite/index.js';
export type { FileStat } from './root/file-stat.js';
export { OpenDirectory, RootDirectory, type RootDirectoryOptions } from './root/root-directory.js';
export { DEFAULT_XATTRS } from './root/xattr-policy.js';
export * from './tar/index.js';
