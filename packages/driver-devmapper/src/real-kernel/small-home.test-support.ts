import type { DevmapperOptions } from '../options/options.js';

const MIB = 1 << 20;

/** What the tests on a real kernel open homes with: small, since system calls are slow there. */
export const SMALL_HOME: DevmapperOptions = {
  baseSize: 48 * MIB,
  loopDataSize: 256 * MIB,
  loopMetadataSize: 8 * MIB,
  fileSystem: 'ext4',
  minFreeSpace: 0,
  deferredRemoval: true,
  deferredDeletion: true,
};
