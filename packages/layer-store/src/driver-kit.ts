/**
 * For authors of drivers: what every driver needs beside the contract. Mount tables, unmounting, durable small files,
 * removal that gets through, programs of the system, failpoints.
 */
export { formatSize as humanSize } from '@x/archive';
export { syncFileSystem } from './driver/sync-file-system.js';
export { defineFailpoints, type FailpointSet } from './failpoint/failpoint-set.js';
export { type DirectoryStep, runDirectorySteps } from './kit/files/directory-steps.js';
export { syncDirectory, UNFINISHED_PREFIX, writeFileDurably } from './kit/files/durable-file.js';
export { fileSystemName } from './kit/files/file-system-name.js';
export { type FileSystem, fileSystemOf } from './kit/files/file-system-of.js';
export { nearestExisting } from './kit/files/nearest-existing.js';
export { removeRobustly } from './kit/files/remove-robustly.js';
export { type MountEntry, mountsBelow, parseMountInfo, readMountInfo } from './kit/mounts/mount-info.js';
export { type ParsedMountOptions, parseMountOptions } from './kit/mounts/mount-options.js';
export { isMountPoint, type UnmountOptions, unmount, unmountBelow } from './kit/mounts/unmount.js';
export {
  findSystemProgram,
  type ProgramResult,
  type RunProgramOptions,
  runProgram,
} from './kit/programs/run-program.js';
export { UNPRIVILEGED_UNPACK } from './kit/unprivileged-unpack.js';
export { KeyedMutex, type Release } from './lock/keyed-mutex.js';
