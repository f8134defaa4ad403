export type { BlockDeviceCalls } from './calls/block-device.js';
export type { ContentCalls, NativeStatfs } from './calls/content.js';
export type { Crc64Calls, Crc64Update } from './calls/crc64.js';
export type { DeviceMapperCalls } from './calls/device-mapper.js';
export type { FallbackCalls } from './calls/fallbacks.js';
export type { FsAtCalls, NativeDirent, NativeStat, OpenHow } from './calls/fs-at.js';
export type { Crc32Update, GzipLinesCalls, NativeGzipLines } from './calls/gzip-lines.js';
export type { KernelLogCalls } from './calls/kernel-log.js';
export type { LockCalls } from './calls/lock.js';
export type { LoopCalls, LoopSettings, LoopStatus } from './calls/loop.js';
export type { MountAttributes, MountCalls } from './calls/mount.js';
export type { FsXattr, ProjectLimits, ProjectQuota, QuotaCalls } from './calls/quota.js';
export type {
  NativeExtractor,
  NativeExtractorOptions,
  NativeGatherer,
  TreeCalls,
  TreeCopyOptions,
  TreeCopyStats,
  TreeCopyWarning,
} from './calls/tree.js';
export type { IdRange, UserNamespaceCalls } from './calls/user-namespace.js';
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
