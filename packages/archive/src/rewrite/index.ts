export { generateArchive } from './generate-archive.js';
export { isArchivePath, isEmptyArchive } from './is-archive.js';
export {
  type EntryModifier,
  type MatchedEntry,
  type ReplacementEntry,
  type RewriteOptions,
  rewriteArchive,
} from './rewrite-archive.js';
export { TempArchive, type TempArchiveOptions } from './temp-archive.js';
