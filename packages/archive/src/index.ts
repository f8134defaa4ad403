export * from './errors.js';
export * from './execute/gather.js';
export * from './execute/gather-records.js';
export * from './execute/gather-plan.js';
export * from './execute/operation.js';
export * from './byte-source.js';
export * from './file-source.js';
export * from './digest/crc64.js';
export * from './extract/layer-recorder.js';
export * from './compress/index.js';
export * from './digest/index.js';
export * from './idmap/index.js';
export * from './options/index.js';
export * from './tar/index.js';
export { applyLayer, type ApplyLayerOptions, type ApplyLayerResult } from './extract/apply-layer.js';
export { untar, type UntarOptions, type UntarResult } from './extract/untar.js';
export {
  type Change,
  type ChangeKind,
  CHANGE_LETTER,
  CHANGE_NUMBER,
  compareChanges,
  displayPath,
  formatChange,
} from './changes/change.js';
export { changesBetween } from './changes/changes-between.js';
export { changesFromUpper, type UpperOptions } from './changes/changes-from-upper.js';
export type { CompareOptions } from './changes/compare-options.js';
export { changesSize, type SizeOptions, treeSize } from './changes/tree-size.js';
export type { ArchiveWarning, ArchiveWarningKind } from './create/archive-warning.js';
export { createArchive } from './create/create-archive.js';
export type { CreateOptions, EntryOptions, Owner, OwnerMap } from './create/create-options.js';
export { exportChanges, type ExportOptions } from './create/export-changes.js';
export { PatternMatcher } from './create/pattern-matcher.js';
export type { CopyTreeOptions, CopyTreeResult, CopyWarning } from './copy/copy-options.js';
export { copyTree } from './copy/copy-tree.js';
export { removeTree, type RemoveTreeOptions } from './copy/remove-tree.js';
export type { FileStat } from './root/file-stat.js';
export { OpenDirectory, RootDirectory, type RootDirectoryOptions } from './root/root-directory.js';
export { DEFAULT_XATTRS } from './root/xattr-policy.js';
export * from './interop/index.js';
export * from './rewrite/index.js';
export { openExtractExecutor, openGatherer } from './execute/open.js';
export { copyFileWithTar, copyWithTar, type TarCopyOptions, tarUntar, untarPath } from './copy/copy-with-tar.js';
export { type CopyInfo, copyInfoDestinationPath, copyInfoSourcePath } from './copy/copy-semantics/copy-info.js';
export {
  copyResource,
  type CopyResourceOptions,
  prepareArchiveCopy,
  type PreparedCopy,
} from './copy/copy-semantics/copy-resource.js';
export { rebaseArchiveEntries } from './copy/copy-semantics/rebase-archive.js';
export { preserveTrailingDotOrSeparator, splitPathDirEntry } from './copy/copy-semantics/trailing-path.js';
