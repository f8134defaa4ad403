export type { ContentCalls, NativeStatfs } from './calls/content.js';
export type { Crc64Calls, Crc64Update } from './calls/crc64.js';
export type { FallbackCalls } from './calls/fallbacks.js';
export type { FsAtCalls, NativeDirent, NativeStat, OpenHow } from './calls/fs-at.js';
export type { LockCalls } from './calls/lock.js';
export type { MountAttributes, MountCalls } from './calls/mount.js';
export type {
  NativeExtractor,
  NativeExtractorOptions,
  NativeGatherer,
  TreeCalls,
  TreeCopyOptions,
  TreeCopyStats,
  TreeCopyWarning,
} from './calls/tree.js';
export type { XattrCalls } from './calls/xattr.js';
export * from './constants.js';
export { loadNative, native } from './loader.js';
export type {
  AsyncTwins,
  NativeCalls,
  NativeError,
  NativeFeatures,
  NativeState,
  PathLike,
  SyncCalls,
} from './types.js';
